"""The data map as an operator sees it: what each table gets, and how the map fits the databases.

What is declared costs nothing to show. Reading the catalogs of the databases does, so that is done
when a person asks for it, and remembered by the process until they ask again.

Source: lessons L15 and L16; docs/console.md, "The data map".
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from whenever import Instant

from offramp.data.check import Finding, Severity, check
from offramp.data.datamap import DataMap, TableRule
from offramp.data.outline import Fate, TableOutline, outline
from offramp.data.scope import Scope
from offramp.data.survey import survey_source
from offramp.engine.context import Context, Data

_ANYBODY = Scope(organization="0")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTable:
    """One table as the map declares it.

    Attributes:
        via: the columns by which a row is found to be somebody's.
        basis: why rows are kept; ``until`` is when they go.
        hashed: the columns that are hashed where the row is kept.
        emptied: those that are emptied then.
        withheld: those that are never exported.
    """

    name: str
    fate: Fate
    via: tuple[str, ...]
    basis: str
    until: str
    hashed: tuple[str, ...]
    emptied: tuple[str, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How the map fitted the databases when somebody looked.

    Attributes:
        tables: in the order of erasure; empty where the map does not fit.
    """

    at: Instant
    findings: tuple[Finding, ...]
    tables: tuple[TableOutline, ...]

    @property
    def errors(self) -> int:
        """How many findings keep everything from running."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is declared, in how many tables of which fate, and the fit that is remembered."""

    tables: tuple[DeclaredTable, ...]
    elsewhere: tuple[str, ...]
    counts: Mapping[Fate, int]
    fit: Fit | None


class Surveyor:
    """Looks at the databases when asked, and remembers what it found."""

    def __init__(self) -> None:
        """Begin without having looked."""
        self._fit: Fit | None = None
        self._turn = Lock()

    def coverage(self, context: Context) -> Coverage | None:
        """Say what the map declares; none where the installation has no map."""
        if context.data is None:
            return None
        datamap = context.data.datamap
        tables = tuple(_declared(name, rule) for name, rule in sorted(datamap.tables.items()))
        return Coverage(
            tables=tables,
            elsewhere=tuple(sorted(datamap.elsewhere)),
            counts=Counter(table.fate for table in tables),
            fit=self._fit,
        )

    def look(self, context: Context) -> None:
        """Read the catalogs of all databases and hold the map against them.

        Raises:
            SourceUnavailable, SourceUnusable: one of them cannot be read.
        """
        if context.data is None:
            return
        with self._turn:  # one reading at a time, however many people ask
            self._fit = _fit_of(context.data, at=context.clock.now())


def _fit_of(data: Data, *, at: Instant) -> Fit:
    findings = check(data.datamap, data.sources, data.others)
    is_fit = not any(finding.severity is Severity.ERROR for finding in findings)
    tables = tuple(_outlined(data.datamap, data)) if is_fit else ()
    return Fit(at=at, findings=findings, tables=tables)


def _outlined(datamap: DataMap, data: Data) -> Iterator[TableOutline]:
    for name in sorted(datamap.databases):
        source = data.sources[name]
        with source.snapshot() as connection:
            yield from outline(survey_source(datamap, source, connection, _ANYBODY))


def _declared(name: str, rule: TableRule) -> DeclaredTable:
    is_shared = rule.shared is not None
    kept = Fate.KEPT if rule.erase == "keep" else Fate.DELETED

    def columns(erase: str) -> tuple[str, ...]:
        return tuple(column for column, each in rule.columns.items() if each.erase == erase)

    return DeclaredTable(
        name=name,
        fate=Fate.SHARED if is_shared else kept,
        via=rule.via or rule.owned_by,
        basis=rule.shared or rule.basis or "",
        until=rule.until or "",
        hashed=columns("hash"),
        emptied=columns("null"),
        withheld=tuple(c for c, each in rule.columns.items() if each.export == "never"),
    )
