"""Names of tables and columns as people mean them: words, singular, what an id column points at.

Everything that inference reads out of a name alone lives here. A name is a hint, never a proof:
whoever uses one writes that down as the reason.

Source: the naming habits of Rails, Django, Laravel, Prisma and hand-written schemas.
"""

import re
from collections.abc import Iterable, Mapping

from offramp.data.catalog.catalog import Catalog, CatalogTable
from offramp.data.datamap import split_column

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}
TENANT = ("tenant", "organization", "organisation", "org", "company", "account", "workspace")


def spell(name: str) -> str:
    """Return a name as lower-case words: ``companyId`` is ``company_id``."""
    return "_".join(word for word in _CAMEL.split(name) if word).lower()


def singular(name: str) -> str:
    """Return the name of one row of a table: ``auth_users`` is ``auth_user``."""
    before, underscore, word = spell(name).rpartition("_")
    return before + underscore + _singular(word)


def guess_references(catalog: Catalog, *, root: str) -> dict[str, dict[str, str]]:
    """Find columns that seem to name a row of another table without a foreign key.

    Shape:
        table -> column -> ``parent.column``, of tables that have such a column only.
    """
    found = {name: _guess(catalog, table, root) for name, table in catalog.tables.items()}
    return {name: guessed for name, guessed in found.items() if guessed}


def _guess(catalog: Catalog, table: CatalogTable, root: str) -> dict[str, str]:
    referring = {column for reference in table.references for column in reference.columns}
    guessed = {}
    root_table, root_key = split_column(root)
    for name, column in table.columns.items():
        stem, found, _ = spell(name).rpartition("_id")
        if name in referring or not found or spell(name) != f"{stem}_id":
            continue
        target = _target(catalog, stem, root, has_keys=bool(table.references))
        if target is None or target.name == table.name:
            continue
        key = root_key if target.name == root_table else target.key[0]
        if column.may_name(target.columns[key]) and target.is_nameable and "." not in key:
            guessed[name] = f"{target.name}.{key}"
    return guessed


def _target(catalog: Catalog, stem: str, root: str, *, has_keys: bool) -> CatalogTable | None:
    """Find the one table that a column of this name can mean.

    A table that declares foreign keys declares the others too, so that only a plain name counts.
    """
    names = {name: singular(table.own_name) for name, table in catalog.tables.items()}
    exact = [name for name, one in names.items() if stem == one]
    if not exact and stem in TENANT:
        exact = [split_column(root)[0]]
    near = [name for name, one in names.items() if _ends_alike(stem, one)]
    for matching in (exact, [] if has_keys else near):
        if len(matching) == 1 and len(catalog.tables[matching[0]].key) == 1:
            return catalog.tables[matching[0]]
    return None


def _ends_alike(stem: str, one: str) -> bool:
    return stem.endswith(f"_{one}") or one.endswith(f"_{stem}")


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    endings: Iterable[tuple[str, str]] = (
        ("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("ss", "ss"),
        ("us", "us"), ("s", ""),
    )  # fmt: skip
    for ending, one in endings:
        if word.endswith(ending) and len(word) > len(ending):
            return word.removesuffix(ending) + one
    return word


def first_present(table: CatalogTable, wanted: Iterable[str]) -> str | None:
    """Return the table's column that has the first of these names, however it is spelt."""
    columns: Mapping[str, str] = {spell(name): name for name in table.columns}
    return next((columns[name] for name in wanted if name in columns), None)
