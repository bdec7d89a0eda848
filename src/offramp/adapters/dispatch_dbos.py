"""The queue of work on DBOS Transact, which keeps it in tables of its own in the store's database.

Everything that knows DBOS lives here. It is used for what it is good at: a queue that is written
in our transaction and spread over threads of many processes. Nothing sleeps in it, nothing is
recovered by it, and no decision is read from it: a ticket names an off-boarding and an attempt, and
the store says what they are worth.

Source: docs/decisions/019-workers.md; DBOS, "Workflows & Queues" and "DBOS Client".
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dbos import DBOS, DBOSClient, WorkflowSerializationFormat
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from whenever import Instant

from offramp.adapters.store.connection import is_postgresql
from offramp.adapters.store.part import Part, batches
from offramp.ports import StoreUnavailable, Ticket, Transaction

APPLICATION = "offramp"
QUEUE = "offramp"
CARRY_OUT = "carry-out"
# Tickets mean the same in every version of Offramp, so that an old and a new one may work side by
# side. By default DBOS would give them to the version that wrote them, and to no other.
VERSION = "offramp-1"
POLL_SECONDS = 0.1
CONNECTIONS = 4  # of DBOS itself; each is needed for a moment
COMPLETION_SECONDS = 2  # for DBOS to write down what has come back already

# One statement for any number of tickets: twenty times as fast as its client, row by row.
_ENQUEUE = text("""
SELECT count(dbos.enqueue_workflow(
    :workflow, :queue, ARRAY[to_json(ticket.id), to_json(ticket.attempt)],
    workflow_id => ticket.name, app_version => :version, application_name => :application
))
FROM unnest(
    CAST(:ids AS text[]), CAST(:attempts AS integer[]), CAST(:names AS text[])
) AS ticket (id, attempt, name)
""").bindparams(workflow=CARRY_OUT, queue=QUEUE, version=VERSION, application=APPLICATION)


class DbosQueue:
    """Spreads tickets over the processes that serve one store."""

    def __init__(self, engine: Engine, *, executor_id: str, concurrency: int) -> None:
        """Prepare a queue in the database of a store's engine.

        `executor_id` must be this process's own: DBOS gives work to run once more to whoever
        starts under the id of another. `concurrency` is how many tickets each process works on.
        """
        self._engine = engine
        self._executor_id = executor_id
        self._concurrency = concurrency
        self._client = DBOSClient(
            system_database_engine=engine,
            application_name=APPLICATION,
            retry_connection_errors=False,
            lazy=True,
        )

    @contextmanager
    def serving(self, handler: Callable[[Ticket], None]) -> Iterator[None]:
        """Carry out tickets on threads of this process while the block lasts.

        Raises:
            StoreUnavailable: the database cannot be reached at the beginning of the block.
        """
        try:
            self._launch(handler)
            yield
        finally:
            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=COMPLETION_SECONDS)

    def _launch(self, handler: Callable[[Ticket], None]) -> None:
        """Let DBOS make its tables and start its threads, which have connections of their own."""
        DBOS(
            config={
                "name": APPLICATION,
                "application_version": VERSION,
                "executor_id": self._executor_id,
                "system_database_url": self._engine.url.render_as_string(hide_password=False),
                "sys_db_pool_size": CONNECTIONS,
                "use_listen_notify": False,
                "log_level": "CRITICAL",  # what matters of an outage is told by the worker
            }
        )
        DBOS.workflow(name=CARRY_OUT)(_workflow_of(handler))
        try:
            DBOS.launch()
            DBOS.register_queue(
                QUEUE,
                worker_concurrency=self._concurrency,
                polling_interval_sec=POLL_SECONDS,
                on_conflict="always_update",
            )
        except DBAPIError as error:
            raise StoreUnavailable(reason=type(error.orig).__name__) from error

    def enqueue(self, tickets: Sequence[Ticket], *, transaction: Transaction) -> None:
        """Hand over tickets, in the transaction that claimed what they stand for."""
        assert isinstance(transaction, Part), "the queue is in the store's own database"
        connection = transaction.connection
        if is_postgresql(connection):
            if tickets:
                connection.execute(_ENQUEUE, _arrays(tickets))
            return
        for ticket in tickets:
            self._client.enqueue_in_transaction(
                connection,
                {
                    "workflow_name": CARRY_OUT,
                    "queue_name": QUEUE,
                    "workflow_id": _name(ticket),
                    "app_version": VERSION,
                    "serialization_type": WorkflowSerializationFormat.PORTABLE,
                },
                ticket.offboarding,
                ticket.attempt,
            )

    def waiting(self, *, limit: int) -> tuple[Ticket, ...]:
        """List tickets that no process has been given yet, oldest first."""
        return self._list(status="ENQUEUED", limit=limit)

    def begun(self, *, before: Instant, limit: int) -> tuple[Ticket, ...]:
        """List tickets that a process was given before an instant, and has not finished."""
        return self._list(status="PENDING", limit=limit, dequeued_before=before.format_iso())

    def finished(self, *, before: Instant, limit: int) -> tuple[Ticket, ...]:
        """List tickets that were finished before an instant and are still remembered."""
        ends = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        return self._list(status=ends, limit=limit, completed_before=before.format_iso())

    def forget(self, tickets: Sequence[Ticket]) -> None:
        """Remember tickets no longer."""
        for some in batches(tickets):
            self._client.delete_workflows([_name(ticket) for ticket in some])

    def _list(
        self,
        *,
        status: str | list[str],
        limit: int,
        dequeued_before: str | None = None,
        completed_before: str | None = None,
    ) -> tuple[Ticket, ...]:
        found = self._client.list_workflows(
            status=status,
            queue_name=QUEUE,
            dequeued_before=dequeued_before,
            completed_before=completed_before,
            limit=limit,
            load_input=False,
            load_output=False,
        )
        return tuple(_ticket(each.workflow_id) for each in found)


def _arrays(tickets: Sequence[Ticket]) -> dict[str, list[str] | list[int]]:
    return {
        "ids": [ticket.offboarding for ticket in tickets],
        "attempts": [ticket.attempt for ticket in tickets],
        "names": [_name(ticket) for ticket in tickets],
    }


def _workflow_of(handler: Callable[[Ticket], None]) -> Callable[[str, int], None]:
    def carry_out(offboarding: str, attempt: int) -> None:
        handler(Ticket(offboarding=offboarding, attempt=attempt))

    return carry_out


def _name(ticket: Ticket) -> str:
    """Name a ticket so that the same one cannot be handed over twice."""
    return f"{ticket.offboarding}:{ticket.attempt}"


def _ticket(name: str) -> Ticket:
    offboarding, _, attempt = name.rpartition(":")
    return Ticket(offboarding=offboarding, attempt=int(attempt))
