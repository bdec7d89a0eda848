"""`offramp import` of a workbook: tried first, then taken over."""

from tests.acceptance.installation import LEAVING, in_days
from tests.unit.documents.workbook import workbook

COLUMNS = ("organization", "pool", "product", "kind", "seats", "ends_on")


def test_a_workbook_is_tried_and_then_taken_over(installation):
    file = installation.folder / "pools.xlsx"
    file.write_bytes(workbook(COLUMNS, (int(LEAVING), "new", "courses", "paid", 5, in_days(90))))

    tried = installation.ask("import", file, "--dry-run")
    before = installation.ask("pool", "seats", LEAVING)["pools"]
    told = installation.say("import", file, "--dry-run")
    taken = installation.ask("import", file)
    after = installation.ask("pool", "seats", LEAVING)["pools"]

    assert tried == taken
    assert taken["pools"] == {"created": 1, "changed": 0, "same": 0}
    assert "nothing was changed: this was a dry run" in told
    assert {pool["pool"] for pool in after} - {pool["pool"] for pool in before} == {"new"}
