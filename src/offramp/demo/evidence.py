"""What the artefacts prove of one row of the mission: found or not, in words, with links.

A row is judged by a small pure function of the artefacts of one play. It finds what is there; what
this version does not do is said beside it, by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from whenever import Instant

from offramp.demo.artefact import Artefacts, Row
from offramp.demo.play import local


class Verdict(StrEnum):
    """How much of a row was found."""

    SHOWN = "shown"
    IN_PART = "in part"
    FAILED = "not found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A file of the demo, and what to call it."""

    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found; ``missing`` says what of the row is not shown, or not done yet."""

    found: bool
    text: str
    links: tuple[Link, ...] = ()
    missing: str = ""

    @property
    def verdict(self) -> Verdict:
        """Sum it up in a word; a row that should be there and is not has failed."""
        if not self.found:
            return Verdict.FAILED
        return Verdict.IN_PART if self.missing else Verdict.SHOWN


Judge = Callable[[Artefacts], Evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRow:
    """One row of the mission: its number, what must happen, and how to find it."""

    number: str
    promise: str
    judge: Judge


def file_link(artefacts: Artefacts, name: str, title: str | None = None) -> Link:
    """Link a file of a play."""
    return Link(name=title or name.rpartition("/")[2], href=artefacts.link(name))


def probes_at(artefacts: Artefacts, time: str) -> list[Row]:
    """List the access questions that were asked at a local time."""
    wanted = local(time)
    return [probe for probe in artefacts.probes if Instant.parse_iso(probe["at"]) == wanted]


def levels(probes: Sequence[Row]) -> dict[tuple[str, str], str]:
    """Give the answers of some questions.

    Shape:
        (who, surface) -> level.
    """
    return {(probe["who"], probe["surface"]): probe["level"] for probe in probes}


def statuses(artefacts: Artefacts, time: str) -> dict[tuple[str, str], int]:
    """Give what the application answered over HTTP at a local time.

    Shape:
        (who, request) -> status.
    """
    wanted = local(time)
    return {
        (visit["who"], reply["request"]): reply["status"]
        for visit in artefacts.visits
        if Instant.parse_iso(visit["at"]) == wanted
        for reply in visit["replies"]
    }


def counted(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
