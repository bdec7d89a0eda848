"""Whatever goes wrong ends in an error that says what to do, and a later run finishes (L36, L42).

The faults are real where a machine allows it: locks of other sessions, deadlocks, time limits,
sessions that the server ends. What a test cannot bring about, as a full disk of the server, is
raised by a trigger with the server's own code.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from offramp.core.errors import Uncertain
from offramp.data.datamap import SqlSourceSpec
from offramp.data.erasure.fence import TRIES_MAX
from offramp.data.handover.export import digest
from offramp.data.restoration.document_reader import ExportDamaged, open_document
from offramp.data.sources.sql import open_sql_source
from offramp.data.sources.trouble import (
    ChangeRefused,
    CommitUnknown,
    SourceBusy,
    SourceFailing,
    SourceFull,
    SourceReadOnly,
    SourceTooSlow,
    SourceUnavailable,
    StatementFailed,
)
from tests.integration.data import leaving
from tests.integration.data.leaving import come_back, data_of, take
from tests.integration.data.school import COMPANY, CountingFence, build_school
from tests.integration.data.trouble import (
    Pauses,
    bury,
    clerk_of,
    full_disk,
    impatient,
    is_gone,
    leave,
    reopened,
    set_in_every_session,
    siblings,
    size_of,
    wait_until,
)
from tests.integration.fault_proxy import NEVER, FaultProxy

FAILING = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'Zoë' USING ERRCODE = '{state}'; END $$;
CREATE TRIGGER fail BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION fail();
"""


@pytest.fixture
def pg_school(postgres_url):
    school = build_school(postgres_url)
    yield school
    school.sources["app"].close()
    school.engine.dispose()


@pytest.fixture
def file_school(sqlite_url):
    school = build_school(sqlite_url)
    yield school
    school.sources["app"].close()
    school.engine.dispose()


def lock_a_table(school):
    """Hold what a deletion of comments needs, as an application might that hangs."""
    connection = school.engine.connect()
    if school.engine.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("SELECT * FROM comments FOR UPDATE")
    return connection


def test_a_lock_that_stays_ends_in_an_error_and_a_later_run_finishes(school):
    impatient(school)
    before, tombstone = siblings(school), bury(school)
    holder = lock_a_table(school)
    pauses = Pauses()

    with pytest.raises(SourceBusy) as caught:
        leave(school, tombstone, pause=pauses)

    holder.close()
    assert caught.value.hint
    assert len(pauses) == TRIES_MAX
    assert pauses == sorted(pauses)
    assert len(school.everything(1)["comments"]) == 4
    leave(school, tombstone)
    assert is_gone(school)
    assert siblings(school) == before


def test_a_lock_that_is_let_go_is_waited_for(school):
    impatient(school)
    tombstone, holder = bury(school), lock_a_table(school)

    leave(school, tombstone, pause=Pauses(holder.close, after=2))

    assert is_gone(school)


def test_the_fence_is_let_go_before_every_further_try(school):
    """L18: whoever wants to stop the work does not wait for its tries to be used up."""
    impatient(school)
    fence, tombstone, holder = CountingFence(), bury(school), lock_a_table(school)

    with pytest.raises(SourceBusy):
        leave(school, tombstone, fence=fence)

    holder.close()
    assert fence.entered[-TRIES_MAX - 1 :] == [fence.entered[-1]] * (TRIES_MAX + 1)


def test_a_deadlock_with_the_application_is_tried_again(pg_school):
    """The application has one row and wants another; we have that one and want the first."""
    set_in_every_session(pg_school, "SET deadlock_timeout = '500ms'")
    tombstone = bury(pg_school)
    application = pg_school.engine.connect()
    application.exec_driver_sql("UPDATE users SET \"first name\" = 'Ann' WHERE id = 103")

    def has_come_to_wait():
        with pg_school.engine.connect() as other:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return other.exec_driver_sql(asked).scalar_one()

    def want_what_we_have():
        wait_until(has_come_to_wait)
        application.exec_driver_sql("UPDATE users SET \"first name\" = 'Ann' WHERE id = 100")
        application.commit()

    with ThreadPoolExecutor(1) as pool:
        wanting = pool.submit(want_what_we_have)
        pauses = Pauses(wanting.result)
        leave(pg_school, tombstone, pause=pauses, rows=16)

    application.close()
    assert len(pauses) == 1
    assert is_gone(pg_school)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("40001", SourceBusy),
        ("40P01", SourceBusy),
        ("53100", SourceFull),
        ("53200", SourceFull),
        ("57014", SourceTooSlow),
        ("57P01", SourceUnavailable),
        ("P0001", ChangeRefused),
    ],
)
def test_what_the_server_says_becomes_an_error_and_a_later_run_finishes(pg_school, state, error):
    before, tombstone = siblings(pg_school), bury(pg_school)
    pg_school.run(FAILING.format(state=state, table="users"))

    with pytest.raises(error) as caught:
        leave(pg_school, tombstone)

    assert caught.value.hint
    assert "Zoë" not in f"{caught.value} {caught.value.hint}"
    assert len(pg_school.everything(1)["users"]) == 4
    pg_school.run("DROP TRIGGER fail ON users")
    leave(pg_school, tombstone)
    assert is_gone(pg_school)
    assert siblings(pg_school) == before


def test_a_chunk_that_takes_too_long_is_made_smaller_and_succeeds(pg_school):
    """Two rows take longer than the server allows, and one does not."""
    tombstone = bury(pg_school)
    pg_school.run(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.4); RETURN OLD; END $$;"
        "CREATE TRIGGER dawdle BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION dawdle()"
    )
    set_in_every_session(pg_school, "SET statement_timeout = '700ms'")
    fence = CountingFence()

    leave(pg_school, tombstone, fence=fence, rows=16)

    assert is_gone(pg_school)
    assert ("app.users", 2) in fence.recorded, "one by each connection"


def test_a_statement_that_always_takes_too_long_ends_in_an_error(pg_school):
    pg_school.run(FAILING.format(state="57014", table="comments"))
    pauses = Pauses()

    with pytest.raises(SourceTooSlow, match="took too long") as caught:
        leave(pg_school, pause=pauses)

    assert "statement_timeout" in caught.value.hint
    assert len(pauses) == TRIES_MAX


def test_a_file_that_may_not_be_written_is_told_before_the_first_change(file_school):
    tombstone = bury(file_school)
    address = f"sqlite:///file:{file_school.engine.url.database}?mode=ro&uri=true"
    reader = reopened(file_school, address)
    before = file_school.everything(1)

    with pytest.raises(SourceReadOnly):
        leave(reader, tombstone)

    reader.sources["app"].close()
    assert file_school.everything(1) == before


def test_a_server_that_takes_no_more_connections_is_told(pg_school):
    pg_school.run("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0")
    url = sa.make_url(pg_school.url).set(username="crowd")
    crowd = reopened(pg_school, url)

    with pytest.raises(SourceUnavailable, match="no more connections"):
        digest(crowd.datamap, crowd.sources, COMPANY)

    crowd.sources["app"].close()
    pg_school.run("DROP ROLE crowd")


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("counted", [False, True], ids=["in chunks", "at once"])
def test_where_no_second_connection_is_to_be_had_one_deletes(pg_school, limit, counted):
    """The snapshot that is kept open meanwhile is a courtesy, too."""
    before = siblings(pg_school)
    with clerk_of(pg_school) as clerk:
        clerk.run(f'ALTER ROLE "{clerk.name}" CONNECTION LIMIT {limit}')

        leaving.leave(clerk, COMPANY, rows=2, connections=2, counted=counted)

    assert is_gone(pg_school)
    assert siblings(pg_school) == before


def end_our_sessions(school):
    with school.engine.connect() as other:
        other.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_server_that_restarts_between_two_chunks_is_not_even_noticed(pg_school):
    tombstone = bury(pg_school)

    class RestartingFence(CountingFence):
        def chunk(self, table):
            if len(self.entered) == 3:
                end_our_sessions(pg_school)
            return super().chunk(table)

    leave(pg_school, tombstone, fence=RestartingFence())

    assert is_gone(pg_school)


def test_a_disk_that_is_full_stops_a_deletion_and_a_later_run_finishes(file_school):
    before, tombstone = siblings(file_school), bury(file_school)

    with full_disk(bytes_max=size_of(file_school) // 2), pytest.raises(SourceFailing):
        leave(file_school, tombstone)

    leave(file_school, tombstone)
    assert is_gone(file_school)
    assert siblings(file_school) == before


def test_a_database_without_room_takes_nothing_back_until_there_is_some(file_school, tmp_path):
    """A restore that does not fit leaves nothing behind."""
    file = tmp_path / "out.json"
    take(file_school, COMPANY, file)
    leave(file_school)
    file_school.run("DELETE FROM invoices WHERE id < 200")
    with file_school.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM")
    left = file_school.everything(1)
    pages = size_of(file_school) // 4096
    set_in_every_session(file_school, f"PRAGMA max_page_count = {pages}")

    with pytest.raises(SourceFull):
        come_back(file_school, file)

    assert file_school.everything(1) == left
    set_in_every_session(file_school, f"PRAGMA max_page_count = {pages * 2}")
    come_back(file_school, file)
    take(file_school, COMPANY, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(file)


@pytest.fixture
def wire(pg_school):
    """Give the wire between us and the server."""
    folder = sa.make_url(pg_school.url).query["host"]
    with FaultProxy(f"{folder}/.s.PGSQL.5432") as proxy:
        proxy.last_words = b"COMMIT\0"
        yield proxy


@pytest.fixture
def far_school(pg_school, wire):
    """Give a school that is reached over a wire that can break."""
    url = sa.make_url(pg_school.url).set(host="127.0.0.1", port=wire.port, query={})
    far = reopened(pg_school, url)
    yield far
    far.sources["app"].close()


def test_a_wire_that_breaks_in_the_middle_of_an_export_leaves_no_document(
    far_school, wire, tmp_path
):
    """L36: what was written so far is never taken for an export."""
    take(far_school, COMPANY, tmp_path / "whole.json")
    file = tmp_path / "out.json"

    def cut(table, _rows):
        if table == "app.notes":
            wire.down_bytes_max = wire.down_bytes

    with pytest.raises(SourceUnavailable) as caught:
        take(far_school, COMPANY, file, progress=cut)

    assert caught.value.hint
    with pytest.raises(ExportDamaged), open_document(file):
        pass
    wire.down_bytes_max = NEVER
    take(far_school, COMPANY, file)
    assert data_of(file) == data_of(tmp_path / "whole.json")


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_wire_that_breaks_during_a_commit_leaves_open_what_a_later_run_finds_out(
    far_school, wire, is_kept
):
    """L37: kept or not, it is told as uncertain, and repeating it is harmless."""
    before, tombstone = siblings(far_school), bury(far_school)
    wire.is_losing_answer, wire.is_losing_question = is_kept, not is_kept

    with pytest.raises(CommitUnknown) as caught:
        leave(far_school, tombstone)

    assert isinstance(caught.value, Uncertain)
    assert caught.value.hint
    leave(far_school, tombstone)
    assert is_gone(far_school)
    assert siblings(far_school) == before


def test_a_wire_that_breaks_in_the_middle_of_a_chunk_takes_nothing(far_school, wire):
    before, tombstone = siblings(far_school), bury(far_school)
    whole = far_school.everything(1)

    class CuttingFence(CountingFence):
        def chunk(self, table):
            wire.up_bytes_max = wire.up_bytes + 200
            return super().chunk(table)

    with pytest.raises(SourceUnavailable):
        leave(far_school, tombstone, fence=CuttingFence())

    wire.up_bytes_max = NEVER
    assert far_school.everything(1) == whole
    leave(far_school, tombstone)
    assert is_gone(far_school)
    assert siblings(far_school) == before


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_wire_that_breaks_at_the_end_of_a_restore_leaves_all_or_nothing(
    far_school, wire, tmp_path, is_kept
):
    file, again = tmp_path / "out.json", tmp_path / "again.json"
    take(far_school, COMPANY, file)
    leave(far_school)
    left = far_school.everything(1)
    wire.is_losing_answer, wire.is_losing_question = is_kept, not is_kept

    with pytest.raises(CommitUnknown):
        come_back(far_school, file)

    assert (far_school.everything(1) == left) is not is_kept
    come_back(far_school, file)
    take(far_school, COMPANY, again)
    assert data_of(again) == data_of(file)


def test_two_workers_at_once_do_each_row_once_and_no_harm(school):
    """L42: with nobody who keeps them apart, neither fails and nothing is counted twice."""
    before, tombstone = siblings(school), bury(school)
    workers = [reopened(school, school.url) for _ in range(2)]
    fences = [CountingFence() for _ in workers]

    with ThreadPoolExecutor(2) as pool:
        works = [
            pool.submit(leave, worker, tombstone, fence=fence, pause=time.sleep)
            for worker, fence in zip(workers, fences, strict=True)
        ]
        for work in works:
            work.result()

    for worker in workers:
        worker.sources["app"].close()
    assert is_gone(school)
    assert siblings(school) == before
    deleted = sum(
        rows for fence in fences for table, rows in fence.recorded if table == "app.notes"
    )
    assert deleted == 5


@pytest.mark.parametrize("stream", ["json_blocks", "rows"])
def test_of_two_databases_the_one_that_fails_is_named(postgres_url, stream):
    spec = SqlSourceSpec(kind="sql", url=postgres_url, root="companies.id")
    billing, app = (open_sql_source(name, spec, environment={}) for name in ("billing", "app"))
    query = sa.select(sa.literal_column("(1 / 0)::text"))

    with (
        pytest.raises(StatementFailed) as caught,
        billing.snapshot() as connection,
        app.snapshot(),
        getattr(billing, stream)(connection, query) as blocks,
    ):
        list(blocks)

    assert caught.value.source == "billing"
    billing.close()
    app.close()


def test_whoever_interrupts_in_the_middle_of_a_statement_reads_nothing_of_a_driver(
    pg_school, caplog
):
    source = pg_school.sources["app"]

    def interrupted():
        with source.snapshot() as connection:
            connection.connection.driver_connection.pgconn.send_query(b"SELECT pg_sleep(60)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert caplog.records == []
    with source.snapshot() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
