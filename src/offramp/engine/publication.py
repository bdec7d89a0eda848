"""Publishing a version of a policy: what it would do to everybody in flight, and doing it.

Both go through the same off-boardings in the same way, a page at a time, so that what was shown
is what happens; where facts have changed in between, what was announced still stays.

Source: policy language S4; docs/policy.md ("A new version").
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from whenever import Instant

from offramp.core.compare import Shift
from offramp.core.errors import Refused
from offramp.core.ledger import Detail, Event
from offramp.core.policy import Policy
from offramp.core.publication import Effect, Fate, Passage, fate_of, passage, scope_changes
from offramp.engine.context import Context
from offramp.engine.situation import facts_of, require_policy
from offramp.ports import InFlight, PolicyVersionTaken, Transaction

PAGE_ROWS = 1_000
PASSAGES_MAX = 10_000  # remembered, because many of those who are leaving share their facts


class VersionNotNext(Refused):
    """Version {version} of the policy {policy} does not come after version {newest}."""


class PublicationStale(Refused):
    """What version {version} of the policy {policy} does has changed since it was looked at."""


class ScopeChanged(Refused):
    """Version {version} of the policy {policy} says otherwise who leaves, or when: {path}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A version, whether it is new, and what it does to everybody who is leaving by another."""

    policy: Policy
    is_new: bool
    effect: Effect

    @property
    def digest(self) -> str:
        """Name the version, and all that it does to those who are leaving."""
        steps = [
            [each.key, [each.moves[shift] for shift in Shift], str(each.first_on), each.spared]
            for each in self.effect.steps()
        ]
        fates = [self.effect.fates[fate] for fate in Fate]
        document = self.policy.model_dump(mode="json", by_alias=True)
        told = [document, self.is_new, fates, steps]
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def list_published(context: Context) -> tuple[Policy, ...]:
    """List the newest version of every policy."""
    with context.store.reading() as transaction:
        return transaction.policies()


def find_published(context: Context, policy: str, *, version: int | None) -> Policy:
    """Find one version of a policy, or its newest.

    Raises:
        PolicyUnpublished: there is none.
    """
    with context.store.reading() as transaction:
        return require_policy(transaction, policy, version=version)


def preview(context: Context, policy: Policy) -> Publication:
    """Say what a version would do, and change nothing.

    Raises:
        PolicyVersionTaken, VersionNotNext, ScopeChanged: it cannot be published.
    """
    review = _Review(policy, now=context.clock.now())
    with context.store.transaction() as transaction:
        is_new = _is_new(transaction, policy)
    while is_new and not review.is_over:
        with context.store.transaction() as transaction:
            review.judge_page(transaction)
    return Publication(policy=policy, is_new=is_new, effect=review.effect)


def publish(
    context: Context, policy: Policy, *, seen: str | None = None, reason: str | None = None
) -> Publication:
    """Publish a version; off-boardings that have announced nothing take it over (S4).

    Args:
        seen: the digest of what was looked at, where only that is meant.

    Raises:
        PolicyVersionTaken, VersionNotNext, ScopeChanged: it cannot be published.
        PublicationStale: it does something else than was seen.
    """
    now = context.clock.now()
    review = _Review(policy, now=now)
    with context.store.transaction() as transaction:
        is_new = _is_new(transaction, policy)
        if is_new:
            transaction.put_policy(policy, at=now, by=context.actor, reason=reason)
            moved = 0
            while not review.is_over:
                moved += transaction.repin(review.judge_page(transaction), version=policy.version)
            event = _event(policy, review.effect, moved=moved, at=now)
            transaction.append([replace(event, actor=context.actor_or(event.actor))])
        publication = Publication(policy=policy, is_new=is_new, effect=review.effect)
        if seen not in (None, publication.digest):
            hint = "look at it again"
            raise PublicationStale(policy=policy.policy, version=policy.version, hint=hint)
    return publication


def _is_new(transaction: Transaction, policy: Policy) -> bool:
    """Say whether a version is to be published, was published, or may not be."""
    name, version = policy.policy, policy.version
    same = transaction.policy(name, version)
    if same is not None and same != policy:
        raise PolicyVersionTaken(policy=name, version=version)
    newest = transaction.policy(name)
    if same is not None or newest is None:
        return same is None
    if version < newest.version:
        hint = f"publish it as version {newest.version + 1}"
        raise VersionNotNext(policy=name, version=version, newest=newest.version, hint=hint)
    changed = scope_changes(newest, policy)
    if changed and transaction.in_flight(name, version=version, limit=1):
        hint = "somebody is leaving by it; publish it under another name, for those to come"
        raise ScopeChanged(policy=name, version=version, path=", ".join(changed), hint=hint)
    return True


class _Review:
    """Goes through all who are leaving by another version, in as many pages as it takes."""

    def __init__(self, policy: Policy, *, now: Instant) -> None:
        self.effect = Effect()
        self.is_over = False
        self._policy, self._now = policy, now
        self._last = ""
        self._older: dict[int, Policy] = {}
        self._passages: dict[object, Passage] = {}

    def judge_page(self, transaction: Transaction) -> Mapping[str, Instant | None]:
        """Count one page; give the next date of everybody on it who takes the version over."""
        name, version = self._policy.policy, self._policy.version
        page = transaction.in_flight(name, version=version, after=self._last, limit=PAGE_ROWS)
        due: dict[str, Instant | None] = {}
        for each in page:
            known = self._passage(transaction, each)
            fate = fate_of(known, has_begun=each.has_begun, now=self._now)
            self.effect.count(known, fate)
            if fate is Fate.TAKES_OVER:
                due[each.offboarding.id] = known.begins_at
        self.is_over = len(page) < PAGE_ROWS
        self._last = page[-1].offboarding.id if page else self._last
        return due

    def _passage(self, transaction: Transaction, each: InFlight) -> Passage:
        row = each.offboarding
        overrides = tuple(sorted(each.overrides.items()))
        kind = row.subject.kind
        key = (row.policy_version, kind, row.cause, row.ends, each.zone, overrides)
        if key not in self._passages:
            if len(self._passages) >= PASSAGES_MAX:
                self._passages.clear()
            facts = facts_of(row, zone=each.zone, overrides=each.overrides)
            old = self._old(transaction, row.policy_version)
            self._passages[key] = passage(old, self._policy, facts)
        return self._passages[key]

    def _old(self, transaction: Transaction, version: int) -> Policy:
        if version not in self._older:
            self._older[version] = require_policy(transaction, self._policy.policy, version=version)
        return self._older[version]


def _event(policy: Policy, effect: Effect, *, moved: int, at: Instant) -> Event:
    detail: dict[str, Detail] = {
        "policy": policy.policy,
        "version": policy.version,
        "moved": moved,
        "kept": effect.in_flight - moved,
    }
    return Event(kind="policy-published", at=at, actor="operator", detail=detail)
