"""What can go wrong in a customer's database, in words of ours, and what to do about it.

Every error that a source may raise lives here. A driver keeps one table from the codes of its
database to `Trouble`; `sources.sql` turns that into an error, once. What the database itself says
is told only where it cannot quote a row.

Source: lessons L16, L33, L37; docs/errors.md.
"""

from dataclasses import dataclass

from offramp.core.errors import Broken, Invalid, OfframpError, Refused, Unavailable, Uncertain


class SourceUnavailable(Unavailable):
    """The source {source} cannot be reached: {reason}."""


class SourceFailing(Unavailable):
    """The source {source} cannot be read or written: {reason}."""


class SourceCrowded(SourceUnavailable):
    """The source {source} lets nobody else in: {reason}."""


class SourceBusy(Unavailable):
    """Others hold what is needed in the source {source}: {reason}."""


class SourceTooSlow(Unavailable):
    """The source {source} has stopped a statement that took too long: {reason}."""


class SourceFull(Unavailable):
    """The source {source} has no room left: {reason}."""


class SourceReadOnly(Unavailable):
    """The source {source} takes no changes: {reason}."""


class SourceUnusable(Invalid):
    """The source {source} is declared in a way that cannot be used: {reason}."""


class SchemaDrifted(Invalid):
    """The source {source} is no longer as it was when this work began: {reason}."""


class PermissionMissing(Refused):
    """The source {source} does not permit what the work needs: {reason}."""


class RowsHidden(Refused):
    """The source {source} hides rows from us by row-level security: {reason}."""


class RowsInTheWay(Refused):
    """The source {source} refuses the change, because other rows depend on it: {reason}."""


class ChangeRefused(Refused):
    """The source {source} refuses the change by a rule of its own: {reason}."""


class CommitUnknown(Uncertain):
    """The source {source} was lost while a change was being kept; it may have been: {reason}."""


class SourceDamaged(Broken):
    """The source {source} finds its own data damaged: {reason}."""


class StatementFailed(Broken):
    """The source {source} cannot do what we have asked for: {reason}."""


PASSING: tuple[type[Unavailable], ...] = (SourceBusy, SourceTooSlow)
"""What may be over in a moment: the same change, or a smaller one, is worth another try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What an error of a database means."""

    kind: type[OfframpError]
    reason: str
    hint: str

    def in_source(self, source: str) -> OfframpError:
        """Give the error that an operator reads."""
        return self.kind(source=source, reason=self.reason, hint=self.hint)


DRIFTED = Trouble(
    kind=SchemaDrifted,
    reason="a table, a column or a function is not there",
    hint="run the map check again",
)
IN_THE_WAY = Trouble(
    kind=RowsInTheWay,
    reason="a constraint",
    hint="a row outside of the scope still refers to one inside; run the map check",
)
DAMAGED = Trouble(
    kind=SourceDamaged,
    reason="a page or an index cannot be read",
    hint="restore the database from a backup, then run it again",
)
OUR_MISTAKE = Trouble(
    kind=StatementFailed, reason="an unknown error", hint="this is a mistake of ours; report it"
)
