"""Ways to make a database difficult, and what is true again once the difficulty is over."""

import resource
import time
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from offramp.data.erasure.erase import erase
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest
from offramp.data.sources.sql import open_sources
from tests.integration.data.school import COMPANY, KEY, CountingFence, metadata, no_progress, still

SECONDS_MAX = 20
TABLES = ", ".join(f'"{name}"' for name in metadata.tables)


class Pauses(list):
    """Notes how long was waited, and does something meanwhile."""

    def __init__(self, deed=lambda: None, *, after=1):
        super().__init__()
        self.deed, self.after = deed, after

    def __call__(self, seconds):
        self.append(seconds)
        if len(self) == self.after:
            self.deed()


def bury(school):
    digests = digest(school.datamap, school.sources, COMPANY)
    return take_tombstone(school.datamap, school.sources, COMPANY, key=KEY, digests=digests)


def leave(school, tombstone=None, *, fence=None, pause=None, rows=4):
    """Erase the first company in chunks of a few rows."""
    return erase(
        school.datamap,
        school.sources,
        COMPANY,
        key=KEY,
        fence=fence or CountingFence(),
        elapsed=still,
        tombstone=tombstone or bury(school),
        progress=no_progress,
        pause=Pauses() if pause is None else pause,
        chunk_rows_max=rows,
    )


def is_gone(school):
    """Say whether nothing of the first company is there but what is kept."""
    return {name for name, rows in school.everything(1).items() if rows} == {"invoices"}


def siblings(school):
    return [school.everything(company) for company in (2, 3)]


def impatient(school):
    """Let our sessions wait for others for a moment only."""
    settings = {
        "sqlite": "PRAGMA busy_timeout = 20",
        "postgresql": "SET lock_timeout = '50ms'",
        "mysql": "SET innodb_lock_wait_timeout = 0, lock_wait_timeout = 1",
    }
    set_in_every_session(school, settings[school.engine.dialect.name])


def set_in_every_session(school, statement):
    engine = school.sources["app"].engine
    engine.dispose()

    @sa.event.listens_for(engine, "connect")
    def settle(connection, _record):
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement)
        connection.commit()


def reopened(school, url):
    """Reach the same school by another address."""
    plain = school.datamap.model_dump(by_alias=True)
    plain["sources"]["app"]["url"] = str(url)
    datamap = type(school.datamap).model_validate(plain)
    return type(school)(str(url), school.engine, datamap, open_sources(datamap, environment={}))


@contextmanager
def clerk_of(school):
    """Give a school as a role sees it that is no owner and may do what is needed."""
    name = f"clerk_{school.engine.url.database}"
    school.run(f'CREATE ROLE "{name}" LOGIN')
    school.run(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLES} TO "{name}"')
    school.run(f'GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO "{name}"')
    seen = reopened(school, sa.make_url(school.url).set(username=name))
    seen.name = name
    try:
        yield seen
    finally:
        seen.sources["app"].close()
        school.run(f'DROP OWNED BY "{name}"')
        school.run(f'DROP ROLE "{name}"')


@contextmanager
def full_disk(*, bytes_max):
    """Let no file of this process grow beyond a limit, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def size_of(school):
    """Give the size of the file that an SQLite database is."""
    return Path(school.engine.url.database).stat().st_size


def wait_until(is_so):
    until = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.01)
