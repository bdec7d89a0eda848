"""The story as it is told: dated lines, made from what the ledger has recorded.

Roles and counts are named, never people. Everything that words a ledger entry lives here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whenever import Instant

from offramp.core.ledger import Detail, Entry
from offramp.core.model import SubjectKind
from offramp.core.plan import INSTEAD_SUFFIX, STAGE_PREFIX
from offramp.core.policy import Action, Policy
from offramp.documents.timeline.rows import people, words
from offramp.ports import Offboarding


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened; ``kind`` chooses its color and nothing else."""

    at: Instant
    zone: str
    kind: str
    who: str
    what: str
    details: tuple[str, ...] = ()

    @property
    def local(self) -> str:
        """The local date and time, as people write it."""
        return f"{self.at.to_tz(self.zone).to_stdlib():%a %d %b %Y %H:%M}"


Tell = Callable[[Line], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is who: what the ledger, which knows ids only, is told with."""

    policy: Policy
    names: Mapping[str, str]
    zone: str
    offboardings: Mapping[str, Offboarding]
    certificate: Callable[[str], Mapping[str, Any]]  # its content, by the name of its file

    def tell(self, entries: Iterable[Entry]) -> list[Line]:
        """Word some ledger entries; what happened to several members at once is one line."""
        alike: dict[tuple[object, ...], list[Entry]] = {}
        for entry in entries:
            alike.setdefault(self._likeness(entry), []).append(entry)
        lines = (self._line(group) for group in alike.values())
        return [line for line in lines if line is not None]

    def _likeness(self, entry: Entry) -> tuple[object, ...]:
        event, row = entry.event, self._row(entry)
        subject = row.subject if row else None
        whom = (subject.organization, subject.kind, subject.product) if subject else None
        return event.kind, event.at, event.step, event.actor, whom

    def _row(self, entry: Entry) -> Offboarding | None:
        return self.offboardings.get(entry.event.offboarding or "")

    def _line(self, entries: Sequence[Entry]) -> Line | None:
        first = entries[0].event
        row = self._row(entries[0])
        worded = _EVENTS.get(first.kind)
        if worded is None and first.step is None:
            return None
        kind, what = worded or self._step(first.kind, first.step or "")
        total = _total([entry.event.detail for entry in entries])
        return Line(
            at=first.at,
            zone=self.zone,
            kind=kind,
            who=self._who(row, len(entries)),
            what=what.format_map({"ends": None, "policy": None, **first.detail}),
            details=self._details(row, first.step, total),
        )

    def _who(self, row: Offboarding | None, count: int) -> str:
        if row is None:
            return "Offramp"
        name = self.names.get(row.subject.organization, "an organization")
        if row.subject.member is not None:
            name = f"{_counted(count, 'user')} of {name}"
        return f"{name}, {row.subject.product}" if row.subject.product else name

    def _step(self, kind: str, key: str) -> tuple[str, str]:
        status = kind.removeprefix("step-")
        if key.startswith(STAGE_PREFIX):
            stage_id = key.removeprefix(STAGE_PREFIX)
            stage = next(stage for stage in self.policy.stages if stage.id == stage_id)
            return "access", f"Stage: {stage.title or stage.id}"
        step = self.policy.step(key.removesuffix(INSTEAD_SUFFIX).partition("#")[0])
        action = step.action if step else Action.NOTIFY
        title = {
            Action.NOTIFY: f"Notice: {words(key)}",
            Action.EXPORT: f"Data handed over: {words(key)}",
            Action.ERASE: "Everything deleted and verified",
        }.get(action, words(key))
        if status == "held":
            return "hold", f"{words(key)} waits"
        return action.value, title if status == "done" else f"{words(key)}: {status}"

    def _details(
        self, row: Offboarding | None, key: str | None, total: Mapping[str, Detail]
    ) -> tuple[str, ...]:
        told = []
        step = self.policy.step((key or "").partition("#")[0])
        kind = row.subject.kind if row else SubjectKind.ORGANIZATION
        if reason := total.get("reason"):
            told.append(str(reason))
        if step is not None and total.get("deliveries"):
            counts = [f"{total[name]} {name}" for name in ("accepted", "refused") if total[name]]
            told.append(f"mail to {people(step.audience, kind=kind)}: {', '.join(counts)}")
        if "left" in total:
            told.append(
                f"{_counted(int(total['rows'] or 0), 'row')}, with a certificate of their own"
            )
        elif total.get("certificate"):
            told += self._erased(str(total["certificate"]))
        elif "rows" in total:
            told.append(f"{total['rows']} rows of {total['tables']} tables")
        if total.get("sessions") == "revoked":
            told.append("every open session is shut")
        if total.get("retained"):
            told.append(f"{total['retained']} rows kept by law, with their end dates")
        return tuple(told)

    def _erased(self, name: str) -> list[str]:
        """Tell what a certificate says: rows per table, what was looked at, and the key."""
        certificate = self.certificate(name)
        verification = certificate["verification"]
        tables = {t.partition(".")[2]: rows for t, rows in certificate["tables"].items() if rows}
        listed = ", ".join(f"{rows} {table}" for table, rows in tables.items())
        told = [
            f"{sum(tables.values())} rows: {listed}",
            f"verified: 0 rows left in {len(verification['checked'])} tables",
        ]
        if certificate["key_destroyed"]:
            told.append("the organization's key is destroyed")
        return [*told, "certificate signed"]


_EVENTS: Mapping[str, tuple[str, str]] = {
    "policy-published": ("fact", "The policy {policy} is published"),
    "offboarding-opened": ("fact", "Ends on {ends}"),
    "offboarding-moved": ("fact", "The end moves to {ends}"),
    "offboarding-canceled": ("return", "What was pending is canceled"),
    "export-handed-over": ("export", "The hand-over is recorded"),
    "message-bounced": ("trouble", "A mail comes back: it does not count as delivered"),
    "messages-asked-again": ("notify", "Queued once more: {messages} lost mails"),
    "retention-swept": ("erase", "What a law had kept goes: its own time is over"),
    "own-copy-asked": ("export", "A copy of their data is asked for"),
    "own-copy-downloaded": ("export", "The copy is downloaded"),
    "offboarding-stopped": ("trouble", "Stopped: a person has to look"),
}


def _total(details: Sequence[Mapping[str, Detail]]) -> Mapping[str, Detail]:
    """Add up the counts of some entries; other values are those of the first."""
    total: dict[str, Detail] = dict(details[0])
    for each in details[1:]:
        for name, value in each.items():
            have = total.get(name)
            if isinstance(value, int) and isinstance(have, int) and name != "tables":
                total[name] = have + value
    return total


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
