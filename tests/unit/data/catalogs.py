"""Catalogs written down in a line: ``users: id* company_id>companies! email``."""

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog, CatalogColumn, CatalogTable, Reference

TYPES = {
    "text": sa.Text(),
    "date": sa.Date(),
    "at": sa.DateTime(),
    "json": sa.JSON(),
    "bytes": sa.LargeBinary(),
    "uuid": sa.Uuid(),
    "array": sa.ARRAY(sa.Text()),
    "enum": sa.Enum("a", "b", name="mood"),
    "bool": sa.Boolean(),
}


def catalog(*lines):
    """Read tables: ``*`` is in the key, ``!`` not null, ``~`` unique, ``>t`` or ``>t.c`` refers.

    A column is an integer unless its type follows a colon; several columns that refer together are
    joined by a plus: ``a+b>parent.x+y``.
    """
    tables = (_table(line) for line in lines)
    return Catalog(tables={table.name: table for table in tables})


def _table(line):
    name, _, rest = line.partition(": ")
    columns, key, unique, references = {}, [], [], []
    for word in rest.split():
        plain = word.rstrip("*!~")
        marks = word[len(plain) :]
        written, _, target = plain.partition(">")
        names = []
        for part in written.split("+"):
            column, _, kind = part.partition(":")
            names.append(column)
            if column not in columns:
                columns[column] = CatalogColumn(
                    name=column,
                    type=TYPES.get(kind, sa.Integer()),
                    nullable="*" not in marks and "!" not in marks,
                )
        key += names if "*" in marks else []
        unique += [tuple(names)] if "~" in marks else []
        if target:
            references.append(_reference(name, names, target, columns))
    return CatalogTable(
        name=name,
        columns=columns,
        key=tuple(key),
        references=tuple(references),
        unique=tuple(unique),
    )


def _reference(table, names, target, columns):
    parent, _, parent_columns = target.partition(".")
    return Reference(
        table=table,
        columns=tuple(names),
        parent=parent,
        parent_columns=tuple((parent_columns or "id").split("+")),
        emptied=tuple(name for name in names if columns[name].nullable),
        indexed=True,
        on_delete="NO ACTION",
    )
