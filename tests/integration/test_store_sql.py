"""The store on SQLite and PostgreSQL keeps every promise, with real commits."""

from dataclasses import replace
from functools import partial
from threading import Event as Signal
from time import sleep

import pytest
import sqlalchemy as sa

from offramp.adapters.store import schema
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.ledger import LedgerBroken, verify_chain
from offramp.core.policy import Audience
from offramp.core.transitions import StepStatus
from offramp.ports import OffboardingExists, OutboxEvent, StaleClaim
from offramp.testing.postgres import fresh_database
from tests.contract.store_contract import LEDGER_KEY, StoreContract
from tests.contract.store_fence_contract import STOPPERS, MarkerContract
from tests.contract.store_proof_contract import OPENED
from tests.contract.store_schedule_contract import DONE, STEP, save_step
from tests.contract.store_world import (
    ACME,
    ANNA,
    HOLD,
    LATER,
    LEAVING,
    NOW,
    SIBLING,
    UNLOCK,
    chunk,
    claim,
    claim_one,
    fill,
    leaving,
    read,
)
from tests.integration.waiting import in_threads

LOCK_WAIT_SECONDS = 0.2
OVERLAP_SECONDS = 0.05
PATIENCE_SECONDS = 10
WORKERS = 4
DUE_ROWS = 1000


@pytest.fixture(scope="module")
def sqlite_engine(tmp_path_factory):
    file = tmp_path_factory.mktemp("store") / "store.sqlite"
    yield from migrated(f"sqlite:///{file}")


@pytest.fixture(scope="module")
def postgresql_engine(postgres_server):
    with fresh_database(postgres_server) as url:
        yield from migrated(url)


def migrated(url):
    engine = connect(url, lock_wait_seconds=LOCK_WAIT_SECONDS)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    """Give a migrated database of each kind, emptied; making one anew takes much longer."""
    return emptied(request.getfixturevalue(f"{request.param}_engine"))


def emptied(engine):
    with engine.begin() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(table.delete())
    return engine


@pytest.fixture
def store(engine):
    return SqlStore(engine, ledger_key=LEDGER_KEY)


class Patient:
    """A slow machine may keep a thread waiting for longer than people would."""

    @pytest.fixture
    def store(self, engine):
        url = engine.url.render_as_string(hide_password=False)
        patient = connect(url, lock_wait_seconds=PATIENCE_SECONDS)
        yield SqlStore(patient, ledger_key=LEDGER_KEY)
        patient.dispose()


def look(store):
    """Say how much is due, and whether destruction is paused."""
    with store.reading() as transaction:
        return transaction.workload(now=NOW, until=NOW).due, transaction.is_paused()


class TestSqlStore(StoreContract):
    """Both databases, the whole contract."""


class TestSqliteMarker(MarkerContract):
    """SQLite has no row locks, so a chunk leaves a marker."""

    @pytest.fixture
    def engine(self, sqlite_engine):
        return emptied(sqlite_engine)


class TestLooking:
    """Whoever watches asks every few seconds, however many have ever left."""

    def test_counting_what_there_is_to_do_reads_no_table_whole(self, sqlite_engine):
        asked = []

        def hear(connection, cursor, statement, parameters, context, executemany):
            asked.append((statement, parameters))

        sa.event.listen(sqlite_engine, "before_cursor_execute", hear)
        look(SqlStore(sqlite_engine, ledger_key=LEDGER_KEY))
        sa.event.remove(sqlite_engine, "before_cursor_execute", hear)

        with sqlite_engine.begin() as connection:
            plans = {
                step.detail
                for statement, parameters in asked
                if "FROM offboarding" in statement or "FROM step" in statement
                for step in connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
            }
        assert len(plans) >= 4
        assert [each for each in plans if each.startswith("SCAN")] == []


class TestConcurrency(Patient):
    """Several workers and people at the same time."""

    def test_whoever_looks_waits_for_nobody_who_writes_and_sees_what_was_committed(self, store):
        fill(store, LEAVING)

        with store.transaction() as writing:
            writing.set_paused(is_paused=True, now=NOW)
            (during,) = in_threads(lambda: look(store))

        assert during == (1, False)
        assert look(store) == (1, True)

    def test_whoever_looks_holds_nobody_up_who_writes(self, store):
        fill(store, LEAVING)

        with store.reading() as reading:
            (claimed,) = in_threads(lambda: claim(store))
            seen = reading.workload(now=NOW, until=NOW)

        assert len(claimed) == 1
        assert seen.due + seen.running == 1

    def test_changes_at_once_are_all_counted_and_nobody_waits_for_ever(self, store):
        fill(store)
        first = [store.revision(each) for each in ("acme", "sibling")]

        def write(one, other, member):
            for is_blocked in (True, False) * 10:
                with store.transaction() as transaction:
                    for organization in (one, other):
                        transaction.set_block(organization, member=member, is_blocked=is_blocked)
                    transaction.append([replace(OPENED, offboarding=None)])

        in_threads(
            *(partial(write, "acme", "sibling", f"a{number}") for number in range(2)),
            *(partial(write, "sibling", "acme", f"b{number}") for number in range(2)),
        )

        grown = [
            int(store.revision(each).partition(".")[0]) - int(before.partition(".")[0])
            for each, before in zip(("acme", "sibling"), first, strict=True)
        ]
        assert grown == [4 * 20, 4 * 20]

    def test_many_rows_in_one_transaction_are_one_change(self, store):
        fill(store)
        before = store.revision("acme")

        with store.transaction() as transaction:
            transaction.put_members([replace(ANNA, id=f"m{number}") for number in range(500)])
            transaction.put_members([replace(ANNA, id=f"n{number}") for number in range(500)])

        assert int(store.revision("acme").partition(".")[0]) == int(before.partition(".")[0]) + 1

    def test_each_due_row_is_claimed_by_exactly_one_worker(self, store):
        """L42: a thousand rows, four workers, small batches."""
        rows = [leaving(f"m{number:04}") for number in range(DUE_ROWS)]
        fill(store, *rows)

        def sweep():
            claimed = []
            while batch := claim(store, limit=30):
                claimed += [(row.id, row.attempt) for row in batch]
            return claimed

        claimed = sorted(row for each in in_threads(*[sweep] * WORKERS) for row in each)

        assert claimed == [(row.id, 1) for row in rows]

    def test_each_delivery_is_taken_by_exactly_one_worker(self, store):
        """L8."""
        people = [replace(ANNA, id=f"m{number:03}") for number in range(200)]
        fill(store, LEAVING, members=people)
        with store.transaction() as transaction:
            transaction.fan_out(LEAVING, step="warn", audience=Audience.MEMBERS)

        def send():
            taken = []
            while batch := read(
                store, lambda t: t.take_deliveries("leaving", step="warn", now=NOW, limit=7)
            ):
                taken += [delivery.member for delivery in batch]
            return taken

        taken = sorted(member for each in in_threads(*[send] * WORKERS) for member in each)

        assert taken == [person.id for person in people]

    def test_writers_at_once_leave_a_ledger_without_gaps(self, store):
        """L41."""

        def write():
            for _ in range(10):
                with store.transaction() as transaction:
                    transaction.append([OPENED, OPENED])

        in_threads(*[write] * WORKERS)

        entries, head = read(store, lambda t: (t.ledger(), t.ledger_head()))
        assert verify_chain(entries, key=LEDGER_KEY, heads=[head]) == WORKERS * 20

    def test_a_step_that_begins_while_a_version_is_published_keeps_its_dates(self, store):
        """S4: the worker was first, so the publication waits, and then leaves it alone."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        begun, moved = Signal(), []

        def begin():
            with store.transaction() as transaction:
                transaction.save_step(STEP, claimed=claimed, expected=None)
                begun.set()
                sleep(OVERLAP_SECONDS)

        def publish():
            begun.wait(PATIENCE_SECONDS)
            moved.append(read(store, lambda t: t.repin({"leaving": LATER}, version=2)))

        in_threads(begin, publish)

        assert moved == [0]
        assert read(store, lambda t: t.offboarding("leaving")).policy_version == 1

    @pytest.mark.parametrize("stop", ["hold", "pause"])
    def test_a_chunk_that_begins_while_somebody_decides_sees_the_decision(self, store, stop):
        """L18: whoever stops deletion was first, so the chunk waits and judges afterwards."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        decided, seen = Signal(), []

        def decide():
            with store.transaction() as transaction:
                STOPPERS[stop](transaction)
                decided.set()
                sleep(OVERLAP_SECONDS)

        def delete():
            decided.wait(PATIENCE_SECONDS)
            with chunk(
                store, claimed, judge=lambda t: seen.extend([t.holds("acme"), t.is_paused()])
            ):
                pass

        in_threads(decide, delete)

        assert seen == {"hold": [(HOLD,), False], "pause": [(), True]}[stop]

    def test_a_reactivation_that_came_first_refuses_the_chunk(self, store):
        """L18."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        locked = Signal()

        def reactivate():
            with store.transaction() as transaction:
                row = transaction.lock("leaving", now=NOW)
                locked.set()
                sleep(OVERLAP_SECONDS)
                transaction.save_offboarding(replace(row, episode=2), expected_episode=1)

        def delete():
            locked.wait(PATIENCE_SECONDS)
            with pytest.raises(StaleClaim), chunk(store, claimed):
                pass

        in_threads(reactivate, delete)

    def test_a_member_who_is_told_of_during_the_erasure_goes_too(self, store, engine):
        """L22, L30: the erasure waits for whoever was first and takes what they brought."""
        fill(store, members=[])
        told = Signal()

        def tell():
            with store.transaction() as transaction:
                transaction.put_members([ANNA])
                told.set()
                sleep(OVERLAP_SECONDS)

        def forget():
            told.wait(PATIENCE_SECONDS)
            with store.transaction() as transaction:
                transaction.forget("acme", member=None, at=NOW)

        in_threads(tell, forget)

        assert ANNA.name not in everything(engine)

    def test_two_openings_of_the_same_subject_give_one_episode(self, store):
        fill(store)

        def open_one(name):
            try:
                with store.transaction() as transaction:
                    transaction.open_offboardings([replace(LEAVING, id=name)])
                    sleep(OVERLAP_SECONDS)
            except OffboardingExists:
                return "refused"
            return "opened"

        outcomes = in_threads(partial(open_one, "a"), partial(open_one, "b"))

        assert sorted(outcomes) == ["opened", "refused"]
        assert len(read(store, lambda t: t.offboardings())) == 1


class TestPostgresqlWaiting(Patient):
    """PostgreSQL has true locks, so whoever stops deletion waits instead of asking again."""

    @pytest.fixture
    def engine(self, postgresql_engine):
        return emptied(postgresql_engine)

    @pytest.mark.parametrize("stop", STOPPERS.values(), ids=STOPPERS)
    def test_whoever_stops_deletion_waits_for_one_chunk_and_wins(self, store, stop):
        fill(store, LEAVING)
        claimed = claim_one(store)
        order, running = [], Signal()

        def delete():
            with chunk(store, claimed):
                running.set()
                sleep(OVERLAP_SECONDS)
                order.append("deleted")

        def decide():
            running.wait(PATIENCE_SECONDS)
            read(store, stop)
            order.append("decided")

        in_threads(delete, decide)

        assert order == ["deleted", "decided"]

    def test_a_server_that_was_restarted_is_found_again_without_a_word(self, engine):
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT 1")
        other = sa.create_engine(engine.url)
        with other.connect() as administrator:
            administrator.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        other.dispose()

        with engine.begin() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1

    def test_a_stream_of_chunks_does_not_keep_a_pause_out(self, store):
        """L26: chunks share the switch, and still each of them lets a waiting pause go first."""
        fill(store, leaving("anna"), leaving("ben"), leaving("cara"))
        paused = Signal()

        def delete(claimed):
            while not paused.is_set():
                with chunk(store, claimed):
                    sleep(OVERLAP_SECONDS / 2)

        def pause():
            sleep(OVERLAP_SECONDS)
            try:
                read(store, STOPPERS["pause"])
            finally:
                paused.set()

        in_threads(pause, *(partial(delete, claimed) for claimed in claim(store)))

        assert read(store, lambda t: t.is_paused())

    def test_a_claim_passes_over_a_row_with_a_chunk_in_flight(self, store):
        fill(store, LEAVING, leaving("anna"))
        claimed = claim(store)
        overdue = claimed[0].lease_until

        with chunk(store, next(row for row in claimed if row.id == "leaving"), now=overdue):
            again = claim(store, now=overdue)

        assert [row.id for row in again] == ["anna"]


class TestEmptiness:
    """Nothing personal is left behind."""

    def test_after_forgetting_no_column_holds_a_name_or_an_address(self, store, engine):
        """L30."""
        fill(store, LEAVING, leaving("anna"))
        save_step(store, STEP)
        save_step(store, DONE, expected=StepStatus.STARTED)
        claimed = next(row for row in claim(store) if row.id == "leaving")
        with chunk(store, claimed) as record:
            record.record("notes", 12)
        with store.transaction() as transaction:
            transaction.place_hold(HOLD)
            transaction.grant_unlock(UNLOCK)
            transaction.set_block("acme", member="anna", is_blocked=True)
            transaction.fan_out(LEAVING, step="warn", audience=Audience.MEMBERS)
            transaction.append([OPENED])
            transaction.put_events(
                [OutboxEvent(id="e", kind="k", at=NOW, organization="acme", member="anna")]
            )
        personal = ["Acme Limited", "@acme.example", "Björk", "Okafor", "Lindqvist", "Olga", "Sam"]
        before = everything(engine)
        assert all(name in before for name in personal)

        with store.transaction() as transaction:
            transaction.forget("acme", member=None, at=NOW)

        after = everything(engine)
        assert [name for name in personal if name in after] == []
        assert SIBLING.name in after

    def test_after_forgetting_a_member_nobody_knows_the_member(self, store, engine):
        """L30."""
        fill(store, leaving("anna"))

        with store.transaction() as transaction:
            transaction.forget("acme", member="anna", at=NOW)

        after = everything(engine)
        assert ANNA.name not in after
        assert ANNA.email not in after
        assert ACME.name in after


class TestProof:
    """The ledger against somebody with access to the database."""

    @pytest.mark.parametrize(
        "edit",
        [
            "UPDATE ledger SET actor = 'user' WHERE number = 2",
            "UPDATE ledger SET detail = '{\"rows\": 13}' WHERE number = 3",
            "DELETE FROM ledger WHERE number = 2",
            "DELETE FROM ledger WHERE number = 3",
            "UPDATE ledger SET number = number + 10 WHERE number = 1",
        ],
    )
    def test_an_edit_of_the_rows_is_detected(self, store, engine, edit):
        """L41."""
        with store.transaction() as transaction:
            transaction.append([OPENED] * 3)
        anchored = read(store, lambda t: t.ledger_head())

        with engine.begin() as connection:
            connection.exec_driver_sql(edit)

        with pytest.raises(LedgerBroken):
            verify_chain(read(store, lambda t: t.ledger()), key=LEDGER_KEY, heads=[anchored])


def everything(engine):
    """Give the text of every value of every table."""
    found = []
    with engine.begin() as connection:
        tables = sa.inspect(connection).get_table_names()
        assert set(schema.metadata.tables) <= set(tables)
        for table in tables:
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"')):
                found += [str(value) for value in row]
    return "\n".join(found)
