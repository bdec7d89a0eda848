"""What our role may not do, or may not see, is told by name before anything is changed (L16)."""

import pytest

from offramp.data.handover.export import digest
from offramp.data.restoration.document_reader import open_document
from offramp.data.sources.trouble import PermissionMissing, RowsHidden, SourceReadOnly
from tests.integration.data.leaving import come_back, take
from tests.integration.data.school import COMPANY, build_school
from tests.integration.data.trouble import (
    bury,
    clerk_of,
    is_gone,
    leave,
    set_in_every_session,
    siblings,
)


@pytest.fixture
def school(postgres_url):
    school = build_school(postgres_url)
    yield school
    school.sources["app"].close()
    school.engine.dispose()


@pytest.fixture
def clerk(school):
    with clerk_of(school) as clerk:
        yield clerk


def revoke(clerk, what):
    clerk.run(f'REVOKE {what} FROM "{clerk.name}"')


def grant(clerk, what):
    clerk.run(f'GRANT {what} TO "{clerk.name}"')


def test_a_role_that_owns_nothing_can_do_everything_that_is_needed(clerk, tmp_path):
    before = siblings(clerk)
    take(clerk, COMPANY, tmp_path / "out.json")
    leave(clerk)

    assert is_gone(clerk)
    come_back(clerk, tmp_path / "out.json")
    assert siblings(clerk) == before


@pytest.mark.parametrize(
    ("privilege", "told"),
    [
        ("DELETE ON shares", "DELETE ON shares"),
        ("UPDATE ON invoices", r"UPDATE \(company_id, contact, contact_email, memo\) ON invoices"),
        ("UPDATE ON teams", r"UPDATE \(lead_user_id\) ON teams"),
        ("SELECT ON courses", r"SELECT \(id, title\) ON courses"),
    ],
)
def test_a_missing_privilege_is_named_before_the_first_change(clerk, privilege, told):
    tombstone, whole = bury(clerk), clerk.everything(1)
    revoke(clerk, privilege)

    with pytest.raises(PermissionMissing, match=told) as caught:
        leave(clerk, tombstone)

    assert "GRANT" in caught.value.hint
    assert clerk.everything(1) == whole
    grant(clerk, privilege)
    leave(clerk, tombstone)
    assert is_gone(clerk)


def test_what_may_not_be_read_is_named_before_a_byte_is_written(clerk, tmp_path):
    revoke(clerk, "SELECT ON notes")

    with pytest.raises(PermissionMissing, match=r"SELECT \(at, .*\) ON notes"):
        take(clerk, COMPANY, tmp_path / "out.json")

    assert (tmp_path / "out.json").read_bytes() == b""


def test_a_column_that_is_never_exported_need_not_be_readable_for_an_export(clerk, tmp_path):
    """Least privilege: who only hands over need not see a password."""
    revoke(clerk, "SELECT ON users")
    grant(clerk, 'SELECT (id, company_id, team_id, email, "first name") ON users')

    manifest = take(clerk, COMPANY, tmp_path / "out.json")

    assert manifest.tables["app.users"].rows == 4
    with pytest.raises(PermissionMissing, match=r"SELECT \(secret\) ON users"):
        leave(clerk, bury(clerk))


def test_what_may_not_be_added_is_named_before_a_restore_begins(clerk, tmp_path):
    take(clerk, COMPANY, tmp_path / "out.json")
    leave(clerk)
    left = clerk.everything(1)
    revoke(clerk, "INSERT ON notes")

    with pytest.raises(PermissionMissing, match=r"INSERT \(.*\) ON notes"):
        come_back(clerk, tmp_path / "out.json")

    assert clerk.everything(1) == left
    grant(clerk, "INSERT ON notes")
    come_back(clerk, tmp_path / "out.json")
    with open_document(tmp_path / "out.json") as document:
        assert digest(clerk.datamap, clerk.sources, COMPANY) == document.manifest.digests()


def test_rows_that_a_policy_hides_are_an_error_and_not_fewer_rows(clerk):
    """L16: without this, an export would be smaller and an erasure would call itself complete."""
    clerk.run("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
    clerk.run("CREATE POLICY half ON notes USING (id % 2 = 0)")

    with pytest.raises(RowsHidden, match="notes") as caught:
        digest(clerk.datamap, clerk.sources, COMPANY)

    assert "BYPASSRLS" in caught.value.hint
    with pytest.raises(PermissionMissing, match="row-level security"):
        count_notes_without_asking_first(clerk)


def count_notes_without_asking_first(clerk):
    with clerk.sources["app"].snapshot() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM notes").scalar_one()


def test_a_database_that_takes_no_changes_is_told_before_the_first_one(school):
    tombstone, whole = bury(school), school.everything(1)
    set_in_every_session(school, "SET default_transaction_read_only = on")

    with pytest.raises(SourceReadOnly) as caught:
        leave(school, tombstone)

    assert "primary" in caught.value.hint
    assert school.everything(1) == whole
