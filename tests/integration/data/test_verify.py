"""Zero, by a list that the erasure had no part in."""

import pytest
import sqlalchemy as sa

from offramp.data.erasure.worklist import Gone
from offramp.data.proof.verify import RowsRemain, require_clean, verify
from offramp.data.scope import Scope
from tests.integration.data.engine import unchecked
from tests.integration.data.school import COMPANY, KEY, MEMBER
from tests.integration.data.test_erase import bury, run


def look(school, scope, tombstone, *, gone=None):
    return verify(school.datamap, school.sources, scope, tombstone=tombstone, key=KEY, gone=gone)


def forget(school, text):
    """Change rows behind the back of every reference."""
    with unchecked(school.engine) as connection:
        connection.execute(sa.text(text))


@pytest.mark.parametrize("scope", [COMPANY, MEMBER], ids=["company", "member"])
def test_after_an_erasure_everything_is_counted_and_nothing_found(school, scope):
    """A10, L21."""
    tombstone = bury(school, scope)
    school.run("DELETE FROM audit")
    run(school, scope, tombstone=tombstone)

    found = look(school, scope, tombstone)

    assert found.clean
    assert {"app.users", "app.grants", "app.certificates", "app.notes"} <= set(found.checked)
    require_clean(found)


def test_before_an_erasure_every_table_is_counted(school):
    found = look(school, COMPANY, bury(school, COMPANY))

    assert found.counts["app.users"] == 4
    assert found.counts["app.certificates"] == 3
    assert found.counts["app.grants"] == 8
    assert found.retained == {"app.invoices": 3}
    with pytest.raises(RowsRemain, match=r"app\.users"):
        require_clean(found)


def test_a_table_that_the_map_does_not_know_is_counted(school):
    """L21: the list is the catalog's."""
    tombstone = bury(school, COMPANY)
    run(school, COMPANY, tombstone=tombstone)
    school.run("CREATE TABLE late (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES users (id))")
    school.run("INSERT INTO late VALUES (1, 200)")

    others = look(school, Scope(organization="200"), tombstone)

    assert look(school, COMPANY, tombstone).clean
    assert others.counts["app.late"] == 1


@pytest.mark.parametrize("knows", [False, True], ids=["whoever asks", "who knows what went"])
def test_a_row_that_lost_its_parent_is_found(school, knows):
    gone = Gone() if knows else None
    tombstone = bury(school, COMPANY)
    run(school, COMPANY, tombstone=tombstone, gone=gone)
    forget(school, "INSERT INTO certificates (id, enrolment_id) VALUES (150, 100)")

    found = look(school, COMPANY, tombstone, gone=gone)

    assert found.orphans["app.certificates"] == 1
    assert not found.clean


def test_a_row_that_lost_a_parent_of_somebody_else_is_not_held_against_who_knows_what_went(school):
    gone = Gone()
    tombstone = bury(school, COMPANY)
    run(school, COMPANY, tombstone=tombstone, gone=gone)
    forget(school, "INSERT INTO certificates (id, enrolment_id) VALUES (950, 999)")

    assert look(school, COMPANY, tombstone, gone=gone).clean
    assert look(school, COMPANY, tombstone).orphans["app.certificates"] == 1


def test_a_mark_left_in_a_text_or_in_json_is_residue(school):
    """L21, L22: an e-mail address in somebody else's words."""
    tombstone = bury(school, COMPANY)
    run(school, COMPANY, tombstone=tombstone)
    school.run("UPDATE comments SET body = 'ask <User1@company1.example>.' WHERE id = 205")
    school.run(
        """UPDATE audit SET payload = '{"to"\\: ["user2@company1.example"]}' WHERE id = 200"""
    )

    found = look(school, COMPANY, tombstone)

    assert found.residue == {"app.audit.payload": 1, "app.comments.body": 1}
    assert "user1" not in found.model_dump_json()


def test_a_mark_that_a_sibling_carries_is_the_siblings(school):
    school.run("UPDATE users SET email = 'user0@company2.example' WHERE id = 100")
    tombstone = bury(school, COMPANY)
    run(school, COMPANY, tombstone=tombstone)

    found = look(school, COMPANY, tombstone)

    assert found.residue == {}
    assert found.shared_marks == 1
    assert found.clean


def test_a_tombstone_names_nobody(school):
    """L23."""
    tombstone = bury(school, COMPANY)

    told = tombstone.model_dump_json()

    assert len(tombstone.marks) == 4
    assert "company1" not in told
    assert tombstone.tables["app.users"].rows == 4
    assert bury(school, COMPANY) == tombstone


def test_a_product_is_verified_by_the_tables_that_carry_it(school):
    scope = Scope(organization="100", product="notes")
    tombstone = bury(school, scope)
    run(school, scope, tombstone=tombstone)

    found = look(school, scope, tombstone)

    assert found.clean
    assert found.checked == ("app.notes", "app.shares")
