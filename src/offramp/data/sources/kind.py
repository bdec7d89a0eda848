"""The kinds of source that are installed: each a class, found by entry point and loaded on use.

A kind that nobody uses costs nothing, and its packages need not be there. Whoever ships a kind of
their own names its class in the group ``offramp.sources`` of their package, and holds it to the
suite in `offramp.testing.source_contract`.

Source: docs/decisions/011-other-sources.md; the entry points specification of PyPA.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

GROUP = "offramp.sources"
OF_THE_MAP = ("sql", "objects", "http")


@cache
def kinds() -> Mapping[str, EntryPoint]:
    """Name every installed kind but `sql`, which is surveyed and not asked."""
    return {found.name: found for found in entry_points(group=GROUP)}


def further_kinds() -> Mapping[str, EntryPoint]:
    """Name the kinds that somebody else ships."""
    return {name: found for name, found in kinds().items() if name not in OF_THE_MAP}
