"""What belongs to no organization: tables from which no reference leads to the root.

The law of what may be called shared lives here. Personal data is the measure:

* a catalog is what organizations name, or what such tables name, and that holds no personal data;
* a part of tables that lead to no organization leads to none either, whatever it holds;
* what stands alone is shared only where nothing in it could name a person or an organization;
* a number whose name means a person or an organization may name one, whatever is declared;
* what organizations name and what holds personal data may be theirs: it is not decided here.

Source: L15.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog, CatalogTable, Reference
from offramp.data.inference.category import PERSON_NOUNS
from offramp.data.inference.name import TENANT, singular, spell

Personal = Callable[[str], list[str]]

_HISTORIES = frozenset(
    {
        "alembic_version",
        "django_migrations",
        "schema_migrations",
        "ar_internal_metadata",
        "migrations",
        "flyway_schema_history",
        "databasechangelog",
        "databasechangeloglock",
        "knex_migrations",
        "knex_migrations_lock",
        "_prisma_migrations",
        "sequelizemeta",
        "goose_db_version",
    }
)


class Outside:
    """The tables of one catalog that lead to no organization, and why each may be left alone."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        root: str,
        owned: Collection[str],
        personal: Personal,
        several: Mapping[str, str],
    ) -> None:
        """Take what is known: whose tables are owned, and which are of several organizations."""
        self.catalog = catalog
        self.root = root
        self.owned = owned
        self.personal = personal
        self.several = several
        self.named = self._named()
        self.stained = self._stained()

    def why_shared(self, name: str) -> str | None:
        """Say why a table belongs to nobody, where that is certain."""
        table = self.catalog.tables[name]
        if name in self.owned:
            return None
        if table.own_name.lower() in _HISTORIES:
            return "history of the schema, belongs to nobody"
        if name in self.several:
            return f"belongs to no single organization ({self.several[name]})"
        if self.is_named_by_owned(name) and (name in self.stained or self.personal(name)):
            return None
        if name in self.named and name not in self.stained:
            return f"catalog, belongs to nobody: {self.named[name]} refers to it"
        return self._why_left(name)

    def _why_left(self, name: str) -> str | None:
        """Say why a table that no organization names is nobody's."""
        table = self.catalog.tables[name]
        if list(self._suspects(table)):
            return None
        if parents := self.parents(name):
            return f"part of {', '.join(parents)}, and of no organization"
        if self.personal(name):
            return None
        if users := sorted({each.table for each in self._users(name)}):
            return f"catalog, belongs to nobody: {', '.join(users)} refer to it"
        if not list(_free(table)):
            return "stands alone, and nothing in it names a person or an organization"
        return None

    def note(self, name: str) -> str | None:
        """Say what is left alone although it holds personal data, because its parents are."""
        personal = ", ".join(self.personal(name))
        if not personal or self.why_shared(name) is None or name in self.several:
            return None
        return f"{name}: holds {personal}, and stays as {', '.join(self.parents(name))} does"

    def why_open(self, name: str) -> str:
        """Say why it is not certain whose a table is."""
        root = self.root
        personal = ", ".join(self.personal(name))
        if name in self.named and personal:
            return f"holds {personal}, and only {self.named[name]} refers to it"
        if name in self.named:
            return f"refers to personal data, and only {self.named[name]} refers to it"
        if personal:
            return f"holds {personal}, and nothing leads from it to {root}"
        table = self.catalog.tables[name]
        if suspects := ", ".join(self._suspects(table)):
            return f"nothing leads from it to {root}, and {suspects} may name one"
        free = ", ".join(_free(table))
        return f"nothing leads from it to {root}, nor from there to it; {free} may hold anything"

    def owners(self, name: str) -> list[str]:
        """Name the references of organizations' rows by which rows of a table could be owned."""
        return [each.label for each in self._users(name) if each.table in self.owned]

    def is_named_by_owned(self, name: str) -> bool:
        """Say whether rows of organizations refer to a table themselves."""
        return any(each.table in self.owned for each in self._users(name))

    def parents(self, name: str) -> list[str]:
        """Name the tables that a table refers to."""
        return sorted({each.parent for each in self.catalog.tables[name].references} - {name})

    def _suspects(self, table: CatalogTable) -> Iterator[str]:
        """Name numbers that are no reference, and whose name means a person or an organization."""
        explained = {column for each in table.references for column in each.columns}
        root = singular(self.catalog.tables[self.root].own_name).rpartition("_")[2]
        nouns = "|".join((*TENANT, PERSON_NOUNS, re.escape(root)))
        named = re.compile(rf"(?:^|_)(?:{nouns})(?:_(?:id|uuid|key|no|number|ref))?$")
        for name, column in table.columns.items():
            is_key = isinstance(column.type, sa.Integer | sa.Uuid) and name not in explained
            if is_key and named.search(spell(name)):
                yield name

    def _users(self, name: str) -> list[Reference]:
        return [each for each in self.catalog.referring_to(name) if each.table != name]

    def _named(self) -> Mapping[str, str]:
        """Find what organizations refer to, over however many references.

        Shape:
            table -> a reference by which it is reached.
        """
        found: dict[str, str] = {}
        left = sorted(self.owned)
        while left:
            for reference in self.catalog.tables[left.pop()].references:
                parent = reference.parent
                is_new = parent in self.catalog.tables and parent not in found
                if is_new and parent not in self.owned:
                    found[parent] = reference.label
                    left.append(parent)
        return found

    def _stained(self) -> frozenset[str]:
        """Find what can be no catalog: it holds personal data, or refers to what does."""
        outside = [name for name in self.catalog.tables if name not in self.owned]
        found = {name for name in outside if self.personal(name)}
        while True:
            more = {
                name
                for name in outside
                if any(each.parent in found for each in self.catalog.tables[name].references)
            }
            if more <= found:
                return frozenset(found)
            found |= more


def _free(table: CatalogTable) -> Iterator[str]:
    """Name the columns of a table on its own that could hold anything, or name anybody."""
    for name, column in table.columns.items():
        is_text = isinstance(column.type, sa.Text)
        is_bytes = isinstance(column.type, sa.JSON | sa.ARRAY | sa.LargeBinary | sa.types.NullType)
        is_name = spell(name).endswith(("_id", "_uuid", "_by")) and name not in table.key
        if is_text or is_bytes or is_name:
            yield name
