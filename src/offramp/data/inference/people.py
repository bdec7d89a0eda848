"""Who the people are, what they have earned, and what an organization is recognized by.

Everything that inference says about people lives here: only what is recognizable beyond doubt is
proposed, by the names of tables and columns.

Source: data/datamap.py (`people`, `achievements`, `marks`).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog, CatalogTable
from offramp.data.datamap import AchievementRule, MembersRule
from offramp.data.inference.category import is_about_people
from offramp.data.inference.name import first_present, singular, spell
from offramp.data.inference.proposal import TableProposal
from offramp.data.inference.way import Choice, follow

_EMAIL = ("email", "e_mail", "email_address", "mail")
_NAMES = (("first_name", "last_name"), ("given_name", "family_name"))
_NAME = ("display_name", "full_name", "name")
_AWARD = re.compile(r"(?:^|_)(?:certificate|achievement|badge|award|diploma|medal|credential)$")
_SESSION = re.compile(r"(?:^|_)(?:session|refresh_token|access_token|login_token)$")
_ENDING = re.compile(r"^(?:expire|expiry|valid_until|revoked|last_seen)")
_TITLES = ("title", "name", "label", "serial", "number", "badge")
_MOMENTS = ("issued_at", "earned_at", "awarded_at", "achieved_at", "granted_at", "issued_on",
            "earned_on", "awarded_on", "completed_at", "created_at")  # fmt: skip
_HOLDERS = ("holder_name", "holder", "recipient_name")


def find_member(catalog: Catalog, ways: Mapping[str, Choice]) -> str | None:
    """Name the key of the one table that seems to hold the people, as ``users.id``."""
    found = [
        table
        for name, table in catalog.tables.items()
        if name in ways
        and is_about_people(table)
        and len(table.key) == 1
        and first_present(table, _EMAIL)
    ]
    users = [table for table in found if singular(table.name).endswith("user")]
    for candidates in (users, found):
        if len(candidates) == 1:
            return f"{candidates[0].name}.{candidates[0].key[0]}"
    return None


def propose_members(source: str, table: CatalogTable, *, key: str) -> MembersRule | None:
    """Say how members are reached, where their table has an e-mail column."""
    email = first_present(table, _EMAIL)
    if email is None:
        return None
    pairs = (tuple(first_present(table, (part,)) for part in pair) for pair in _NAMES)
    whole = first_present(table, _NAME)
    name = next((pair for pair in pairs if all(pair)), (whole,))
    return MembersRule(
        table=f"{source}.{table.name}",
        key=key,
        email=email,
        name=tuple(part for part in name if part),
        locale=first_present(table, ("locale", "language", "lang")),
        zone=first_present(table, ("time_zone", "timezone", "tz")),
    )


def propose_achievements(
    source: str, catalog: Catalog, ways: Mapping[str, Choice], *, member: str | None,
    decided: Collection[str],
) -> Iterator[AchievementRule]:  # fmt: skip
    """Find tables of what people have earned, among those whose rows lead to a person."""
    for name, table in catalog.tables.items():
        leads = name in decided and member in follow(ways, name)[1:]
        if not leads or not _AWARD.search(singular(name)):
            continue
        text = [column for column, each in table.columns.items() if each.is_text]
        title = first_present(table, _TITLES)
        at = first_present(table, _MOMENTS)
        if title in text and at is not None:
            holder = first_present(table, _HOLDERS)
            rule = AchievementRule(table=f"{source}.{name}", title=title, holder=holder, at=at)
            yield rule


def may_be_sessions(catalog: Catalog, table: CatalogTable, *, member: str | None) -> bool:
    """Say whether rows may be open sessions of people: it is said, and never proposed.

    A lesson is called a session as well, and it must not end with access.
    """
    is_theirs = any(reference.parent == member for reference in table.references)
    ends = any(_ENDING.search(spell(column)) for column in table.columns)
    is_named_so = _SESSION.search(singular(table.name)) is not None
    return is_named_so and is_theirs and ends and not catalog.referring_to(table.name)


def propose_marks(
    source: str, catalog: Catalog, tables: Sequence[TableProposal], *, root: str
) -> Iterator[str]:
    """Name what tells an organization from all others: its unique texts, and e-mail addresses."""
    for proposal in tables:
        if proposal.shared is not None:
            continue
        table = catalog.tables[proposal.name]
        for column in proposal.columns:
            if not table.columns[column.name].is_text or column.is_secret:
                continue
            is_own = table.name == root and (column.name,) in table.unique
            if is_own or column.category == "user.contact.email":
                yield f"{source}.{table.name}.{column.name}"


def is_json(table: CatalogTable, column: str) -> bool:
    """Say whether a column may hold anything, whatever its name promises."""
    return isinstance(table.columns[column].type, sa.JSON | sa.ARRAY)
