"""Destroy what the policy says, on its date: the engine's desk for `offramp.data.erasure.job`.

The sequence (compare, tombstone, fenced chunks, verification, key, certificate) is the data
engine's; here lie what guards each chunk, where the proofs are kept, and what is concluded in the
store together with the receipt.

Source: mission A10, A11, B6; policy language D1-D3; lessons L15-L28, L30;
docs/decisions/005-the-fence.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel
from whenever import Instant

from offramp.core.due import Reason, held_categories
from offramp.core.errors import Missing, Unavailable
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.core.model import Subject
from offramp.core.policy import Action
from offramp.core.term import Term, member_term, organization_term
from offramp.core.transitions import STEP, OffboardingStatus, StepStatus, move
from offramp.data.erasure.erase import preview as preview_statements
from offramp.data.erasure.fence import Fence
from offramp.data.erasure.held import Held, plan_held
from offramp.data.erasure.job import Job, run, run_part
from offramp.data.handover.export import digest
from offramp.data.handover.hand_over import HandedOver, handed_over
from offramp.data.manifest import TableDigest
from offramp.data.proof.attestation import Erasure
from offramp.data.proof.certificate import sign_certificate
from offramp.data.scope import Scope
from offramp.engine.announcement import announce
from offramp.engine.archive import (
    exports_prefix,
    proof_name,
    read_manifest,
    read_proof,
    write_proof,
)
from offramp.engine.confirmation import confirm, is_confirmed
from offramp.engine.ending import begin_aftercare
from offramp.engine.fence import EngineFence
from offramp.engine.following import cancel, close, is_over
from offramp.engine.keeper import keeper_of
from offramp.engine.own_copy import drop_copies
from offramp.engine.situation import require_organization, require_policy, rest_reason
from offramp.engine.work import GuardNotMet, Result, Work, issue_key
from offramp.ports import Offboarding, OutboxEvent, StepRow, Transaction

_Proof = TypeVar("_Proof", bound=BaseModel)


class NothingToErase(Missing):
    """The data map leads to not one row of {organization}; a deletion of nothing is no proof."""


class ScopeGrew(Unavailable):
    """Another product of the organization ended meanwhile; the rest of it has to go as well."""


def preview(work: Work) -> tuple[str, ...]:
    """List the statements that would run, exactly as they would."""
    scope, data = _scope(work), work.data
    held = _plan_held(work, scope, _held_now(work))
    statements = preview_statements(
        data.datamap,
        data.sources,
        scope,
        elsewhere=data.elsewhere(scope).without(held.elsewhere if held else ()),
        spared=held.spared if held else (),
    )
    return tuple(f"{statement.text};" for statement in statements)


def perform(work: Work) -> Result | None:
    """Destroy the subject's data, as far as an earlier attempt has not, and nothing that is held.

    Returns:
        The result where there was nobody to tell of it; otherwise none, and `verify` tells.

    Raises:
        GuardNotMet: a data category is held, and all the rest is gone.
        MailerUnavailable, SendOutcomeUnknown: it is done, and somebody is still to be told so.
    """
    context, data, scope = work.context, work.data, _scope(work)
    categories = _held_now(work)

    def progress(table: str, rows: int) -> None:
        context.report("erase", {"table": table, "rows": rows})

    job = Job(
        datamap=data.datamap,
        sources=data.sources,
        others=data.others,
        scope=scope,
        desk=_EngineDesk(work=work, scope=scope, categories=categories),
        elapsed=context.elapsed,
        pause=context.pause,
        progress=progress,
        keeper=keeper_of(context, work.claimed, rules=data.datamap.tables),
        chunk_rows_max=context.limits.chunk_rows_max,
        connections=context.limits.connections,
    )
    held = _plan_held(work, scope, categories)
    if held is None:
        run(job)
        is_seen = confirm(work, certificate=_proof(work, scope, "certificate"))
        return None if is_seen else _result(work, scope)
    _record_part(work, scope, run_part(job, held))
    raise GuardNotMet(step=work.planned.key, reason=rest_reason(categories))


def _held_now(work: Work) -> tuple[str, ...]:
    with work.context.store.transaction() as transaction:
        return _held_in(transaction, work)


def _held_in(transaction: Transaction, work: Work) -> tuple[str, ...]:
    subject = work.claimed.subject
    holds = transaction.holds(subject.organization)
    return held_categories(holds, subject, now=work.context.clock.now())


def _plan_held(work: Work, scope: Scope, categories: tuple[str, ...]) -> Held | None:
    """Say what waits for a held category; none where nothing of this subject does."""
    if not categories:
        return None
    data = work.data
    held = plan_held(data.datamap, data.sources, scope, categories=categories)
    return held if held.tables or held.elsewhere else None


def _record_part(work: Work, scope: Scope, content: Mapping[str, Any]) -> None:
    """Certify what is gone while the rest is held, and put that on record."""
    context, now = work.context, work.context.clock.now()
    certificate = _proof(work, scope, f"certificate-held-{work.row.attempts}")
    said = {**content, "issued_at": now.format_iso()}
    with context.vault.write(certificate) as sink:
        sink.write(sign_certificate(said, private_key=context.keys.signing_key()))
    event = Event(
        kind="erased-in-part",
        at=now,
        offboarding=work.claimed.id,
        episode=work.claimed.episode,
        step=work.planned.key,
        detail={
            "rows": sum(content["tables"].values()),
            "held": len(content["held"]),
            "waiting": len(content["waiting"]),
            "certificate": certificate,
        },
    )
    with context.store.transaction() as transaction:
        transaction.extend_lease(
            work.claimed, lease_until=now.add(seconds=context.limits.lease_seconds)
        )
        transaction.append([event])
        drop_copies(context, transaction, scope.organization, member=scope.member)


def verify(work: Work) -> Result | None:
    """Say whether the certificate is there and everybody has been told of it."""
    scope = _scope(work)
    is_certified = work.context.vault.size(_proof(work, scope, "certificate")) is not None
    return _result(work, scope) if is_certified and is_confirmed(work) else None


def _result(work: Work, scope: Scope) -> Result:
    """Give what the receipt says of a deletion; our own tables are emptied with it."""
    erasure = read_proof(work.context.vault, _proof(work, scope, "erasure"), Erasure)
    assert erasure is not None, "a certificate is written after its erasure is on record"
    proof: dict[str, Detail] = {
        "rows": sum(erasure.tables.values()),
        "tables": len(erasure.tables),
        "retained": sum(kept.rows for kept in erasure.retained),
        "certificate": _proof(work, scope, "certificate"),
    }

    def conclude(transaction: Transaction) -> None:
        _conclude(work, scope, transaction)

    return Result(proof=proof, events=(_erased(work, scope),), conclude=conclude)


def _erased(work: Work, scope: Scope) -> OutboxEvent:
    subject = replace(work.claimed.subject, product=scope.product)
    return announce(
        replace(work.claimed, subject=subject),
        EventKind.ERASED,
        key=work.planned.key,
        at=work.context.clock.now(),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _EngineDesk:
    """Keeps the proofs in the vault, counts in the store, keys where the engine keeps them."""

    work: Work
    scope: Scope
    categories: tuple[str, ...]  # those that are held, and that everything was planned with

    def now(self) -> Instant:
        return self.work.context.clock.now()

    def probe(self, point: str) -> None:
        self.work.context.probe(point)

    def read(self, proof: str, model: type[_Proof]) -> _Proof | None:
        return read_proof(self.work.context.vault, self._name(proof), model)

    def write(self, proof: str, value: BaseModel) -> None:
        write_proof(self.work.context.vault, self._name(proof), value)

    def key(self) -> bytes:
        return self.work.context.keys.organization_key(self.scope.organization)

    def destroy_key(self) -> bool:
        """Keep it while something of the organization is still there."""
        if not _is_whole(self.scope):
            return False
        self.work.context.keys.destroy(self.scope.organization)
        return True

    def erased_rows(self) -> Mapping[str, int]:
        with self.work.context.store.transaction() as transaction:
            return transaction.erased_rows(self.work.claimed.id)

    def fence(self) -> Fence:
        work = self.work
        return EngineFence.around(work.context, work.claimed, judge=self._judge)

    def _judge(self, transaction: Transaction) -> None:
        """Judge anew before every chunk; a hold that came or went meanwhile asks for a new plan."""
        self.work.require_guard(transaction)
        if _held_in(transaction, self.work) != self.categories:
            raise GuardNotMet(step=self.work.planned.key, reason=Reason.HOLD.value)

    def require_handed_over(self, digests: Mapping[str, TableDigest]) -> tuple[HandedOver, ...]:
        _require_any(self.scope, digests)
        return tuple(_require_handed_over(self.work, self.scope, digests))

    def facts(self) -> Mapping[str, Any]:
        context, claimed = self.work.context, self.work.claimed
        return {
            "offramp": context.version,
            "offboarding": claimed.id,
            "episode": claimed.episode,
            "subject": claimed.subject.kind.value,
            "policy": claimed.policy,
            "policy_version": claimed.policy_version,
        }

    def is_certified(self) -> bool:
        return self.work.context.vault.size(self._name("certificate")) is not None

    def certify(self, content: Mapping[str, Any]) -> None:
        context = self.work.context
        document = sign_certificate(content, private_key=context.keys.signing_key())
        with context.vault.write(self._name("certificate")) as sink:
            sink.write(document)

    def _name(self, proof: str) -> str:
        return _proof(self.work, self.scope, proof)


def _require_any(scope: Scope, digests: Mapping[str, TableDigest]) -> None:
    """Take an organization without a row for a wrong key or a wrong database (L16).

    A member whom the vendor has deleted already, or a product without rows, is nothing unusual.

    Raises:
        NothingToErase: it has none.
    """
    if _is_whole(scope) and not any(table.rows for table in digests.values()):
        hint = "is its id the key in the database, and is this the right database?"
        raise NothingToErase(organization=scope.organization, hint=hint)


def _require_handed_over(
    work: Work, scope: Scope, digests: Mapping[str, TableDigest]
) -> Iterator[HandedOver]:
    """Compare the live rows with the last export; nothing goes that was not handed over.

    Raises:
        GuardNotMet: they differ; the export is put back and its promised time starts again.
    """
    vault, claimed = work.context.vault, work.claimed
    for export in _required_exports(work):
        live = digests
        if scope != work.scope:
            elsewhere = work.data.elsewhere(work.scope)
            live = digest(work.data.datamap, work.data.sources, work.scope, elsewhere=elsewhere)
        manifest = read_manifest(vault, claimed.id, issue_key(export.key, export.issue))
        if manifest is None or live != manifest.digests():
            _hand_over_again(work, export)
            raise GuardNotMet(
                step=work.planned.key, reason="the data changed after it was handed over"
            )
        yield handed_over(manifest, compared_at=work.context.clock.now())


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
    completed = close(transaction, claimed, OffboardingStatus.COMPLETED, now=now)
    drop_copies(work.context, transaction, organization, member=scope.member)
    if scope.product is None:
        transaction.forget(organization, member=scope.member, at=now)
    for row in rows:
        if row.id != claimed.id and _goes_with(scope, row.subject):
            cancel(transaction, row, now=now, actor="policy", is_return=False)
    begin_aftercare(work.context, transaction, completed)
    for row in transaction.offboardings(organization):
        if _goes_with(scope, row.subject):  # an episode that a renewal ended has exports too
            work.context.vault.delete(exports_prefix(row.id))


def _goes_with(scope: Scope, subject: Subject) -> bool:
    """Whether destroying the scope leaves nothing of another subject to off-board."""
    same_product = scope.product in (None, subject.product)
    return same_product and scope.member in (None, subject.member)
