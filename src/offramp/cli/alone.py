"""How a command works on a data map alone: no installation, no store, nobody registered.

Source: docs/data-engine.md.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.exc import ArgumentError

from offramp.adapters.desk_folder import FolderDesk
from offramp.adapters.ids import RandomIds
from offramp.adapters.lock_file import hold_lock
from offramp.cli.opening import open_others
from offramp.cli.option import OptionMissing, OptionsClash
from offramp.cli.output import FileUnwritable
from offramp.cli.progress import Watcher
from offramp.core.errors import Refused
from offramp.data.erasure.fence import CONNECTIONS
from offramp.data.erasure.job import Job, run
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.scope import Scope, described
from offramp.data.sources.sql import open_sources
from offramp.documents.datamap import load_datamap
from offramp.engine.context import Data

VERSION = version("offramp")

Organization = Annotated[
    str | None, typer.Argument(metavar="ORG", help="The organization's id.", show_default=False)
]
OrganizationOption = Annotated[
    str | None, typer.Option("--organization", metavar="ID", help="The same as ORG.")
]
Member = Annotated[str | None, typer.Option(help="Only this member's data.")]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="MAP", help="A data map, to work without an installation."),
]


class NotConfirmed(Refused):
    """Nothing was erased, because nobody confirmed that {subject} is meant."""


@contextmanager
def opened(file: Path) -> Iterator[Data]:
    """Read a data map and open what it names, for as long as the block runs."""
    datamap = load_datamap(file)
    sources = open_sources(datamap, environment=os.environ)
    others = open_others(datamap)
    try:
        yield Data(datamap=datamap, sources=sources, others=others)
    finally:
        for source in sources.values():
            source.close()
        for other in others.values():
            other.close()


@contextmanager
def exclusive(data: Data, scope: Scope, *, file: Path) -> Iterator[None]:
    """Keep every other process of this machine from an organization, and from a file.

    Raises:
        WorkInProgress: another one is at it.
    """
    subject = described(Scope(organization=scope.organization))
    places = [_place(spec.url) for spec in data.datamap.databases.values()]
    with ExitStack() as stack:
        stack.enter_context(hold_lock(f"file {file.resolve()}", subject=str(file)))
        name = "\0".join(("organization", scope.organization, *sorted(places)))
        stack.enter_context(hold_lock(name, subject=subject))
        yield


def read_organization(argument: str | None, option: str | None) -> str:
    """Take the organization from the one place where it was given.

    Raises:
        OptionsClash: it was given twice.
        OptionMissing: it was not given.
    """
    if argument is not None and option is not None:
        raise OptionsClash(options="ORG and --organization")
    given = option if argument is None else argument
    if given is None:
        raise OptionMissing(option="--organization", hint="whose data? give the key of one row")
    return given


def confirm(subject: str, *, word: str) -> None:
    """Have a word typed by a person who means it.

    Raises:
        NotConfirmed: something else was typed, or there is nobody who could.
    """
    if not sys.stdin.isatty():
        hint = "there is no terminal to ask at; give --yes if you mean it"
        raise NotConfirmed(subject=subject, hint=hint)
    typed = typer.prompt(f"This erases {subject} for good. Type {word} to go on", err=True)
    if str(typed).strip() != word:
        raise NotConfirmed(subject=subject, hint=f"type {word} exactly")


def work(data: Data, desk: FolderDesk, *, connections: int = CONNECTIONS) -> None:
    """Carry an erasure out, as far as an earlier run has not, and leave its certificate alone.

    Args:
        data: the map, and its sources, open.
        desk: whose data, and where what outlives a crash is kept.
        connections: so many chunks delete at once, where the database allows it.

    Raises:
        FileUnwritable: the disk does not take what has to be kept.
    """
    watcher = Watcher()

    @cache
    def totals() -> Mapping[str, int]:
        tombstone = desk.read("tombstone", Tombstone)
        tables = {} if tombstone is None else tombstone.tables
        return {table: digest.rows for table, digest in tables.items()}

    def progress(table: str, rows: int) -> None:
        watcher("erase", {"table": table, "rows": rows, "of": totals().get(table)})

    try:
        with watcher.shown():
            run(
                Job(
                    datamap=data.datamap,
                    sources=data.sources,
                    others=data.others,
                    scope=desk.scope,
                    desk=desk,
                    elapsed=time.monotonic,
                    connections=connections,
                    pause=time.sleep,
                    progress=progress,
                )
            )
        desk.close()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnwritable(file=str(error.filename or desk.folder), reason=reason) from error


def chance() -> bytes:
    """Give a key that nobody knows, for as long as this process lives."""
    ids = RandomIds()
    return f"{ids.new()}{ids.new()}".encode()


def _place(address: str) -> str:
    """Name a source without its password, so that two maps of one database are known as such."""
    if address.startswith("env:"):
        address = os.environ.get(address.removeprefix("env:"), address)
    try:
        url = sa.make_url(address).set(username=None, password=None)
    except ArgumentError:
        return address
    if url.database and url.drivername.startswith("sqlite"):
        url = url.set(database=str(Path(url.database).resolve()))
    return str(url)
