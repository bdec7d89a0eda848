"""Organizations, pools and members, with their roles and seats.

Every statement on the facts lives here, but for their end (``erasure.py``).

Source: docs/glossary.md; lesson L22 (a tombstone refuses a return).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, select, tuple_
from sqlalchemy.engine import Row as Found

from offramp.adapters.store import schema
from offramp.adapters.store.part import Row, batches, compare
from offramp.adapters.store.revision import RevisionPart
from offramp.core.model import Member, Organization, Pool, Role
from offramp.ports import Changes, OrganizationErased, OrganizationUnknown

_Owned: TypeAlias = tuple[str, str]  # organization, and what is its
_Asked: TypeAlias = tuple[Select[Any], Select[Any], Select[Any]]  # members, roles, seats
_Choice: TypeAlias = Callable[[ColumnElement[str], ColumnElement[str]], ColumnElement[bool]]


class FactPart(RevisionPart):
    """What was told about customers."""

    def put_organizations(self, organizations: Sequence[Organization]) -> Changes:
        """Create or change organizations."""
        table = schema.organization
        wanted = {value.id: value for value in organizations}
        before: dict[str, Organization] = {}
        for ids in batches(sorted(wanted)):
            chosen = select(table).where(table.c.id.in_(ids)).order_by(table.c.id)
            for row in self.connection.execute(chosen.with_for_update()):
                if row.erased_at is not None:
                    raise OrganizationErased(organization=row.id)
                before[row.id] = _organization(row)
        written, changes = compare(before, wanted)
        self._put(table, [{**asdict(value), **_overrides(value)} for value in written])
        self.touched.update(value.id for value in written)
        return changes

    def put_pools(self, pools: Sequence[Pool]) -> Changes:
        """Create or change pools."""
        table = schema.pool
        wanted = {(value.organization, value.id): value for value in pools}
        self.require_organizations(organization for organization, _ in wanted)
        before: dict[_Owned, Pool] = {}
        for keys in batches(list(wanted)):
            chosen = select(table).where(_among(keys)(table.c.organization, table.c.id))
            for row in self.connection.execute(chosen):
                before[row.organization, row.id] = Pool(**row._mapping)
        written, changes = compare(before, wanted)
        self._put(table, [asdict(value) for value in written])
        self.touched.update(value.organization for value in written)
        return changes

    def put_members(self, members: Sequence[Member]) -> Changes:
        """Create or change members, and make their roles and seats what is said."""
        wanted = {(value.organization, value.id): value for value in members}
        self.require_organizations(organization for organization, _ in wanted)
        before: dict[_Owned, Member] = {}
        for keys in batches(list(wanted)):
            before |= self._members(_asked(_among(keys)))
        written, changes = compare(before, wanted)
        self._put(schema.member, [_person(value) for value in written])
        known = [(value.organization, value.id) for value in written]
        for keys in batches([key for key in known if key in before]):
            for table in (schema.member_role, schema.seat):
                theirs = _among(keys)(table.c.organization, table.c.member)
                self.connection.execute(delete(table).where(theirs))
        self._add(schema.member_role, [row for value in written for row in _roles(value)])
        self._add(schema.seat, [row for value in written for row in _seats(value)])
        self.touched.update(value.organization for value in written)
        return changes

    def organization(self, organization: str) -> Organization | None:
        """Find one organization that is not erased."""
        return next(iter(self._organizations(schema.organization.c.id == organization)), None)

    def organizations(self) -> tuple[Organization, ...]:
        """List the organizations that are not erased."""
        return self._organizations()

    def pools(self, organization: str) -> tuple[Pool, ...]:
        """List the pools of an organization."""
        table = schema.pool
        chosen = select(table).where(table.c.organization == organization).order_by(table.c.id)
        return tuple(Pool(**row._mapping) for row in self.connection.execute(chosen))

    def member(self, organization: str, member: str) -> Member | None:
        """Find one member."""
        key = (organization, member)
        return self._members(_asked(_among([key]))).get(key)

    def members(
        self, organization: str, *, among: Collection[str] | None = None
    ) -> tuple[Member, ...]:
        """List the members of an organization."""
        if among is None:
            found = self._members(_asked(lambda owner, _: owner == organization))
        else:
            found = self._members(_SOME, {"its_organization": organization, "ids": list(among)})
        return tuple(found.values())

    def roles(self, organization: str) -> Mapping[str, frozenset[Role]]:
        """Give the roles of every member of an organization."""
        member, role = schema.member.c, schema.member_role.c
        people = select(member.id).where(member.organization == organization).order_by(member.id)
        roles = select(role.member, role.role).where(role.organization == organization)
        held: dict[str, list[Role]] = {}
        for each, its in self.connection.execute(roles):
            held.setdefault(each, []).append(Role(its))
        return {each: frozenset(held.get(each, ())) for each in self.connection.scalars(people)}

    def organizations_of(self, member: str, *, after: str, limit: int) -> tuple[str, ...]:
        """List the organizations that have a member of an id, past one of them."""
        table = schema.member.c
        chosen = select(table.organization).where(table.id == member, table.organization > after)
        return tuple(self.connection.scalars(chosen.order_by(table.organization).limit(limit)))

    def require_organizations(self, organizations: Iterable[str]) -> None:
        """Refuse what belongs to nobody; until the transaction ends nobody erases them.

        Raises:
            OrganizationUnknown: there is no such organization.
            OrganizationErased: there was one.
        """
        table = schema.organization
        for ids in batches(sorted(set(organizations))):
            chosen = select(table.c.id, table.c.erased_at).where(table.c.id.in_(ids))
            shared = chosen.order_by(table.c.id).with_for_update(read=True)
            erased_at = {row.id: row.erased_at for row in self.connection.execute(shared)}
            for organization in ids:
                if organization not in erased_at:
                    raise OrganizationUnknown(organization=organization)
                if erased_at[organization] is not None:
                    raise OrganizationErased(organization=organization)

    def _organizations(
        self,
        *conditions: ColumnElement[bool],
        order: Sequence[ColumnElement[str]] = (schema.organization.c.id,),
        limit: int | None = None,
    ) -> tuple[Organization, ...]:
        table = schema.organization
        chosen = select(table).where(table.c.erased_at.is_(None), *conditions)
        rows = self.connection.execute(chosen.order_by(*order).limit(limit))
        return tuple(_organization(row) for row in rows)

    def _members(self, asked: _Asked, values: Row | None = None) -> dict[_Owned, Member]:
        members, *grouped = asked
        roles, pools = (self._grouped(each, values) for each in grouped)
        found = {}
        rows = self.connection.execute(members, values)
        names = tuple(rows.keys())
        for row in rows:
            key = (row.organization, row.id)
            found[key] = Member(
                **dict(zip(names, row, strict=True)),
                roles=frozenset(Role(role) for role in roles.get(key, ())),
                pools=frozenset(pools.get(key, ())),
            )
        return found

    def _grouped(self, chosen: Select[Any], values: Row | None) -> dict[_Owned, set[str]]:
        found: dict[_Owned, set[str]] = {}
        for organization, member, value in self.connection.execute(chosen, values):
            found.setdefault((organization, member), set()).add(value)
        return found


def _asked(choice: _Choice) -> _Asked:
    """Ask for some members, their roles and their pools."""
    member, role, seat = schema.member.c, schema.member_role.c, schema.seat.c
    members = select(schema.member).where(choice(member.organization, member.id))
    return (
        members.order_by(member.organization, member.id),
        select(role.organization, role.member, role.role).where(
            choice(role.organization, role.member)
        ),
        select(seat.organization, seat.member, seat.pool).where(
            choice(seat.organization, seat.member)
        ),
    )


def _among(keys: Iterable[_Owned]) -> _Choice:
    return lambda organization, owned: tuple_(organization, owned).in_(list(keys))


# Asked for every few messages; building the statements took longer than asking them.
_SOME = _asked(
    lambda owner, member: and_(
        owner == bindparam("its_organization"), member.in_(bindparam("ids", expanding=True))
    )
)


def _organization(row: Found[Any]) -> Organization:
    return Organization(
        id=row.id,
        name=row.name,
        zone=row.zone,
        locale=row.locale,
        policy=row.policy,
        overrides=row.overrides,
    )


def _overrides(organization: Organization) -> Row:
    return {"overrides": dict(organization.overrides)}


def _person(member: Member) -> Row:
    names = ("organization", "id", "email", "name", "locale", "zone")
    ends = ("ends", "removed_at", "product_ends")
    return {name: getattr(member, name) for name in (*names, *ends)}


def _roles(member: Member) -> list[Row]:
    key = {"organization": member.organization, "member": member.id}
    return [{**key, "role": role.value} for role in member.roles]


def _seats(member: Member) -> list[Row]:
    key = {"organization": member.organization, "member": member.id}
    return [{**key, "pool": pool} for pool in member.pools]
