"""What can be done to many organizations at once: who may ask for it, and what it means.

Source: docs/console.md, "Many organizations at once".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from offramp.core.bulk import BulkKind
from offramp.core.operator import OperatorRole
from offramp.web.console.door import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One act on many, in words."""

    kind: BulkKind
    role: OperatorRole
    title: str
    means: str


def _choice(kind: BulkKind, role: OperatorRole, title: str, means: str) -> Choice:
    return Choice(kind=kind, role=role, title=title, means=means)


_O, _S = OperatorRole.OPERATOR, OperatorRole.SUPPORT
CHOICES: Mapping[BulkKind, Choice] = {
    each.kind: each
    for each in (
        _choice(BulkKind.HOLD, _O, "Hold", "stops deletion, and nothing else"),
        _choice(BulkKind.RELEASE, _O, "Release", "ends the holds that were placed for one reason"),
        _choice(BulkKind.EXTEND, _O, "Extend", "moves the end of the present term to a later day"),
        _choice(BulkKind.RENEW, _O, "Renew", "begins a new term, and cancels what is pending"),
        _choice(BulkKind.RETRY, _O, "Retry", "puts back what was given up or stopped"),
        _choice(BulkKind.RESEND, _S, "Send again", "sends again what was refused or came back"),
    )
}


def choices_for(visitor: Visitor) -> tuple[Choice, ...]:
    """Give what somebody may ask for."""
    return tuple(each for each in CHOICES.values() if visitor.may(each.role))
