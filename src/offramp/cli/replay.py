"""`offramp replay`: after a backup was restored, what had been erased is erased again.

The certificates are the record, and lie outside of the database that came back. In an installation
they are those of its vault; with ``--map`` those of a folder.

Source: lesson L29; docs/decisions/016-replay.md; docs/data-engine.md.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from offramp.adapters.clock import SystemClock
from offramp.adapters.desk_folder import FolderDesk, Given
from offramp.adapters.record_folder import Record, read_records
from offramp.cli.alone import VERSION, Map, confirm, exclusive, opened, work
from offramp.cli.certificate import read_trusted_key
from offramp.cli.opening import open_context
from offramp.cli.option import OptionMissing, read_instant
from offramp.cli.output import (
    AsJson,
    guarded,
    read_file,
    show_error,
    show_json,
    show_table,
    show_text,
)
from offramp.config import load_settings
from offramp.core.errors import OfframpError
from offramp.data.elsewhere import ask_about_remains
from offramp.data.handover.export import digest
from offramp.data.proof.certificate import public_key_of
from offramp.data.proof.signing_key import read_signing_key
from offramp.data.scope import described
from offramp.engine.context import Data
from offramp.engine.replay import note_replay, unless_paused
from offramp.engine.work import DataMapMissing

AGAIN, GONE, WOULD, FAILED = "erased again", "gone already", "would be erased again", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Where a replay finds its records and data, and who is asked and told."""

    data: Data
    records: Path
    public_keys: tuple[bytes, ...]
    signing_key: bytes | None
    guard: Callable[[], AbstractContextManager[None]] = nullcontext
    note: Callable[[Mapping[str, Any], Mapping[str, Any]], None] = field(default=lambda *_: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one record."""

    record: Record
    outcome: str
    rows: int = 0
    certificate: Path | None = None
    error: OfframpError | None = None


@guarded
def replay(
    since: Annotated[str, typer.Option(metavar="INSTANT", help="When the backup was taken.")],
    datamap: Map = None,
    records: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the certificates are kept.")
    ] = None,
    public_key: Annotated[
        list[str], typer.Option(metavar="KEY", help="A key that signed them. Repeatable.")
    ] = [],  # noqa: B006 (Typer reads the default and never shares it)
    signing_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your private Ed25519 key.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be erased again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase again, after a backup was restored, what had been erased since it was taken."""
    began = read_instant("--since", since)
    if datamap is None:
        setting = _installed(records)
    else:
        setting = _alone(datamap, records, public_key=public_key, signing_key=signing_key)
    with setting as given:
        found = read_records(given.records, public_keys=given.public_keys, since=began)
        present = [record for record in found if not _is_gone(given.data, record)]
        if present and not dry_run and not yes:
            _list(present)
            confirm("everything that is listed above", word=str(len(present)))
        outcomes = [_replay(given, record, present, is_dry_run=dry_run) for record in found]
    _show(outcomes, as_json=as_json)
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in failed[1:]:
        show_error(error, as_json=as_json)
    if failed:
        raise failed[0]


@contextmanager
def _installed(records: Path | None) -> Iterator[Replay]:
    """Take everything from the installation; only the folder may be another copy of the proofs."""
    context = open_context(with_data=True)
    if context.data is None:
        raise DataMapMissing(step="replay", hint="set OFFRAMP_DATAMAP to the data map file")
    yield Replay(
        data=context.data,
        records=records or load_settings().folder / "vault" / "proofs",
        public_keys=context.keys.public_keys(),
        signing_key=context.keys.signing_key(),
        guard=partial(unless_paused, context),
        note=partial(note_replay, context),
    )


@contextmanager
def _alone(
    datamap: Path, records: Path | None, *, public_key: list[str], signing_key: Path | None
) -> Iterator[Replay]:
    if records is None:
        raise OptionMissing(option="--records", hint="the folder with the certificates")
    key = None
    trusted = [read_trusted_key(each) for each in public_key]
    if signing_key is not None:
        key = read_signing_key(read_file(signing_key), file=str(signing_key))
        trusted.append(public_key_of(key))
    if not trusted:
        raise OptionMissing(option="--public-key", hint="only what a trusted key signed is erased")
    with opened(datamap) as data:
        yield Replay(data=data, records=records, public_keys=tuple(trusted), signing_key=key)


def _is_gone(data: Data, record: Record) -> bool:
    """Say whether not one row is there, retained ones included: they came back with their names."""
    elsewhere = ask_about_remains(data.datamap, data.sources, data.others, record.scope)
    digests = digest(data.datamap, data.sources, record.scope, elsewhere=elsewhere)
    return not any(table.rows for table in digests.values())


def _replay(given: Replay, record: Record, present: list[Record], *, is_dry_run: bool) -> Outcome:
    """Carry one record out; what stops it does not stop the others (L33)."""
    if record not in present:
        return Outcome(record=record, outcome=GONE)
    if is_dry_run:
        return Outcome(record=record, outcome=WOULD)
    try:
        with exclusive(given.data, record.scope, file=record.file):
            desk = _next_desk(given, record)
            work(given.data, desk)
    except OfframpError as error:
        return Outcome(record=record, outcome=FAILED, error=error)
    content = json.loads(read_file(desk.certificate))["certificate"]
    given.note(record.content, content)
    rows = sum(content["tables"].values())
    return Outcome(record=record, outcome=AGAIN, rows=rows, certificate=desk.certificate)


def _next_desk(given: Replay, record: Record) -> FolderDesk:
    """Open the desk of the next certificate beside the first one, or that of an unfinished one."""
    for number in count(1):
        desk = FolderDesk(
            certificate=record.file.with_name(f"{record.file.stem}.replay-{number}.json"),
            scope=record.scope,
            given=Given(version=VERSION, signing_key=given.signing_key, replay_of=record.sha256),
            clock=SystemClock().now,
            guard=given.guard,
        )
        if not desk.is_certified():
            return desk
        if desk.folder.exists():  # its process died with nothing left to do but this
            desk.close()
    raise AssertionError("there is always another number")


def _list(records: list[Record]) -> None:
    for record in records:
        show_text(f"{described(record.scope)}, erased at {record.erased_at.format_iso()}")


def _show(outcomes: list[Outcome], *, as_json: bool) -> None:
    if as_json:
        show_json([_as_data(outcome) for outcome in outcomes])
        return
    if not outcomes:
        show_text("No erasure ended since then.")
        return
    rows = [
        [
            described(each.record.scope),
            each.record.erased_at.format_iso(),
            each.outcome,
            str(each.rows or ""),
            str(each.certificate or ""),
        ]
        for each in outcomes
    ]
    show_table(["subject", "erased at", "now", "rows", "certificate"], rows)


def _as_data(each: Outcome) -> dict[str, Any]:
    return {
        "organization": each.record.scope.organization,
        "member": each.record.scope.member,
        "product": each.record.scope.product,
        "erased_at": each.record.erased_at.format_iso(),
        "original": str(each.record.file),
        "outcome": each.outcome,
        "rows": each.rows,
        "certificate": None if each.certificate is None else str(each.certificate),
        "error": None if each.error is None else str(each.error),
    }
