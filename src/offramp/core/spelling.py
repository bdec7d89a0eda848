"""Which known word a mistyped one was meant to be. Every suggestion in an error comes from here.

Source: CONTRIBUTING.md (an error carries a hint); difflib ranks by shared characters.
"""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Suggest the known word that is nearest to a mistyped one."""
    nearest = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {nearest[0]}?" if nearest else None
