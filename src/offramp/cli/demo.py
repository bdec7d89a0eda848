"""`offramp demo`: watch two organizations leave, told as it happens.

Source: docs/index.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.output import AsJson, guarded, show_json, show_parts, show_text
from offramp.core.errors import Unavailable

try:
    from offramp.demo.report import REPORT, Finding
    from offramp.demo.show import Audience, show
    from offramp.demo.story import Line
    from offramp.demo.vendor import Vendor
except ModuleNotFoundError as error:  # an installation without the extra packages of the demo
    MISSING = error.name
else:
    MISSING = None

_TONES: Mapping[str, str] = {
    "fact": "dim",
    "notify": "blue",
    "export": "cyan",
    "erase": "red",
    "access": "magenta",
    "return": "green",
    "check": "green",
    "hold": "yellow",
    "trouble": "bold red",
}
_INDENT = " " * 9


class DemoMissing(Unavailable):
    """The demo needs the package {package}, which is not installed."""


@guarded
def demo(
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A PostgreSQL server; without it SQLite files."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the artefacts go; it is cleared.")
    ] = Path("demo-out"),
    as_json: AsJson = False,
) -> None:
    """Watch two organizations leave, from three weeks before the end until they are gone."""
    if MISSING is not None:
        raise DemoMissing(package=MISSING, hint="pip install 'offramp[demo]'")
    teller = Silence() if as_json else Teller()
    findings = show(out, server=database, audience=Audience(begin=teller.begin, tell=teller.tell))
    if as_json:
        rows = [finding.data() for finding in findings]
        show_json({"folder": str(out), "report": str(out / REPORT), "rows": rows})
    else:
        _show_end(findings, report=out / REPORT)


class Silence:
    """Tells nothing; a program reads the end."""

    def begin(self, vendor: "Vendor") -> None:
        """Hear that a play begins."""

    def tell(self, line: "Line") -> None:
        """Hear a line of it."""


@dataclass(kw_only=True)
class Teller:
    """Prints the story, a heading for each day."""

    day: str = ""

    def begin(self, vendor: "Vendor") -> None:
        """Print the heading of a play."""
        self.day = ""
        show_text()
        show_parts((f"{vendor.policy}: {vendor.brand}, {vendor.application}", "bold underline"))
        show_text(f"{vendor.leaving} has paid until 30 August 2024, in Dublin.", style="dim")

    def tell(self, line: "Line") -> None:
        """Print a line, and its day where a new one begins."""
        day, time = line.local.rsplit(" ", 1)
        if day != self.day:
            self.day = day
            show_text()
            show_text(day, style="bold")
        tone = _TONES[line.kind]
        show_parts((f"  {time}  ", "dim"), (line.what, tone), (f"  {line.who}", ""))
        for detail in line.details:
            show_text(f"{_INDENT}{detail}", style="dim")


def _show_end(findings: "Sequence[Finding]", *, report: Path) -> None:
    verdicts = Counter(finding.evidence.verdict.value for finding in findings)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    show_text()
    show_parts((f"{len(findings)} promises: ", "bold"), (told, ""))
    show_parts(("The report, with the evidence: ", "bold"), (str(report), "blue"))
