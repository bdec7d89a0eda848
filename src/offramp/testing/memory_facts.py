"""Facts, policies and operators' decisions in the store in memory.

Source: ``ports.Transaction``.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from whenever import Instant

from offramp.core.model import BlockNote, Hold, Member, Organization, Pool, Role, Unlock
from offramp.core.policy import Policy
from offramp.core.transitions import OffboardingStatus
from offramp.ports import (
    Changes,
    Delivery,
    DeliveryNote,
    Link,
    OptionalMessage,
    OrganizationErased,
    OrganizationUnknown,
    Parcel,
    PolicyNote,
    PolicyVersionTaken,
    fold_address,
)
from offramp.testing.memory_tables import MemoryPart, Owned, Posted

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_Named = TypeVar("_Named", Pool, Member)


class _About(Protocol):
    @property
    def organization(self) -> str | None: ...

    @property
    def member(self) -> str | None: ...


class MemoryFactPart(MemoryPart):
    """What was told, promised and decided."""

    def put_organizations(self, organizations: Sequence[Organization]) -> Changes:
        """Create or change organizations."""
        for organization in organizations:
            if organization.id in self.tables.erased:
                raise OrganizationErased(organization=organization.id)
        wanted = {each.id: each for each in organizations}
        self.touch(*_changed(self.tables.organizations, wanted))
        return _put(self.tables.organizations, wanted)

    def put_pools(self, pools: Sequence[Pool]) -> Changes:
        """Create or change pools."""
        self.require_organizations(each.organization for each in pools)
        wanted = {(each.organization, each.id): each for each in pools}
        self.touch(*{owner for owner, _ in _changed(self.tables.pools, wanted)})
        return _put(self.tables.pools, wanted)

    def put_members(self, members: Sequence[Member]) -> Changes:
        """Create or change members."""
        self.require_organizations(each.organization for each in members)
        wanted = {(each.organization, each.id): each for each in members}
        self.touch(*{owner for owner, _ in _changed(self.tables.members, wanted)})
        return _put(self.tables.members, wanted)

    def organization(self, organization: str) -> Organization | None:
        """Find one organization."""
        return self.tables.organizations.get(organization)

    def organizations(self) -> tuple[Organization, ...]:
        """List the organizations."""
        return tuple(sorted(self.tables.organizations.values(), key=lambda each: each.id))

    def pools(self, organization: str) -> tuple[Pool, ...]:
        """List the pools of an organization."""
        return _of(self.tables.pools, organization)

    def member(self, organization: str, member: str) -> Member | None:
        """Find one member."""
        return self.tables.members.get((organization, member))

    def members(
        self, organization: str, *, among: Collection[str] | None = None
    ) -> tuple[Member, ...]:
        """List the members of an organization."""
        mine = _of(self.tables.members, organization)
        return tuple(each for each in mine if among is None or each.id in among)

    def roles(self, organization: str) -> Mapping[str, frozenset[Role]]:
        """Give the roles of every member of an organization."""
        return {each.id: each.roles for each in _of(self.tables.members, organization)}

    def revisions(self, organizations: Collection[str]) -> Mapping[str, str]:
        """Name the state of several organizations."""
        named = ((each, self.tables.revision(each)) for each in organizations)
        return {each: revision for each, revision in named if revision is not None}

    def organizations_of(self, member: str, *, after: str, limit: int) -> tuple[str, ...]:
        """List the organizations that have a member of an id, past one of them."""
        theirs = (owner for owner, name in self.tables.members if name == member)
        return tuple(sorted(owner for owner in theirs if owner > after)[:limit])

    def forget(self, organization: str, *, member: str | None, at: Instant) -> Mapping[str, int]:
        """Empty the tables of an organization or of one member."""
        tables = self.tables
        self.touch(organization)
        counts = {}
        if member is None:
            counts["organization"] = _drop(tables.organizations, lambda key, _: key == organization)
            tables.erased |= {organization} if counts["organization"] else set()
            tables.exempt.discard(organization)
            counts["pool"] = _drop(tables.pools, lambda key, _: key[0] == organization)
            counts["api_key"] = _drop(
                tables.api_keys, lambda _, key: key.organization == organization
            )
            counts["subscription"] = _drop(
                tables.subscriptions, lambda _, each: each.organization == organization
            )
            counts["bulk_target"] = _drop(
                tables.bulk_targets, lambda key, _: key[0] == organization
            )

        def is_theirs(key: tuple[str | None, str | None]) -> bool:
            return key[0] == organization and member in (None, key[1])

        def is_told_of_them(_key: object, value: _About) -> bool:
            return is_theirs((value.organization, value.member))

        def is_to_them(
            _key: object, sent: Delivery | DeliveryNote | Link | OptionalMessage
        ) -> bool:
            owner = tables.offboardings[sent.offboarding].subject.organization
            return is_theirs((owner, sent.member))

        def is_on_its_way(key: Posted, value: Parcel) -> bool:
            return is_told_of_them(key, value.event)

        said = tables.case_notes
        tables.case_notes = [
            each for each in said if not is_told_of_them(None, tables.cases[each.said.note.case])
        ]
        notes = tables.delivery_notes
        tables.delivery_notes = [note for note in notes if not is_to_them(None, note)]
        gone = [each for key, each in tables.members.items() if is_theirs(key)]
        addresses = {fold_address(each.email) for each in gone}
        return counts | {
            "delivery": _drop(tables.deliveries, is_to_them),
            "delivery_note": len(notes) - len(tables.delivery_notes),
            "link": _drop(tables.links, is_to_them),
            "optional_message": _drop(tables.optional_messages, is_to_them),
            "request": _drop(tables.requests, lambda key, _: key[0] in addresses),
            "member_role": sum(len(each.roles) for each in gone),
            "seat": sum(len(each.pools) for each in gone),
            "parcel": _drop(tables.parcels, is_on_its_way),
            "outbox": _drop(tables.outbox, is_told_of_them),
            "hold": _drop(tables.holds, is_told_of_them),
            "unlock": _drop(tables.unlocks, is_told_of_them),
            "block": _drop(tables.blocks, lambda key, _: is_theirs(key)),
            "case_note": len(said) - len(tables.case_notes),
            "support_case": _drop(tables.cases, is_told_of_them),
            "block_note": _drop(tables.block_notes, is_told_of_them),
            "declined": _drop(tables.declined, lambda key, _: is_theirs(key)),
            "member": _drop(tables.members, lambda key, _: is_theirs(key)),
            "portal_link": _drop(tables.portal_links, is_told_of_them),
            "portal_session": _drop(tables.portal_sessions, is_told_of_them),
            "own_copy": _drop(tables.own_copies, is_told_of_them),
        }

    def put_policy(
        self, policy: Policy, *, at: Instant, by: str | None = None, reason: str | None = None
    ) -> bool:
        """Publish a version; false when that very version is there."""
        key = (policy.policy, policy.version)
        if key not in self.tables.policies:
            self.tables.policies[key] = policy
            self.tables.policy_notes[key] = PolicyNote(
                version=policy.version, published_at=at, by=by, reason=reason
            )
            return True
        if self.tables.policies[key] != policy:
            raise PolicyVersionTaken(policy=policy.policy, version=policy.version)
        return False

    def policy(self, policy: str, version: int | None = None) -> Policy | None:
        """Find a published version; the newest without a number."""
        versions = [number for name, number in self.tables.policies if name == policy]
        return self.tables.policies.get((policy, version or max(versions, default=0)))

    def policy_notes(self, policy: str) -> tuple[PolicyNote, ...]:
        """Say of every version of a policy when it was published."""
        found = [note for (name, _), note in self.tables.policy_notes.items() if name == policy]
        return tuple(sorted(found, key=lambda note: note.version, reverse=True))

    def policy_versions(self) -> tuple[tuple[Policy, int], ...]:
        """List every version, and how many off-boardings go on by it."""
        counts = Counter(
            (row.policy, row.policy_version)
            for row in self.tables.offboardings.values()
            if row.status in (OffboardingStatus.OPEN, OffboardingStatus.STOPPED)
        )
        return tuple((each, counts[key]) for key, each in sorted(self.tables.policies.items()))

    def policies(self) -> tuple[Policy, ...]:
        """List the newest version of every policy."""
        versions = dict(sorted(self.tables.policies.items()))
        return tuple({name: policy for (name, _), policy in versions.items()}.values())

    def place_hold(self, hold: Hold) -> None:
        """Store a hold, when no deletion of its organization is in flight."""
        rows = self.tables.offboardings.values()
        theirs = [row.id for row in rows if row.subject.organization == hold.organization]
        self.refuse_markers(theirs, now=hold.placed_at)
        self.tables.holds[hold.id] = hold

    def release_hold(self, hold: str, *, at: Instant) -> Hold | None:
        """End an active hold and return it as it was."""
        found = self.tables.holds.get(hold)
        if found is None or not found.is_active(at):
            return None
        self.tables.holds[hold] = replace(found, ends_at=at)
        return found

    def holds(self, organization: str) -> tuple[Hold, ...]:
        """List the holds of an organization."""
        found = [each for each in self.tables.holds.values() if each.organization == organization]
        return tuple(sorted(found, key=lambda each: (each.placed_at, each.id)))

    def grant_unlock(self, unlock: Unlock) -> None:
        """Store a temporary unlock."""
        self.tables.unlocks[len(self.tables.unlocks)] = unlock
        self.touch(unlock.organization)

    def unlocks(self, organization: str) -> tuple[Unlock, ...]:
        """List the unlocks of an organization."""
        return tuple(
            each for each in self.tables.unlocks.values() if each.organization == organization
        )

    def set_block(self, organization: str, *, member: str | None, is_blocked: bool) -> None:
        """Shut a subject out, or let it in again."""
        self.tables.blocks.pop((organization, member), None)
        self.touch(organization)
        if is_blocked:
            self.tables.blocks[organization, member] = None

    def note_block(self, note: BlockNote) -> None:
        """Shut a subject out, or let it in again, and keep who did so and why."""
        self.set_block(note.organization, member=note.member, is_blocked=note.is_blocked)
        self.tables.block_notes_made += 1
        self.tables.block_notes[self.tables.block_notes_made] = note

    def block_notes(self, organization: str) -> tuple[BlockNote, ...]:
        """List who shut somebody of an organization out or let them in again."""
        notes = self.tables.block_notes.values()
        return tuple(each for each in notes if each.organization == organization)

    def is_blocked(self, organization: str, *, member: str | None) -> bool:
        """Whether that very subject is shut out."""
        return (organization, member) in self.tables.blocks

    def blocked(self, organization: str) -> frozenset[str | None]:
        """Give the members of an organization who are shut out."""
        return frozenset(member for owner, member in self.tables.blocks if owner == organization)

    def set_exempt(self, organization: str, *, is_exempt: bool) -> None:
        """Take an organization out of the process, or put it back."""
        if organization not in self.tables.organizations:
            raise OrganizationUnknown(organization=organization)
        change = self.tables.exempt.add if is_exempt else self.tables.exempt.discard
        change(organization)

    def is_exempt(self, organization: str) -> bool:
        """Whether an organization is taken out of the process."""
        return organization in self.tables.exempt

    def set_paused(self, *, is_paused: bool, now: Instant) -> None:
        """Throw the pause switch, when no deletion is in flight."""
        self.refuse_markers(self.tables.offboardings, now=now)
        self.tables.is_paused = is_paused

    def is_paused(self) -> bool:
        """Whether everything destructive is stopped."""
        return self.tables.is_paused

    def set_daily_cap(self, erasures_max: int | None) -> None:
        """Allow so many deletions a day."""
        self.tables.erasures_max = erasures_max

    def daily_cap(self) -> int | None:
        """How many deletions a day are allowed."""
        return self.tables.erasures_max

    def lock_cap(self) -> None:
        """Know that nobody else is there: transactions follow one another."""

    def erasure_begun(self, *, before: int) -> Instant | None:
        """Say when the destructive step was first started that so many others followed."""
        destructive = (row.started_at for row in self.tables.steps.values() if row.is_destructive)
        begun = sorted((at for at in destructive if at is not None), reverse=True)
        return next(iter(begun[before:]), None)


def _put(table: dict[_Key, _Value], wanted: Mapping[_Key, _Value]) -> Changes:
    created = sum(key not in table for key in wanted)
    same = sum(key in table and table[key] == value for key, value in wanted.items())
    table.update(wanted)
    return Changes(created=created, changed=len(wanted) - created - same, same=same)


def _changed(table: Mapping[_Key, _Value], wanted: Mapping[_Key, _Value]) -> Iterator[_Key]:
    return (key for key, value in wanted.items() if table.get(key) != value)


def _of(table: Mapping[Owned, _Named], organization: str) -> tuple[_Named, ...]:
    return tuple(table[key] for key in sorted(table) if key[0] == organization)


def _drop(table: dict[_Key, _Value], is_gone: Callable[[_Key, _Value], bool]) -> int:
    gone = [key for key, value in table.items() if is_gone(key, value)]
    for key in gone:
        del table[key]
    return len(gone)
