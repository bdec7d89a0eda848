"""A proposed data map: what was read out of a database, with the reason of every line.

Everything that inference says lives in these values. What could not be decided is a value too:
it is shown, left out of the map, and found missing by the check until somebody has decided.

Source: data/inference/infer.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from offramp.data.catalog.catalog import Reference
from offramp.data.datamap import AchievementRule, MembersRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way from the rows of a table to the root, hop by hop."""

    hops: tuple[Reference, ...]

    @property
    def first(self) -> Reference:
        """The reference that `via` would name."""
        return self.hops[0]

    @property
    def cost(self) -> tuple[int, int]:
        """Weigh the hops that may be empty before the length."""
        return sum(hop.is_optional for hop in self.hops), len(self.hops)

    @property
    def label(self) -> str:
        """The way as people write it: ``seats.user_id > users.company_id > companies``."""
        return " > ".join([*(hop.label for hop in self.hops), self.hops[-1].parent])


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProposal:
    """What one column seems to hold, and why it is thought so.

    A secret that may not be empty is replaced when its row is restored.
    """

    name: str
    category: str
    reason: str
    is_secret: bool = False
    is_replaced: bool = False
    is_personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProposal:
    """What one table seems to be; `shared` says why it belongs to nobody, or might."""

    name: str
    reasons: tuple[str, ...]
    via: tuple[str, ...] = ()
    also: tuple[tuple[str, ...], ...] = ()
    owned_by: tuple[str, ...] = ()
    references: Mapping[str, str]
    shared: str | None = None
    columns: tuple[ColumnProposal, ...] = ()
    is_decided: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """What only somebody who knows the application can say."""

    subject: str
    problem: str
    hint: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A map for one source, as far as its catalog tells."""

    source: str
    root: str
    member: str | None
    tables: tuple[TableProposal, ...]
    undecided: tuple[Undecided, ...]
    notes: tuple[str, ...]
    members: MembersRule | None
    achievements: tuple[AchievementRule, ...]
    marks: tuple[str, ...]
    schemas: tuple[str, ...] = ()

    @property
    def decided(self) -> tuple[TableProposal, ...]:
        """The tables that enter the map."""
        return tuple(table for table in self.tables if table.is_decided)
