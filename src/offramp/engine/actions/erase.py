"""Destroy: compare, take the tombstone, delete in fenced chunks, verify, destroy the key, certify.

Each part leaves a proof behind before the next begins, so a run that died goes on where it was:
the tombstone is taken once, from whole data; the deletion finds what is left by itself; the key
is destroyed only after the verification is on record; the certificate comes last.

Source: mission A10, A11, B6; policy language D1-D3; lessons L15-L28, L30;
docs/decisions/005-the-fence.md.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from offramp.core.errors import Unavailable
from offramp.core.ledger import Detail
from offramp.core.model import Subject
from offramp.core.policy import Action
from offramp.core.term import Term, member_term, organization_term
from offramp.core.transitions import STEP, OffboardingStatus, StepStatus, move
from offramp.data.certificate import sign_certificate
from offramp.data.erase import ErasureResult, Retained, erase
from offramp.data.erase import preview as preview_statements
from offramp.data.export import digest
from offramp.data.fence import ChunkRecord
from offramp.data.manifest import TableDigest
from offramp.data.scope import Scope
from offramp.data.sources.sql import RowsInTheWay
from offramp.data.tombstone import Tombstone, take_tombstone
from offramp.data.verify import Verification, require_clean
from offramp.data.verify import verify as verify_gone
from offramp.engine.archive import (
    exports_prefix,
    proof_name,
    read_manifest,
    read_proof,
    write_proof,
)
from offramp.engine.following import cancel, close, is_over
from offramp.engine.situation import require_organization, require_policy
from offramp.engine.work import GuardNotMet, Heartbeat, Result, Work, issue_key
from offramp.ports import FenceRecord, Offboarding, OutboxEvent, StepRow, Transaction

PASSES_MAX = 3  # over the tables: what is written during one is found by the next


class ScopeGrew(Unavailable):
    """Another product of the organization ended meanwhile; the rest of it has to go as well."""


class Erasure(BaseModel):
    """What was destroyed and how that was seen; the basis of the certificate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erased_at: str
    tables: Mapping[str, int]
    retained: tuple[Retained, ...]
    verification: Verification


def preview(work: Work) -> tuple[str, ...]:
    """List the statements that would run, exactly as they would."""
    statements = preview_statements(work.data.datamap, work.data.sources, _scope(work))
    return tuple(f"{statement.text};" for statement in statements)


def perform(work: Work) -> None:
    """Destroy the subject's data, as far as an earlier attempt has not."""
    scope = _scope(work)
    vault, certificate = work.context.vault, _proof(work, scope, "certificate")
    if vault.size(certificate) is not None:
        return
    erasure = read_proof(vault, _proof(work, scope, "erasure"), Erasure)
    if erasure is None:
        erasure = _destroy_rows(work, scope)
        write_proof(vault, _proof(work, scope, "erasure"), erasure)
        work.context.probe("rows gone")
    if _is_whole(scope):
        work.context.keys.destroy(scope.organization)
        work.context.probe("key destroyed")
    with vault.write(certificate) as sink:
        sink.write(_certificate(work, scope, erasure))
    work.context.probe("certificate written")


def verify(work: Work) -> Result | None:
    """Say whether the certificate is there; the receipt empties our own tables with it."""
    scope = _scope(work)
    certificate = _proof(work, scope, "certificate")
    if work.context.vault.size(certificate) is None:
        return None
    erasure = read_proof(work.context.vault, _proof(work, scope, "erasure"), Erasure)
    assert erasure is not None, "a certificate is written after its erasure is on record"
    proof: dict[str, Detail] = {
        "rows": sum(erasure.tables.values()),
        "tables": len(erasure.tables),
        "retained": sum(kept.rows for kept in erasure.retained),
        "certificate": certificate,
    }

    def conclude(transaction: Transaction) -> None:
        _conclude(work, scope, transaction)

    return Result(proof=proof, events=(_erased(work, scope),), conclude=conclude)


def _erased(work: Work, scope: Scope) -> OutboxEvent:
    return OutboxEvent(
        id=f"{work.claimed.id}:{work.planned.key}:erased",
        kind="erased",
        at=work.context.clock.now(),
        organization=scope.organization,
        member=scope.member,
        detail={"product": scope.product},
    )


def _scope(work: Work) -> Scope:
    with work.context.store.transaction() as transaction:
        return _scope_in(transaction, work)


def _scope_in(transaction: Transaction, work: Work) -> Scope:
    """Give what goes: one product's data while the subject has another product, else everything."""
    subject = work.claimed.subject
    if subject.product is None:
        return work.scope
    terms = _terms(transaction, subject)
    newest = {row.subject.product: row for row in _episodes(transaction, subject)}
    erased = {
        product
        for product, term in terms.items()
        if product in newest and is_over(newest[product], term)
    }
    is_last = set(terms) <= erased | {subject.product}
    return replace(work.scope, product=None) if is_last else work.scope


def _episodes(transaction: Transaction, subject: Subject) -> Iterator[Offboarding]:
    rows = transaction.offboardings(subject.organization)
    return (row for row in rows if row.subject.member == subject.member)


def _terms(transaction: Transaction, subject: Subject) -> Mapping[str, Term | None]:
    """Give the present term of every product that the subject has, or ever had."""
    zone = require_organization(transaction, subject.organization).zone
    pools = transaction.pools(subject.organization)
    if subject.member is None:
        products = {pool.product for pool in pools}
        return {each: organization_term(pools, zone=zone, product=each) for each in products}
    member = transaction.member(subject.organization, subject.member)
    assert member is not None, "a member is forgotten only with their last product"
    products = {pool.product for pool in pools if pool.id in member.pools}
    return {each: member_term(member, pools, zone=zone, product=each) for each in products}


def _is_whole(scope: Scope) -> bool:
    return scope.member is None and scope.product is None


def _proof(work: Work, scope: Scope, proof: str) -> str:
    part = "" if scope.product is None else f"{scope.product}-"
    return proof_name(work.claimed.id, part + proof)


def _destroy_rows(work: Work, scope: Scope) -> Erasure:
    """Delete and verify, again where rows were written behind the deletion's back (L22).

    Raises:
        RowsInTheWay, RowsRemain: there are still such rows after the last pass.
    """
    context, data = work.context, work.data
    key = context.keys.organization_key(scope.organization)
    tombstone = _tombstone(work, scope, key=key)
    context.probe("tombstone taken")
    for passes_left in reversed(range(PASSES_MAX)):
        try:
            result = _delete(work, scope, tombstone, key=key)
        except RowsInTheWay:
            if not passes_left:
                raise
            continue
        verification = verify_gone(data.datamap, data.sources, scope, tombstone=tombstone, key=key)
        if verification.clean:
            break
    require_clean(verification)
    with context.store.transaction() as transaction:
        rows = transaction.erased_rows(work.claimed.id)
    return Erasure(
        erased_at=context.clock.now().format_iso(),
        tables={table: _gone(table, tombstone, counted=rows) for table in result.tables},
        retained=result.retained,
        verification=verification,
    )


def _delete(work: Work, scope: Scope, tombstone: Tombstone, *, key: bytes) -> ErasureResult:
    context, data = work.context, work.data

    def progress(table: str, rows: int) -> None:
        context.report("erase", {"table": table, "rows": rows})

    return erase(
        data.datamap,
        data.sources,
        scope,
        key=key,
        fence=_EngineFence(work=work, heartbeat=Heartbeat(work=work)),
        elapsed=context.elapsed,
        tombstone=tombstone,
        progress=progress,
        chunk_rows_max=context.limits.chunk_rows_max,
    )


def _gone(table: str, tombstone: Tombstone, *, counted: Mapping[str, int]) -> int:
    """Say how many rows are gone: what was there, as none is left, or more if more came late.

    What is counted chunk by chunk misses a chunk whose process died before it could say so.
    """
    before = tombstone.tables.get(table)
    return max(before.rows if before else 0, counted.get(table, 0))


def _tombstone(work: Work, scope: Scope, *, key: bytes) -> Tombstone:
    """Take the tombstone once, from whole data that was handed over where that was promised."""
    vault, name = work.context.vault, _proof(work, scope, "tombstone")
    tombstone = read_proof(vault, name, Tombstone)
    if tombstone is None:
        data = work.data
        digests = digest(data.datamap, data.sources, scope)
        _require_handed_over(work, scope, digests)
        tombstone = take_tombstone(data.datamap, data.sources, scope, key=key, digests=digests)
        write_proof(vault, name, tombstone)
    return tombstone


def _require_handed_over(work: Work, scope: Scope, digests: Mapping[str, TableDigest]) -> None:
    """Compare the live rows with the last export; nothing goes that was not handed over.

    Raises:
        GuardNotMet: they differ; the export is put back and its promised time starts again.
    """
    vault, claimed = work.context.vault, work.claimed
    for export in _required_exports(work):
        live = digests
        if scope != work.scope:
            live = digest(work.data.datamap, work.data.sources, work.scope)
        manifest = read_manifest(vault, claimed.id, issue_key(export.key, export.issue))
        if manifest is None or live != manifest.digests():
            _hand_over_again(work, export)
            raise GuardNotMet(
                step=work.planned.key, reason="the data changed after it was handed over"
            )


def _required_exports(work: Work) -> tuple[StepRow, ...]:
    step = work.planned.step
    assert step is not None, "destruction is always a step of the policy"
    required = {requirement.delivered for requirement in step.requires}
    with work.context.store.transaction() as transaction:
        policy = require_policy(
            transaction, work.claimed.policy, version=work.claimed.policy_version
        )
        exports = {s.id for s in policy.steps if s.action is Action.EXPORT} & required
        return tuple(r for r in transaction.steps(work.claimed.id) if r.key in exports)


def _hand_over_again(work: Work, export: StepRow) -> None:
    """Put an export back as its next issue, which has a document and deliveries of its own."""
    again = replace(
        export,
        status=move(STEP, export.status, StepStatus.PENDING),
        issue=export.issue + 1,
        receipt=None,
    )
    with work.context.store.transaction() as transaction:
        transaction.save_step(again, claimed=work.claimed, expected=export.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class _EngineFence:
    """Judges the guards anew before every chunk and holds them while it runs."""

    work: Work
    heartbeat: Heartbeat

    @contextmanager
    def chunk(self, table: str) -> Iterator[ChunkRecord]:
        context = self.work.context
        self.heartbeat.beat()
        now = context.clock.now()
        with context.store.fence(
            self.work.claimed,
            now=now,
            deadline=now.add(seconds=context.limits.chunk_seconds),
            judge=self.work.require_guard,
        ) as record:
            context.probe("chunk fenced")
            yield _Recorder(table=table, record_rows=record)
            context.probe("chunk committed")
        context.probe("chunk recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorder:
    table: str
    record_rows: FenceRecord

    def record(self, *, rows: int) -> None:
        self.record_rows.record(self.table, rows)


def _certificate(work: Work, scope: Scope, erasure: Erasure) -> bytes:
    context, claimed = work.context, work.claimed
    tombstone = read_proof(context.vault, _proof(work, scope, "tombstone"), Tombstone)
    assert tombstone is not None, "the tombstone is taken before the first row goes"
    content = {
        "certificate": "erasure",
        "offramp": context.version,
        "offboarding": claimed.id,
        "episode": claimed.episode,
        "subject": claimed.subject.kind.value,
        "product": scope.product,
        "policy": claimed.policy,
        "policy_version": claimed.policy_version,
        "issued_at": context.clock.now().format_iso(),
        "key_destroyed": _is_whole(scope),
        "tombstone": tombstone.model_dump(mode="json"),
        **erasure.model_dump(mode="json"),
    }
    return sign_certificate(content, private_key=context.keys.signing_key())


def _conclude(work: Work, scope: Scope, transaction: Transaction) -> None:
    """End the episode, whatever goes with it, and our own rows of the subject (L30).

    Raises:
        ScopeGrew: the last other product ended while this one was being destroyed.
    """
    now = work.context.clock.now()
    organization = scope.organization
    rows = transaction.offboardings(organization, status=OffboardingStatus.OPEN)
    locked = {row.id: transaction.lock(row.id, now=now) for row in rows}
    if _scope_in(transaction, work) != scope:
        raise ScopeGrew()
    claimed = locked[work.claimed.id]
    close(transaction, claimed, OffboardingStatus.COMPLETED, now=now)
    if scope.product is None:
        transaction.forget(organization, member=scope.member, at=now)
    for row in rows:
        if row.id != claimed.id and _goes_with(scope, row.subject):
            cancel(transaction, row, now=now, actor="policy")
    for row in transaction.offboardings(organization):
        if _goes_with(scope, row.subject):  # an episode that a renewal ended has exports too
            work.context.vault.delete(exports_prefix(row.id))


def _goes_with(scope: Scope, subject: Subject) -> bool:
    """Whether destroying the scope leaves nothing of another subject to off-board."""
    same_product = scope.product in (None, subject.product)
    return same_product and scope.member in (None, subject.member)
