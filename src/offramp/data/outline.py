"""A map in short: in which order its tables go, along which way, and what becomes of each.

Everything that shows a map (as text, JSON or a picture) reads these values. They are taken from the
plan that an erasure follows, so that nothing else can be shown than what will be done.

Source: data/erasure/statements.py (`plan_order`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from offramp.data.datamap import DataMap, TableRule
from offramp.data.erasure.statements import plan_order
from offramp.data.territory import Territory

_EVERY_TABLE = "*"


class Fate(Enum):
    """What becomes of the rows of a table."""

    DELETED = "deleted"
    KEPT = "kept"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOutline:
    """One table; `number` is its place in the order of erasure, `way` its tables up to the root."""

    source: str
    table: str
    fate: Fate
    number: int | None
    via: tuple[str, ...]
    way: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def id(self) -> str:
        """The table's name in the map."""
        return f"{self.source}.{self.table}"


def outline(territory: Territory) -> tuple[TableOutline, ...]:
    """List the tables of a map that fits its database: in order of erasure, shared ones last."""
    order = plan_order(territory).tables
    shared = sorted(name for name, rule in territory.rules.items() if rule.shared is not None)
    return tuple(
        [
            *(_outline(territory, name, number) for number, name in enumerate(order, start=1)),
            *(_outline(territory, name, None) for name in shared),
        ]
    )


def outline_elsewhere(datamap: DataMap) -> tuple[TableOutline, ...]:
    """List the sources that are no database: they go first, whatever they turn out to hold."""
    return tuple(
        TableOutline(
            source=name,
            table=_EVERY_TABLE,
            fate=Fate.DELETED,
            number=0,
            via=(),
            way=(_EVERY_TABLE, str(getattr(spec, "prefix", "asked by key"))),
            words=("before the rows that lead there",),
        )
        for name, spec in datamap.elsewhere.items()
    )


def _outline(territory: Territory, name: str, number: int | None) -> TableOutline:
    rule = territory.rules[name]
    return TableOutline(
        source=territory.source,
        table=name,
        fate=_fate(rule),
        number=number,
        via=rule.via,
        way=tuple(_way(territory, name)),
        words=tuple(_words(rule)),
    )


def _fate(rule: TableRule) -> Fate:
    if rule.shared is not None:
        return Fate.SHARED
    return Fate.KEPT if rule.erase == "keep" else Fate.DELETED


def _way(territory: Territory, name: str) -> Iterator[str]:
    yield name
    while onward := territory.onward(name):
        name = onward
        yield name


def _words(rule: TableRule) -> Iterator[str]:
    if rule.shared is not None:
        yield rule.shared
    if rule.also:
        yield f"also via {', '.join(' + '.join(columns) for columns in rule.also)}"
    if rule.owned_by:
        yield f"owned by {', '.join(rule.owned_by)}"
    if rule.erase == "keep":
        yield f"until {rule.until}"
        for erase, word in (("hash", "hashed"), ("null", "emptied")):
            columns = [name for name, each in rule.columns.items() if each.erase == erase]
            if columns:
                yield f"{', '.join(columns)} {word}"
    withheld = [name for name, each in rule.columns.items() if each.export == "never"]
    if withheld:
        yield f"{', '.join(withheld)} never exported"
