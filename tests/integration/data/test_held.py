"""Which tables wait while a category is held, on the school of every shape of reference (L25)."""

import pytest

from offramp.data.erasure.erase import erase, preview
from offramp.data.erasure.held import plan_held, require_category, without_held
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest
from offramp.data.proof.verify import verify
from tests.integration.data.school import COMPANY, KEY, CountingFence, no_progress, still


def plan(school, *categories):
    return plan_held(school.datamap, school.sources, COMPANY, categories=categories)


def take_apart(school, held):
    digests = digest(school.datamap, school.sources, COMPANY)
    tombstone = take_tombstone(school.datamap, school.sources, COMPANY, key=KEY, digests=digests)
    erase(
        school.datamap,
        school.sources,
        COMPANY,
        key=KEY,
        fence=CountingFence(),
        elapsed=still,
        tombstone=tombstone,
        progress=no_progress,
        chunk_rows_max=2,
        spared=held.spared,
    )
    return verify(school.datamap, school.sources, COMPANY, tombstone=tombstone, key=KEY)


def test_a_held_table_makes_everything_wait_that_its_rows_refer_to_L25(school):
    held = plan(school, "user.content")

    content = {"app.certificates", "app.comments", "app.notes", "app.invoices"}  # its memo
    assert set(held.tables) == content
    assert set(held.waiting) == {"app.enrolments", "app.users", "app.teams", "app.companies"}
    assert set(held.waiting.values()) <= content


def test_what_does_not_wait_goes_and_what_waits_stays_byte_identical_L25_L42(school):
    before = school.everything(1)
    siblings = [school.everything(company) for company in (2, 3)]
    held = plan(school, "user.content")

    verification = take_apart(school, held)

    after = school.everything(1)
    stays = {name.partition(".")[2] for name in held.spared}
    assert {name: rows for name, rows in after.items() if name in stays} == {
        name: rows for name, rows in before.items() if name in stays
    }
    gone = set(after) - stays - {"invoices", "courses"}
    assert gone == {"memberships", "grants", "shares", "audit"}
    assert [after[name] for name in sorted(gone)] == [[]] * 4
    assert [school.everything(company) for company in (2, 3)] == siblings
    assert not verification.clean
    assert without_held(verification, held.spared).clean


def test_the_kept_rows_of_a_held_category_keep_their_names_as_well_L25(school):
    before = school.rows("invoices")
    held = plan(school, "user.financial")

    take_apart(school, held)

    assert set(held.tables) == {"app.invoices"}
    assert held.waiting == {"app.companies": "app.invoices"}
    assert school.rows("invoices") == before


def test_a_dry_run_leaves_out_what_is_held_L25_L27(school):
    held = plan(school, "user.content")

    statements = preview(school.datamap, school.sources, COMPANY, spared=held.spared)

    changed = {each.table for each in statements if each.purpose == "delete rows"}
    assert changed
    assert not changed & held.spared


@pytest.mark.parametrize("category", ["user.content", "user", "system.operations"])
def test_a_category_that_is_there_can_be_held(school, category):
    require_category(school.datamap, category)
