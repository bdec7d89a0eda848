"""The report: one page that needs nothing else, written from the artefacts of both plays.

Source: docs/index.md; WCAG 2.2 for contrast, order and names.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from whenever import Date, Instant

from offramp.demo import grace_evidence, pool_evidence
from offramp.demo.artefact import Artefacts
from offramp.demo.evidence import Evidence, Link, MissionRow, Verdict, file_link
from offramp.demo.play import ZONE
from offramp.demo.vendor import NOTES, TRAINING, Vendor

REPORT = "report.html"
_ROWS: Mapping[str, Sequence[MissionRow]] = {
    TRAINING.policy: pool_evidence.ROWS,
    NOTES.policy: grace_evidence.ROWS,
}
_KINDS = (
    *("fact", "notify", "export", "erase", "access", "return", "check"),
    *("hold", "trouble"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row of the mission with what was found of it."""

    policy: str
    row: MissionRow
    evidence: Evidence

    def data(self) -> dict[str, Any]:
        """Give it as plain data, for the page and for programs."""
        return {
            "policy": self.policy,
            "number": self.row.number,
            "promise": self.row.promise,
            "verdict": self.evidence.verdict.value,
            "text": self.evidence.text,
            "missing": self.evidence.missing,
            "links": [{"name": li.name, "href": li.href} for li in self.evidence.links],
        }


def write_report(folder: Path, vendors: Sequence[Vendor]) -> tuple[Finding, ...]:
    """Judge every row of the mission and write the page beside the plays' folders."""
    plays = [Artefacts(folder / vendor.policy, vendor=vendor) for vendor in vendors]
    findings = tuple(
        Finding(policy=play.vendor.policy, row=row, evidence=row.judge(play))
        for play in plays
        for row in _ROWS[play.vendor.policy]
    )
    environment = Environment(
        loader=PackageLoader("offramp.demo"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(f"{REPORT}.j2").render(
        version=version("offramp"),
        kinds=_KINDS,
        figures=_figures(plays, findings),
        plays=[_play_data(play, findings) for play in plays],
    )
    (folder / REPORT).write_text(page, encoding="utf-8")
    return findings


def _figures(plays: Sequence[Artefacts], findings: Sequence[Finding]) -> list[tuple[str, str]]:
    verdicts = Counter(finding.evidence.verdict for finding in findings)
    deleted = sum(sum(c["tables"].values()) for play in plays for c in play.certificates)
    return [
        ("Promises shown", f"{verdicts[Verdict.SHOWN]} of {len(findings)}"),
        ("In part", str(verdicts[Verdict.IN_PART])),
        *([("Not found", str(verdicts[Verdict.FAILED]))] if verdicts[Verdict.FAILED] else []),
        ("Mails received", f"{sum(len(play.mails) for play in plays):,}"),
        ("Rows deleted", f"{deleted:,}"),
    ]


def _play_data(play: Artefacts, findings: Sequence[Finding]) -> dict[str, Any]:
    plan = play.timeline["plan"]
    rows = [each.data() for each in findings if each.policy == play.vendor.policy]
    verdicts = Counter(row["verdict"] for row in rows)
    picture = base64.b64encode((play.folder / "timeline.svg").read_bytes()).decode()
    dates = "; ".join(f"{step['due_on']} {step['key']}" for step in plan["steps"])
    return {
        "policy": play.vendor.policy,
        "application": f"{play.vendor.brand}, {play.vendor.application}",
        "organization": play.timeline["organization"]["name"],
        "title": plan["title"],
        "picture": f"data:image/svg+xml;base64,{picture}",
        "picture_text": f"Timeline: {dates}",
        "summary": ", ".join(f"{count} {name}" for name, count in verdicts.items()),
        "rows": rows,
        "files": _files(play),
        "days": _days(play),
    }


def _files(play: Artefacts) -> list[Link]:
    """List what the play has left; the mails by their folder."""
    names = [
        *("timeline.json", "story.json", "access.json", "visits.json", "events.json"),
        *play.exports,
        *("certificate.json", "vendor-public-key.txt", "ledger.jsonl"),
        *("siblings.json", "own-tables.json"),
    ]
    mails = Link(name=f"mail ({len(play.mails)})", href=play.link("mail/"))
    roster = Link(name="roster", href=play.link("roster/"))
    return [roster, mails, *(file_link(play, name) for name in names)]


def _days(play: Artefacts) -> list[dict[str, Any]]:
    days = []
    for day, lines in groupby(play.story, key=_day):
        days.append(
            {
                "date": day.format_iso(),
                "title": f"{day.day} {day.to_stdlib():%b} {day.year}",
                "weekday": f"{day.to_stdlib():%A}",
                "lines": list(lines),
            }
        )
    return days


def _day(line: Mapping[str, Any]) -> Date:
    return Instant.parse_iso(line["at"]).to_tz(ZONE).date()
