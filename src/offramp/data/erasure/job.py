"""One erasure from the first digest to the signed certificate, whoever asks for it.

The order is the law of this module: digest the live rows, compare them with what was handed over,
take the tombstone, delete in fenced chunks, verify (and again, where rows were written behind the
deletion's back), destroy the key, certify. Each part leaves a proof behind before the next begins,
so a run that died goes on where it was: the tombstone is taken once, from whole data; the deletion
finds what is left by itself; the key is destroyed only after the verification is on record; the
certificate comes last.

Source: mission A10, B6; lessons L15-L28.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from whenever import Instant

from offramp.data.datamap import DataMap
from offramp.data.elsewhere import Elsewhere, look_up_facts
from offramp.data.erasure.erase import ErasureResult, Progress, erase
from offramp.data.erasure.fence import CHUNK_ROWS_MAX, CONNECTIONS, Fence, at_once
from offramp.data.erasure.held import Held, attest_part, without_held
from offramp.data.erasure.tombstone import Tombstone, take_tombstone
from offramp.data.erasure.worklist import Gone
from offramp.data.handover.export import digest
from offramp.data.handover.hand_over import HandedOver, HandOver
from offramp.data.manifest import TableDigest
from offramp.data.proof.attestation import Conclusion, Erasure, attest
from offramp.data.proof.verify import Verification, require_clean, verify
from offramp.data.retention.keeping import Keeper
from offramp.data.retention.kept_ends import KeptEnds, count_ends
from offramp.data.scope import Scope
from offramp.data.sources.source import Errand, Receipt, Source
from offramp.data.sources.sql import SqlSource
from offramp.data.sources.trouble import RowsInTheWay

PASSES_MAX = 3  # over the tables: what is written during one is found by the next

_Proof = TypeVar("_Proof", bound=BaseModel)


class Desk(Protocol):
    """Where an erasure keeps what outlives a crash, and who it asks before it goes on."""

    def now(self) -> Instant:
        """Give the present instant."""

    def probe(self, point: str) -> None:
        """Hear of a point at which the process may die."""

    def read(self, proof: str, model: type[_Proof]) -> _Proof | None:
        """Read a proof back; none while it is not there, whole."""

    def write(self, proof: str, value: BaseModel) -> None:
        """Keep a proof; it exists whole or not at all."""

    def key(self) -> bytes:
        """Give the key of the subject's hashes, made on first use."""

    def destroy_key(self) -> bool:
        """Destroy the key in every copy; false where others of the organization still need it."""

    def erased_rows(self) -> Mapping[str, int]:
        """Give the rows that all runs have counted in their fences, per table."""

    def fence(self) -> Fence:
        """Give what every chunk is wrapped in."""

    def require_handed_over(self, digests: Mapping[str, TableDigest]) -> tuple[HandedOver, ...]:
        """Name the exports that equal the live rows; refuse where one was promised and does not."""

    def facts(self) -> Mapping[str, Any]:
        """Say, for the certificate, what this erasure belongs to."""

    def is_certified(self) -> bool:
        """Say whether the certificate is there."""

    def certify(self, content: Mapping[str, Any]) -> None:
        """Sign the certificate and keep it; it exists whole or not at all."""


class Whereabouts(BaseModel):
    """Values of the subject's own rows that lead to it outside of the databases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: Mapping[str, str] = {}


class ReceiptFile(BaseModel):
    """What the services that took part have signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeskReceipts:
    """Keeps receipts at the desk, where they outlive a crash."""

    desk: Desk

    def keep(self, receipt: Receipt) -> None:
        kept = self._kept()
        self.desk.write("receipts", ReceiptFile(receipts=(*kept, receipt)))

    def count(self, source: str, operation: str) -> int:
        found = (source, operation)
        return sum((receipt.source, receipt.operation) == found for receipt in self._kept())

    def _kept(self) -> tuple[Receipt, ...]:
        return (self.desk.read("receipts", ReceiptFile) or ReceiptFile()).receipts


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Whose rows go, from where, and at which desk that is kept."""

    datamap: DataMap
    sources: Mapping[str, SqlSource]
    scope: Scope
    desk: Desk
    elapsed: Callable[[], float]  # seconds on a clock that only runs forward
    progress: Progress
    keeper: Keeper | None = None
    chunk_rows_max: int = field(default=CHUNK_ROWS_MAX)
    connections: int = CONNECTIONS  # that delete at once
    pause: Callable[[float], None] = at_once  # waits for so many seconds
    others: Mapping[str, Source] = field(default_factory=dict)  # sources that are no database
    held: Held | None = None  # tables that wait while a data category is held


def run(job: Job) -> None:
    """Destroy a subject's data and certify it, as far as an earlier run has not.

    Raises:
        DataMapIncomplete: the map and the live catalog differ.
        RowsInTheWay, RowsRemain: there are still such rows after the last pass.
    """
    desk = job.desk
    if desk.is_certified():
        return
    erasure = desk.read("erasure", Erasure)
    if erasure is None:
        erasure = _destroy_rows(job)
        desk.write("erasure", erasure)
        desk.probe("rows gone")
    if job.others:
        _forget_whereabouts(job)
    conclusion = desk.read("conclusion", Conclusion) or _conclude(desk)
    tombstone = desk.read("tombstone", Tombstone)
    assert tombstone is not None, "the tombstone is taken before the first row goes"
    hand_over = desk.read("hand-over", HandOver) or HandOver()
    desk.certify(
        attest(
            job.datamap,
            job.scope,
            facts=desk.facts(),
            tombstone=tombstone,
            exports=hand_over.exports,
            erasure=erasure,
            conclusion=conclusion,
        )
    )
    desk.probe("certificate written")


def run_part(job: Job, held: Held) -> dict[str, Any]:
    """Destroy everything but what is held, and say so; the key and the certificate come later.

    Raises:
        DataMapIncomplete: the map and the live catalog differ.
        RowsInTheWay, RowsRemain: of what goes, there are still rows after the last pass.
    """
    erasure = _destroy_rows(replace(job, held=held))
    return attest_part(job.scope, held, facts=job.desk.facts(), erasure=erasure)


def _destroy_rows(job: Job) -> Erasure:
    """Delete and verify, again where rows were written behind the deletion's back (L22)."""
    key = job.desk.key()
    elsewhere = _elsewhere(job)
    # Nothing goes before there is a tombstone: who takes it sees all keys of what goes.
    gone = Gone() if job.desk.read("tombstone", Tombstone) is None else None
    tombstone = _tombstone(job, elsewhere, key=key)
    job.desk.probe("tombstone taken")
    elsewhere = elsewhere.named(sha256(tombstone.model_dump_json().encode()).hexdigest())
    elsewhere = elsewhere.without(job.held.elsewhere if job.held else ())
    # The first run knows how many rows there are, a later one which tables are finished.
    expected = {} if gone is None else tombstone.counts
    finished = tombstone.finished(job.desk.erased_rows()) if gone is None else frozenset()
    for passes_left in reversed(range(PASSES_MAX)):
        try:
            result = _delete(
                job, tombstone, elsewhere, gone, key=key, expected=expected, finished=finished
            )
        except RowsInTheWay:
            if not passes_left:
                raise
            continue
        finally:
            expected, finished = {}, frozenset()
        verification = _verify(job, tombstone, elsewhere, gone, key=key)
        if verification.clean:
            break
    require_clean(verification)
    counted = job.desk.erased_rows()
    return Erasure(
        erased_at=job.desk.now().format_iso(),
        tables={table: _gone(table, tombstone, counted=counted) for table in result.tables},
        retained=result.retained,
        verification=verification,
        receipts=(job.desk.read("receipts", ReceiptFile) or ReceiptFile()).receipts,
    )


def _elsewhere(job: Job) -> Elsewhere:
    """Find the subject outside of the databases, by its rows while they are there."""
    receipts = _DeskReceipts(desk=job.desk)
    known = job.desk.read("whereabouts", Whereabouts)
    if known is None:
        facts = look_up_facts(job.datamap, job.sources, job.others, job.scope)
        known = Whereabouts(facts=facts)
        if job.others:
            job.desk.write("whereabouts", known)
    errand = Errand(scope=job.scope, facts=known.facts, operation="", receipts=receipts)
    return Elsewhere(sources=job.others, errand=errand)


def _forget_whereabouts(job: Job) -> None:
    """Keep of them the keys alone, which the certificate names as well: the rest named somebody."""
    known = job.desk.read("whereabouts", Whereabouts) or Whereabouts()
    keys = {job.scope.organization, job.scope.member}
    kept = {column: value for column, value in known.facts.items() if value in keys}
    job.desk.write("whereabouts", Whereabouts(facts=kept))


def _tombstone(job: Job, elsewhere: Elsewhere, *, key: bytes) -> Tombstone:
    """Take the tombstone once, from whole data that was handed over where that was promised."""
    tombstone = job.desk.read("tombstone", Tombstone)
    if tombstone is None:
        digests = digest(job.datamap, job.sources, job.scope, elsewhere=elsewhere)
        exports = job.desk.require_handed_over(digests)
        job.desk.write("hand-over", HandOver(exports=exports))
        if job.keeper is None:
            job.desk.write("kept", count_ends(job.datamap, job.sources, job.scope))
        tombstone = take_tombstone(job.datamap, job.sources, job.scope, key=key, digests=digests)
        job.desk.write("tombstone", tombstone)
    return tombstone


def _delete(
    job: Job,
    tombstone: Tombstone,
    elsewhere: Elsewhere,
    gone: Gone | None,
    *,
    key: bytes,
    expected: Mapping[str, int],
    finished: Collection[str],
) -> ErasureResult:
    return erase(
        job.datamap,
        job.sources,
        job.scope,
        key=key,
        fence=job.desk.fence(),
        elapsed=job.elapsed,
        tombstone=tombstone,
        progress=job.progress,
        keeper=job.keeper or job.desk.read("kept", KeptEnds),
        gone=gone,
        chunk_rows_max=job.chunk_rows_max,
        connections=job.connections,
        pause=job.pause,
        elsewhere=elsewhere,
        spared=job.held.spared if job.held else (),
        expected=expected,
        finished=finished,
    )


def _verify(
    job: Job, tombstone: Tombstone, elsewhere: Elsewhere, gone: Gone | None, *, key: bytes
) -> Verification:
    found = verify(
        job.datamap,
        job.sources,
        job.scope,
        tombstone=tombstone,
        key=key,
        elsewhere=elsewhere,
        gone=gone,
    )
    return without_held(found, job.held.spared) if job.held else found


def _gone(table: str, tombstone: Tombstone, *, counted: Mapping[str, int]) -> int:
    """Say how many rows are gone: what was there, as none is left, or more if more came late.

    What is counted chunk by chunk misses a chunk whose process died before it could say so.
    """
    before = tombstone.tables.get(table)
    return max(before.rows if before else 0, counted.get(table, 0))


def _conclude(desk: Desk) -> Conclusion:
    """Destroy the key, and note the instant once, so that every later run certifies the same."""
    destroyed = desk.destroy_key()
    if destroyed:
        desk.probe("key destroyed")
    now = desk.now().format_iso()
    conclusion = Conclusion(issued_at=now, key_destroyed_at=now if destroyed else None)
    desk.write("conclusion", conclusion)
    return conclusion
