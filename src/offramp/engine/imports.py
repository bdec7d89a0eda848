"""A roster that somebody uploads: shown first, and taken over only as it was shown.

What was shown is named by a digest of the roster and of everything that it is about. If any of it
has changed meanwhile, it has to be looked at again.

Source: docs/http.md; mission A1; lesson L26.
"""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from offramp.core.errors import Refused
from offramp.core.model import Member, Organization, Pool
from offramp.engine.context import Context
from offramp.engine.offboarding import Registered, register
from offramp.ports import Transaction


class ImportStale(Refused):
    """This is not what was shown: the roster, or what it is about, has changed meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a roster says."""

    organizations: tuple[Organization, ...]
    pools: tuple[Pool, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a roster would do, and the digest by which it is taken over as it was shown."""

    digest: str
    registered: Registered


@dataclass(frozen=True, slots=True)
class _Organizations(Collection[str]):
    """The organizations that are there, each looked up when it is asked about."""

    transaction: Transaction
    seen: dict[str, bool] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        name = str(key)
        if name not in self.seen:
            self.seen[name] = self.transaction.organization(name) is not None
        return self.seen[name]

    def __iter__(self) -> Iterator[str]:
        """List none: there may be a million."""
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class _Pools(Collection[tuple[str, str]]):
    """The pools that are there, each organization's looked up when one of them is asked about."""

    transaction: Transaction
    seen: dict[str, frozenset[str]] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        match key:
            case (str(organization), str(pool)):
                if organization not in self.seen:
                    pools = self.transaction.pools(organization)
                    self.seen[organization] = frozenset(each.id for each in pools)
                return pool in self.seen[organization]
            case _:
                return False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def __len__(self) -> int:
        return 0


@contextmanager
def known_facts(
    context: Context,
) -> Iterator[tuple[Collection[str], Collection[tuple[str, str]]]]:
    """Say which organizations and pools are there, as long as the block runs."""
    with context.store.reading() as transaction:
        yield _Organizations(transaction), _Pools(transaction)


def show_import(context: Context, facts: Facts) -> Shown:
    """Say what a roster would do, and change nothing.

    Raises:
        PolicyUnpublished, OverrideUnfit, OrganizationErased: as for `register`.
    """
    digests: list[str] = []

    def judge(transaction: Transaction) -> None:
        digests.append(_digest(transaction, facts))

    registered = _register(context, facts, judge=judge, is_rehearsal=True)
    return Shown(digest=digests[-1], registered=registered)


def take_import(context: Context, facts: Facts, *, digest: str) -> Shown:
    """Take a roster over, all of it, if it is what was shown.

    Raises:
        ImportStale: it is not.
        PolicyUnpublished, OverrideUnfit, OrganizationErased: as for `register`.
    """

    def judge(transaction: Transaction) -> None:
        if _digest(transaction, facts) != digest:
            raise ImportStale(hint="look at it again, and confirm what you see then")

    registered = _register(context, facts, judge=judge)
    return Shown(digest=digest, registered=registered)


def _digest(transaction: Transaction, facts: Facts) -> str:
    """Sum up what is said, and how everything is that it is said of."""
    pools = sorted({each.organization for each in facts.pools})
    people: dict[str, set[str]] = {}
    for member in facts.members:
        people.setdefault(member.organization, set()).add(member.id)
    summed = sha256()
    present = [transaction.organization(each.id) for each in facts.organizations]
    for part in (
        [asdict(each) for each in facts.organizations],
        [asdict(each) for each in facts.pools],
        [asdict(each) for each in facts.members],
        [None if each is None else asdict(each) for each in present],
        [asdict(pool) for organization in pools for pool in transaction.pools(organization)],
        [
            asdict(each)
            for organization in sorted(people)
            for each in transaction.members(organization)
            if each.id in people[organization]
        ],
    ):
        summed.update(json.dumps(part, default=_plain, sort_keys=True).encode())
    return summed.hexdigest()


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)


def _register(
    context: Context,
    facts: Facts,
    *,
    judge: Callable[[Transaction], None],
    is_rehearsal: bool = False,
) -> Registered:
    return register(
        context,
        organizations=facts.organizations,
        pools=facts.pools,
        members=facts.members,
        judge=judge,
        is_rehearsal=is_rehearsal,
    )
