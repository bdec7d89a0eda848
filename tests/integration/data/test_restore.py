"""Taken back: the same rows as before, or nothing at all and the reason."""

from tests.integration.data.leaving import come_back, data_of, leave, take, totals
from tests.integration.data.school import COMPANY


def test_a_company_comes_back_as_it_was(school, tmp_path):
    """A9: after deletion."""
    before = [school.everything(company) for company in (1, 2, 3)]
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)

    result = come_back(school, tmp_path / "out.json")

    take(school, COMPANY, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")
    after = [school.everything(company) for company in (1, 2, 3)]
    assert after[1:] == before[1:]
    assert {name for name in after[0] if after[0][name] != before[0][name]} == {"users"}
    assert result.tables["app.invoices"].relinked == 3
    assert totals(result)["moved"] == 0


def test_restoring_twice_is_restoring_once(school, tmp_path):
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)
    come_back(school, tmp_path / "out.json")
    before = [school.everything(company) for company in (1, 2, 3)]

    result = come_back(school, tmp_path / "out.json")

    assert totals(result) | {"present": 0} == dict(added=0, present=0, relinked=0, moved=0)
    assert [school.everything(company) for company in (1, 2, 3)] == before
