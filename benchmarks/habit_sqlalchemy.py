"""A deletion by SQLAlchemy's ORM: objects for every row, and cascades that follow relationships.

The classes are made from the live tables. A row's way to the organization is a relationship with
``cascade="all, delete"`` on the parent's side, as its manual shows; every other reference is one
on the child's side, which is what puts the deletions in order.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, registry, relationship

from benchmarks.child import report
from benchmarks.schema import TABLES, Link, Table
from benchmarks.yardstick import WAYS, select

_ROWS_AT_ONCE = 2_000


def map_classes(engine: sa.Engine) -> dict[str, type[Any]]:
    """Make a class for each table, by its name."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    mapping = registry(metadata=metadata)
    classes = {table.name: type(table.name.capitalize(), (), {}) for table in TABLES}
    for table in TABLES:
        live = metadata.tables[table.name]
        children = {
            f"{child.name}_of": relationship(
                classes[child.name], cascade="all, delete", primaryjoin=_joined(metadata, child, 0)
            )
            for child in TABLES
            if child.links and child.links[0].parent == table.name and not child.is_shared
        }
        parents = {
            f"{link.parent}_{place}": _to_parent(metadata, table, place, classes[link.parent])
            for place, link in enumerate(table.links)
            if place
        }
        mapping.map_imperatively(classes[table.name], live, properties=children | parents)
    return classes


def leave(engine: sa.Engine, *, organization: int, file: Path) -> Callable[[], int]:
    """Prepare an export and a deletion; gives what does it and tells the number of rows."""
    classes = map_classes(engine)

    def run() -> int:
        rows = 0
        with file.open("w", encoding="utf-8") as sink, Session(engine) as session:
            for table in WAYS:
                names = [column.name for column in sa.inspect(classes[table]).columns]
                query = sa.text(select(table, "t.*", organization=organization))
                found = sa.select(classes[table]).from_statement(query)
                for each in session.scalars(found.execution_options(yield_per=_ROWS_AT_ONCE)):
                    values = {name: getattr(each, name) for name in names}
                    sink.write(json.dumps(values, default=str) + "\n")
                    rows += 1
        with Session(engine) as session:
            session.delete(session.get_one(classes["organizations"], organization))
            session.commit()
        return rows

    return run


def _to_parent(metadata: sa.MetaData, table: Table, place: int, parent: type[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's own word for a relationship of anything
    link = table.links[place]
    key = [metadata.tables[link.parent].c.id]
    return relationship(
        parent,
        primaryjoin=_joined(metadata, table, place),
        remote_side=key,
        post_update=_closes_cycle(table, link),
    )


def _closes_cycle(table: Table, link: Link) -> bool:
    return (table.name, link.columns) == ("teams", "lead_id")


def _joined(metadata: sa.MetaData, table: Table, place: int) -> sa.ColumnElement[bool]:
    link = table.links[place]
    parent = metadata.tables[link.parent]
    child = metadata.tables[table.name]
    names = link.columns.split(", ")
    keys = [column.name for column in parent.primary_key.columns]
    pairs = zip(names, keys, strict=True)
    return sa.and_(*(child.c[name] == parent.c[key] for name, key in pairs))


def main(url: str, organization: str, file: str, _log_url: str) -> None:
    """Let an organization leave, and tell how long it took."""
    engine = sa.create_engine(url)
    report(leave(engine, organization=int(organization), file=Path(file)))
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
