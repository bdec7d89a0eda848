"""A vendor whose customers leave: a sample application, an installation, a mail server, months.

Store and application are databases of the same kind, transactions are real, chunks are smaller
than the data. What belongs to an organization is found here by following every foreign key of the
live database, without the data map and without any code of ours.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from whenever import Date, Instant

from examples import note_taking, training_platform
from examples.note_taking import database as note_database
from examples.note_taking import roster as note_roster
from examples.note_taking.customers import TINY as NOTE_TINY
from examples.note_taking.generate import populate
from examples.training_platform import database as training_database
from examples.training_platform import roster as training_roster
from examples.training_platform.companies import TINY as TRAINING_TINY
from examples.training_platform.generate import generate
from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.bootstrap import build
from offramp.config import Settings
from offramp.documents.policy import find_policy
from offramp.documents.roster import read_members, read_organizations, read_pools
from offramp.engine.context import Context, Limits
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.sweep import run_until_quiet
from offramp.testing.clock import VirtualClock
from offramp.testing.postgres import fresh_database
from offramp.testing.smtp import SmtpCatcher

ENDS = Date(2024, 8, 30)
START = Instant.from_utc(2024, 8, 1)
SMALL = Limits(chunk_rows_max=3, mails_per_batch=3)
KINDS = ("sqlite", "postgresql")
# For a test whose subject is what a database does; the store keeps the same law on each of them.
on_each_kind = pytest.mark.parametrize("departure", KINDS, indirect=True)


@dataclass(frozen=True)
class Application:
    """One of the sample applications, and what Offramp is told about it."""

    package: ModuleType
    policy: str
    variable: str
    database: ModuleType
    roster: ModuleType
    root: str

    @property
    def datamap(self):
        return Path(self.package.__file__).parent / "datamap.yaml"

    def fill(self, engine):
        leaving_on = ENDS.to_stdlib()
        if self is TRAINING:
            generate(engine, seed=7, leaving_on=leaving_on, members=TRAINING_TINY)
        else:
            populate(engine, seed=7, leaving_on=leaving_on, sizes=NOTE_TINY)


TRAINING = Application(
    package=training_platform,
    policy="license-pool",
    variable="TRAINING_DATABASE_URL",
    database=training_database,
    roster=training_roster,
    root="companies",
)
NOTES = Application(
    package=note_taking,
    policy="edit-only-grace",
    variable="NOTES_DATABASE_URL",
    database=note_database,
    roster=note_roster,
    root="organizations",
)


@contextmanager
def fresh_databases(kind, folder, request, number=2):
    """Give the URLs of empty databases of one kind."""
    if kind == "sqlite":
        yield [f"sqlite:///{folder / f'{name}.sqlite'}" for name in range(number)]
        return
    server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as first, fresh_database(server) as second:
        yield [first, second]


@dataclass
class Departure:
    """An installation in virtual time beside the application that it works for."""

    application: Application
    context: Context
    clock: VirtualClock
    engine: sa.Engine
    store_engine: sa.Engine
    folder: Path
    catcher: SmtpCatcher

    @property
    def now(self):
        return self.clock.now()

    def run_until(self, text):
        """Let time pass until an instant, carrying out whatever falls due on its way."""
        end = Instant.parse_iso(text)
        while True:
            run_until_quiet(self.context)
            with self.context.store.transaction() as transaction:
                due_at = transaction.next_due_at()
            if due_at is None or due_at > end:
                self.clock.advance_to(max(end, self.now))
                return
            self.clock.advance_to(max(due_at, self.now))

    @property
    def mail(self):
        """Give what arrived: (civil UTC date, address, step as its Message-ID knows it)."""
        return [
            (
                parsedate_to_datetime(caught.message["Date"]).date().isoformat(),
                caught.recipients[0],
                caught.message,
            )
            for caught in self.catcher.messages
        ]

    def mail_to(self, address):
        return [(day, message["Subject"]) for day, to, message in self.mail if to == address]

    def members(self, organization):
        with self.context.store.transaction() as transaction:
            return transaction.members(organization)

    def steps(self, organization):
        """Give the receipts by step of the newest episode of the organization as a whole."""
        with self.context.store.transaction() as transaction:
            rows = [
                row for row in transaction.offboardings(organization) if row.subject.member is None
            ]
            return {
                (row.subject.product, step.key): step
                for row in rows
                for step in transaction.steps(row.id)
            }

    def belongings(self, organization):
        """Give every row from which foreign keys lead to an organization, table by table."""
        return follow_keys(self.engine, self.application.root, organization)

    def store_tables(self):
        return dump(self.store_engine)


@contextmanager
def depart(application, kind, folder, request, *, start=START, datamap=None, **settings):
    """Set up an application, fill it, import its roster, and stand at the beginning.

    What else is given are settings.
    """
    with (
        pytest.MonkeyPatch.context() as environment,
        fresh_databases(kind, folder, request) as (app_url, store_url),
        SmtpCatcher() as catcher,
        ExitStack() as closing,
    ):
        application.database.migrate(app_url)
        engine = application.database.open_engine(app_url)
        closing.callback(engine.dispose)
        application.fill(engine)
        application.roster.write_roster(engine, folder / "roster")
        environment.setenv(application.variable, app_url)
        keys = FolderKeys(folder / "offramp" / "keys")
        store_engine = connect(store_url)
        closing.callback(store_engine.dispose)
        migrate(store_engine)
        clock = VirtualClock(start)
        context = build(
            Settings(
                folder=folder / "offramp",
                datamap=datamap or application.datamap,
                private_addresses=True,  # a service of the tests is on this machine
                mail_host=catcher.host,
                mail_port=catcher.port,
                mail_security="none",
                **settings,
            ),
            store=SqlStore(store_engine, ledger_key=keys.ledger_key()),
            keys=keys,
            clock=clock,
            limits=SMALL,
            report=lambda event, facts: None,
        )
        for source in (*context.data.sources.values(), *context.data.others.values()):
            closing.callback(source.close)
        enroll(context, application.policy, folder / "roster")
        yield Departure(application, context, clock, engine, store_engine, folder, catcher)


def enroll(context, policy, roster):
    """Publish the policy and take the roster over."""
    publish(context, find_policy(policy))
    register(
        context,
        organizations=list(chain(*read_organizations(roster / "organizations.csv"))),
        pools=list(chain(*read_pools(roster / "pools.csv"))),
        members=list(chain(*read_members(roster / "members.csv"))),
    )


def dump(engine):
    """Give every row of every table as plain values, sorted by their text."""
    found = {}
    with engine.connect() as connection:
        for name in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f'SELECT * FROM "{name}"')).mappings()
            found[name] = sorted((dict(row) for row in rows), key=repr)
    return found


def follow_keys(engine, root, key):
    """Collect the rows that lead to one row of the root along any foreign key, hop by hop."""
    tables = dump(engine)
    references = references_of(engine)
    mine = {name: [] for name in tables}
    mine[root] = [row for row in tables[root] if str(row["id"]) == key]
    is_growing = True
    while is_growing:
        is_growing = False
        for child, columns, parent, targets in references:
            keys = {tuple(row[t] for t in targets) for row in mine[parent]}
            for row in tables[child]:
                is_ours = tuple(row[c] for c in columns) in keys
                if is_ours and row not in mine[child]:
                    mine[child].append(row)
                    is_growing = True
    return {name: sorted(rows, key=repr) for name, rows in mine.items() if rows}


def references_of(engine):
    inspector = sa.inspect(engine)
    return [
        (name, key["constrained_columns"], key["referred_table"], key["referred_columns"])
        for name in inspector.get_table_names()
        for key in inspector.get_foreign_keys(name)
    ]
