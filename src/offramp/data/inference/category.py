"""What a column seems to hold, guessed from its name and its type.

Everything that turns a name into a data category lives here. The first line of the table that
fits decides; what fits none is told apart by type, and text without a telling name is taken for
content of people, because too careful is the right way to be wrong.

Source: data/category.py; L17 (secrets are never exported).
"""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from offramp.data.catalog.catalog import CatalogColumn, CatalogTable
from offramp.data.inference.name import spell
from offramp.data.inference.proposal import ColumnProposal

PERSON_NOUNS = "user|member|person|employee|learner|student|customer|contact|profile|people"
_KEYS = ("id", "uuid", "guid", "pk", "key")
_ANY, _TEXT, _NUMBER = "any", "text", "number"


@dataclass(frozen=True, slots=True)
class _Habit:
    """Names that mean one category; `strong` ones hardly ever stand in a mere catalog."""

    words: str
    category: str
    kind: str = _TEXT
    strong: bool = True

    def fits(self, name: str, column: CatalogColumn) -> bool:
        if not re.search(rf"(?:^|_)(?:{self.words})(?:_|\d|$)", name):
            return False
        return self.kind in (_ANY, _kind(column))


_SECRET = _Habit(
    "password|passwd|pwd|passphrase|secret|tokens?|api_?key|private_key|access_key|session_key"
    "|otp|totp|salt|hash|pin_code|recovery_codes?|backup_codes?|credentials?",
    "user.authorization.credentials",
)
_HABITS = (
    _Habit(r"e_?mail(?:_addr(?:ess)?)?(?=[_\d]*$)", "user.contact.email"),
    _Habit("first_?name|given_name|forename", "user.name.first"),
    _Habit("last_?name|family_name|surname", "user.name.last"),
    _Habit("(?:full|display|real|contact|holder|middle|nick|author|sender)_?name", "user.name"),
    _Habit("user_?name|login|slug", "user.account.username", strong=False),
    _Habit("phone|phone_number|telephone|mobile|cell", "user.contact.phone_number"),
    _Habit("fax", "user.contact.fax_number"),
    _Habit("ip|ip_addr|ip_address|remote_addr", "user.device.ip_address", _ANY),
    _Habit("user_agent|device|mac_address", "user.device"),
    _Habit("cookies?", "user.device.cookie"),
    _Habit("street|address_?line|line_?[1-9]", "user.contact.address.street"),
    _Habit("postcode|postal_code|zip|zip_?code", "user.contact.address.postal_code", strong=False),
    _Habit("city|town", "user.contact.address.city", strong=False),
    _Habit("province|county", "user.contact.address.state", strong=False),
    _Habit("country|country_code", "user.contact.address.country", strong=False),
    _Habit("address", "user.contact.address"),
    _Habit("birth_?date|date_of_birth|dob|birth_?day|born_on", "user.demographic.date_of_birth",
           _ANY),
    _Habit("gender|sex", "user.demographic.gender", strong=False),
    _Habit("locale|language|lang", "user.demographic.language", strong=False),
    _Habit("time_?zone|tz", "user.location", strong=False),
    _Habit("latitude|longitude|lat|lng|lon", "user.location.precise", _NUMBER),
    _Habit("iban|bic|swift|account_number|bank_account", "user.financial.bank_account"),
    _Habit("card_number|credit_card|pan", "user.financial.credit_card"),
    _Habit("vat_no|vat_number|vat_id|tax_id|salary", "user.financial", _ANY),
    _Habit("ssn|national_id|social_security", "user.government_id.national_identification_number"),
    _Habit("passport", "user.government_id.passport_number"),
    _Habit("driv\\w+_licen[cs]e", "user.government_id.drivers_license_number"),
    _Habit("avatar|photo|portrait", "user.content.self_image"),
    _Habit("job_title|position_title", "user.job_title", strong=False),
    _Habit("website|homepage", "user.contact.url", strong=False),
    _Habit("roles?|permissions?", "user.authorization", strong=False),
    _Habit("last_login|last_seen|last_active|signed_in", "user.behavior", _ANY, strong=False),
    _Habit("status|kind|type|state|currency|mime", "system.operations", strong=False),
)  # fmt: skip


def guess_column(
    table: CatalogTable, column: CatalogColumn, *, member: str | None, known: str | None
) -> ColumnProposal:
    """Say what a column seems to hold: what is known, then its role, its name, its type."""
    name = spell(column.name)
    if known is not None:
        secret = known.startswith("user.authorization.") or _SECRET.fits(name, column)
        return _proposal(column, known, "imported from the Fideslang dataset", secret=secret)
    role = _guess_role(table, column, member)
    if role is not None:
        return role
    if _SECRET.fits(name, column):
        return _proposal(column, _SECRET.category, "its name: a secret", secret=True, strong=True)
    if isinstance(column.type, sa.Enum):
        return _proposal(column, "system.operations", "one of a fixed list of words")
    for habit in _HABITS:
        if habit.fits(name, column):
            return _proposal(column, habit.category, "its name", strong=habit.strong)
    if is_about_people(table) and name == "name":
        return _proposal(column, "user.name", "its name, in a table of people", strong=True)
    return _guess_type(table, column)


def is_about_people(table: CatalogTable) -> bool:
    """Say whether the name of a table means people."""
    return re.search(rf"(?:^|_)(?:{PERSON_NOUNS})s?$", spell(table.name)) is not None


def _guess_role(
    table: CatalogTable, column: CatalogColumn, member: str | None
) -> ColumnProposal | None:
    for reference in table.references:
        if column.name in reference.columns:
            category = "user.unique_id" if reference.parent == member else "system.operations"
            return _proposal(column, category, f"refers to {reference.parent}")
    is_plain = spell(column.name) in _KEYS or _kind(column) != _TEXT
    if column.name in table.key and is_plain:
        category = "user.unique_id" if table.name == member else "system.operations"
        return _proposal(column, category, "the key")
    return None


def _guess_type(table: CatalogTable, column: CatalogColumn) -> ColumnProposal:
    wide = "user" if is_about_people(table) else "user.content"
    computed = ", computed by the database" if column.is_generated else ""
    match column.type:
        case sa.JSON() | sa.ARRAY():
            return _proposal(column, wide, "may hold anything: look into it" + computed)
        case sa.LargeBinary():
            return _proposal(column, wide, "a file or other bytes" + computed)
        case sa.String() | sa.types.NullType():
            return _proposal(column, wide, "text that people may have written" + computed)
        case kind:
            told = type(kind).__name__.lower()
            return _proposal(column, "system.operations", f"type {told}{computed}")


def _kind(column: CatalogColumn) -> str:
    match column.type:
        case sa.Enum():
            return "other"
        case sa.String() | sa.LargeBinary() | sa.JSON() | sa.ARRAY() | sa.types.NullType():
            return _TEXT
        case sa.Integer() | sa.Numeric():
            return _NUMBER
        case _:
            return "other"


def _proposal(
    column: CatalogColumn, category: str, reason: str, *, secret: bool = False, strong: bool = False
) -> ColumnProposal:
    return ColumnProposal(
        name=column.name,
        category=category,
        reason=reason,
        is_secret=secret,
        is_replaced=secret and column.is_text and not (column.nullable or column.has_default),
        is_personal=strong,
    )
