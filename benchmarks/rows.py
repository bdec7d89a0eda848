"""The table of speeds to reach: which numbers stand beside which, and how far apart they may be.

``A``, ``D``, ``H``, ``K`` and ``V`` are the yardstick's times for export, deletion, hashing, a list
of what stays, and a scan of texts. The number in front of a name is the row's; several rows may
share it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

SMALL = 10**5
MILLION = 10**6
ANY_SIZE = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Sums of samples beside one another.

    Attributes:
        ours: names of samples, added up; one may stand there twice.
        baseline: the same for what they are compared with.
        limit: what the ratio may be at most.
        by: what the baseline is called.
        beyond: the ratio that would be better than what was set out to be reached.
        unit: of both sums.
        is_deletion: its time is that of the checks of references.
        rows_min: the smallest size at which it is measured.
        rows_max: the largest.
    """

    name: str
    ours: tuple[str, ...]
    baseline: tuple[str, ...]
    limit: float
    by: str
    beyond: float | None = None
    unit: str = "s"
    is_deletion: bool = False
    rows_min: int = 0
    rows_max: int = ANY_SIZE

    @property
    def number(self) -> str:
        """What the row is called by on the command line."""
        return self.name.split()[0]

    @property
    def wanted(self) -> frozenset[str]:
        """The samples that it is made of."""
        return frozenset((*self.ours, *self.baseline))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """One row that has no yardstick: a number that may not be passed."""

    name: str
    ours: str
    limit: float
    unit: str
    beyond: float | None = None
    rows_min: int = 0
    rows_max: int = ANY_SIZE

    @property
    def number(self) -> str:
        """What the row is called by on the command line."""
        return self.name.split()[0]

    @property
    def wanted(self) -> frozenset[str]:
        """The samples that it is made of."""
        return frozenset((self.ours,))


JOB = ("export", "tombstone", "erase", "references")

ROWS: tuple[Row | Ceiling, ...] = (
    Row(name="1 export", ours=("export",), baseline=("A",), by="A", limit=1.5, beyond=1.15),
    Row(
        name="2 hash of rows that stay, and note until when",
        ours=("hash",),
        baseline=("H", "K"),
        by="(H + K)",
        limit=2,
        beyond=1.5,
        rows_max=MILLION,
    ),
    Row(
        name="3 delete, one connection",
        ours=("erase over one",),
        baseline=("D",),
        by="D",
        limit=1.35,
        beyond=1.2,
        is_deletion=True,
    ),
    Row(
        name="4 delete, two connections",
        ours=("erase",),
        baseline=("D",),
        by="D",
        limit=0.9,
        beyond=0.75,
        is_deletion=True,
        rows_min=MILLION,
    ),
    Row(
        name="5 delete with set checks",
        ours=("erase in sets",),
        baseline=("D",),
        by="D",
        limit=0.9,
        beyond=0.54,
        is_deletion=True,
    ),
    Row(
        name="5b delete with set checks, one connection",
        ours=("erase in sets over one",),
        baseline=("D",),
        by="D",
        limit=0.9,
        is_deletion=True,
        rows_min=MILLION,
    ),
    Row(
        name="6 whole job",
        ours=JOB,
        baseline=("A", "D"),
        by="(A + D)",
        limit=1.35,
        beyond=1.2,
        is_deletion=True,
    ),
    Row(
        name="6b whole job, export proved just before deletion",
        ours=(*JOB, "digest"),
        baseline=("A", "A", "D"),
        by="(2 A + D)",
        limit=1.35,
        beyond=1.15,
        is_deletion=True,
    ),
    Ceiling(name="7 longest transaction", ours="longest", unit="s", limit=0.5, beyond=0.3),
    *(
        Row(
            name=f"8 others' p99 during {phase}",
            ours=(f"p99 {phase}",),
            baseline=("p99 allowed",),
            by="20 ms, or 4 times idle",
            limit=1,
            beyond=0.6,
            unit="ms",
            rows_max=MILLION,
        )
        for phase in ("export", "proof", "hash", "delete", "verify")
    ),
    Ceiling(name="9 memory of the client", ours="peak MB", unit="MB", limit=200, beyond=128),
    Ceiling(
        name="9 memory of the server's processes for it",
        ours="server peak MB",
        unit="MB",
        limit=200,
        beyond=128,
    ),
    Row(
        name="10 write-ahead log of the deletion",
        ours=("written MB",),
        baseline=("D written MB",),
        by="D",
        limit=1.05,
        beyond=1.02,
        unit="MB",
        is_deletion=True,
    ),
    Row(
        name="11 verify by references",
        ours=("references",),
        baseline=("D",),
        by="D",
        limit=0.3,
        beyond=0.15,
    ),
    Row(
        name="11 verify by text scan",
        ours=("scan",),
        baseline=("V",),
        by="V",
        limit=1.5,
        beyond=1.1,
        rows_max=MILLION,
    ),
    Row(
        name="12 killed half way and run again",
        ours=("killed",),
        baseline=("unbroken",),
        by="unbroken",
        limit=1.2,
        beyond=1.1,
        is_deletion=True,
        rows_max=MILLION,
    ),
    Row(
        name="13 SQLite export",
        ours=("SQLite export",),
        baseline=("SQLite A",),
        by="A",
        limit=2,
        beyond=1.3,
        rows_max=SMALL,
    ),
    Row(
        name="13 SQLite delete",
        ours=("SQLite erase",),
        baseline=("SQLite D",),
        by="D",
        limit=1.3,
        beyond=1.1,
        is_deletion=True,
        rows_max=SMALL,
    ),
    Row(
        name="14 MariaDB export",
        ours=("MariaDB export",),
        baseline=("MariaDB A",),
        by="A",
        limit=2,
        rows_max=SMALL,
    ),
    Row(
        name="14 MariaDB delete",
        ours=("MariaDB erase",),
        baseline=("MariaDB D",),
        by="D",
        limit=1.5,
        is_deletion=True,
        rows_max=SMALL,
    ),
    *(
        Row(
            name=f"15 whole job for one row, beside {habit}",
            ours=("job for a row",),
            baseline=(habit,),
            by=habit,
            limit=1 / times,
            beyond=1 / better if better else None,
            unit="µs",
            rows_max=MILLION,
        )
        for habit, times, better in (
            ("Django", 3, 4.5),
            ("SQLAlchemy", 8, None),
            ("row by row", 100, None),
        )
    ),
)


def chosen(
    *, rows: int, only: Collection[str] = (), skip: Collection[str] = ()
) -> Iterator[Row | Ceiling]:
    """Choose what is measured: what is named by number, or else all that is meant for a size."""
    for row in ROWS:
        is_wanted = row.number in only if only else row.rows_min <= rows <= row.rows_max
        if is_wanted and row.number not in skip:
            yield row
