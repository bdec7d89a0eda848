"""Who works at the vendor's side of the console, and what each role may do.

The roles are steps of one ladder: whoever stands higher may do everything that a lower one may.
No act asks for more than one role, so that a person can tell from their own what they may do.

Source: docs/console.md; NIST SP 800-63B-4, section 3.1.1.2 (length instead of composition).
"""

import re
from enum import StrEnum

from offramp.core.errors import Invalid

PASSWORD_CHARACTERS_MIN = 15
PASSWORD_CHARACTERS_MAX = 256  # what is longer only keeps the machine busy
NAME_CHARACTERS_MAX = 120
_ADDRESS = re.compile(r"(?=.{3,254}$)\S+@\S+")  # RFC 5321, section 4.5.3.1.3


class OperatorRole(StrEnum):
    """What an operator may do; the later ones may do all that the earlier ones may."""

    VIEWER = "viewer"  # see everything, change nothing
    SUPPORT = "support"  # help people: unlock, send again
    OPERATOR = "operator"  # run departures: hold, renew, extend, reactivate, retry
    APPROVER = "approver"  # be the second person where two are asked for
    ADMIN = "admin"  # pause everything, and say who works here

    def includes(self, other: "OperatorRole") -> bool:
        """Whether this role may do what another may."""
        ladder = tuple(OperatorRole)
        return ladder.index(self) >= ladder.index(other)


class OperatorInvalid(Invalid):
    """The {path} of an operator cannot be taken: {problem}."""


class PasswordWeak(Invalid):
    """The password cannot be taken: {problem}."""


def require_operator(*, name: str, address: str) -> None:
    """Refuse a name or an address that is none.

    Raises:
        OperatorInvalid: one of them is missing, too long, or holds what cannot be read.
    """
    if not (0 < len(name) <= NAME_CHARACTERS_MAX and name.isprintable()):
        expected = f"1 to {NAME_CHARACTERS_MAX} letters"
        raise OperatorInvalid(path="name", problem="it is no name", expected=expected)
    if not (_ADDRESS.fullmatch(address) and address.isprintable()):
        raise OperatorInvalid(
            path="e-mail", problem="it is no address", expected="anna@example.com"
        )


def require_password(password: str, *, name: str, address: str) -> None:
    """Refuse a password that is soon guessed.

    Raises:
        PasswordWeak: it is too short or too long, repeats itself, or is the operator's own name.
    """
    if len(password) < PASSWORD_CHARACTERS_MIN:
        problem = f"it has fewer than {PASSWORD_CHARACTERS_MIN} characters"
    elif len(password) > PASSWORD_CHARACTERS_MAX:
        problem = f"it has more than {PASSWORD_CHARACTERS_MAX} characters"
    elif len(set(password)) < len(password) // 3:
        problem = "it repeats itself"
    elif password.casefold() in (name.casefold(), address.casefold()):
        problem = "it is your name or your address"
    else:
        return
    raise PasswordWeak(problem=problem, hint="several words that do not belong together")
