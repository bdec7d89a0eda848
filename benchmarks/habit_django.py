"""A deletion by Django: ``organization.delete()``, after its own serializers have exported.

The models are what ``inspectdb`` would write for the tables, with ``CASCADE`` on every reference
but the one that closes a cycle.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import sqlalchemy as sa
from django.conf import settings
from django.core import serializers
from django.db import connection, models, transaction

from benchmarks.child import report
from benchmarks.schema import OWNED, TABLES, Table
from benchmarks.yardstick import WAYS

_APP = "benchmarks"
_ROWS_AT_ONCE = 2_000
_BY_NAME = {table.name: table for table in OWNED}
_FIELDS = {
    "bigint": models.BigIntegerField,
    "integer": models.IntegerField,
    "real": models.FloatField,
    "boolean": models.BooleanField,
    "text": models.TextField,
    "timestamptz": models.DateTimeField,
    "date": models.DateField,
    "jsonb": models.JSONField,
    "numeric(5,2)": models.DecimalField,
}


def configure(url: str) -> None:
    """Tell Django where the database is, and which application there is."""
    parts = sa.make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.database,
        "USER": parts.username,
        "HOST": parts.query["host"],
    }
    settings.configure(INSTALLED_APPS=[_APP], DATABASES={"default": database}, USE_TZ=True)
    django.setup()


def make_models() -> dict[str, Any]:
    """Make a model for each table, by its name."""
    return {
        table.name: type(
            table.name.capitalize(),
            (models.Model,),
            {"__module__": __name__, "Meta": _meta(table), **dict(_fields_of(table))},
        )
        for table in TABLES
    }


def leave(known: dict[str, Any], *, organization: int, file: Path) -> int:
    """Export and delete every row of an organization; gives the number of rows."""
    rows = 0
    with file.open("w", encoding="utf-8") as sink:
        for table in WAYS:
            found = known[table].objects.filter(**{_way(table): organization})
            rows += found.count()
            serializers.serialize("jsonl", found.iterator(chunk_size=_ROWS_AT_ONCE), stream=sink)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # as Django makes its own references
        known["organizations"].objects.get(pk=organization).delete()
    return rows


def _way(table: str) -> str:
    """Give the way to the organization as a lookup: ``visit__enrollment__person__organization``."""
    names = []
    while table != "organizations":
        column = _BY_NAME[table].links[0].columns.split(", ")[0]
        names.append(column.removesuffix("_id"))
        if column == "organization_id":
            return "__".join([*names, "pk"])
        table = _BY_NAME[table].links[0].parent
    return "pk"


def _meta(table: Table) -> type:
    return type("Meta", (), {"app_label": _APP, "db_table": table.name, "managed": False})


def _fields_of(table: Table) -> Iterator[tuple[str, Any]]:
    parents = dict(_parents(table))
    for name, kind in table.fields():
        words = kind.split()
        nullable = words[1:] != ["not", "null"]
        if name in parents:
            cascade = models.SET_NULL if name == "lead_id" else models.CASCADE
            parent = f"{_APP}.{parents[name].capitalize()}"
            yield (
                name.removesuffix("_id"),
                models.ForeignKey(parent, cascade, db_column=name, null=nullable, related_name="+"),
            )
        else:
            digits = {"max_digits": 5, "decimal_places": 2} if "numeric" in kind else {}
            yield name, _FIELDS[words[0]](primary_key=name == table.key, null=nullable, **digits)
    if ", " in table.key:
        yield "pk", models.CompositePrimaryKey(*table.key.split(", "))


def _parents(table: Table) -> Iterator[tuple[str, str]]:
    """List the columns that refer to a row; Django knows no reference of two columns."""
    for link in table.links:
        if ", " in link.columns:
            yield from (("organization_id", "organizations"), ("person_id", "people"))
        else:
            yield link.columns, link.parent


def main(url: str, organization: str, file: str, _log_url: str) -> None:
    """Let an organization leave, and tell how long it took."""
    configure(url)
    known = make_models()
    connection.ensure_connection()
    report(lambda: leave(known, organization=int(organization), file=Path(file)))
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
