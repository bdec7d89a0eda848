"""`offramp demo`: watch two organizations leave, told as it happens.

Source: docs/index.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.option import OptionInvalid
from offramp.cli.output import AsJson, guarded, show_json, show_line, show_parts, show_text
from offramp.cli.run import Stop
from offramp.core.errors import Unavailable
from offramp.engine.operators import Invitation

try:
    from offramp.demo.live import serve_demo
    from offramp.demo.report import REPORT, Finding
    from offramp.demo.show import Audience, show
    from offramp.demo.story import Line
    from offramp.demo.vendor import VENDORS, Vendor
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
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Open the console on one of them, and move its clock there."),
    ] = False,
    policy: Annotated[
        str, typer.Option(metavar="POLICY", help="Which of them: by its policy.")
    ] = "license-pool",
    listen: Annotated[
        str, typer.Option(metavar="[HOST:]PORT", help="Where the console listens.")
    ] = "8080",
    as_json: AsJson = False,
) -> None:
    """Watch two organizations leave, from three weeks before the end until they are gone."""
    if MISSING is not None:
        raise DemoMissing(package=MISSING, hint="pip install 'offramp[demo]'")
    if serve:
        _serve(out, database, _vendor_of(policy), listen, as_json=as_json)
        return
    teller = Silence() if as_json else Teller()
    findings = show(out, server=database, audience=Audience(begin=teller.begin, tell=teller.tell))
    if as_json:
        rows = [finding.data() for finding in findings]
        show_json({"folder": str(out), "report": str(out / REPORT), "rows": rows})
    else:
        _show_end(findings, report=out / REPORT)


def _vendor_of(policy: str) -> "Vendor":
    found = next((vendor for vendor in VENDORS if vendor.policy == policy), None)
    if found is None:
        known = ", ".join(vendor.policy for vendor in VENDORS)
        raise OptionInvalid(option="--policy", text=policy, expected=f"one of {known}")
    return found


def _serve(
    out: Path, database: str | None, vendor: "Vendor", listen: str, *, as_json: bool
) -> None:
    teller = Silence() if as_json else Teller()
    teller.begin(vendor)

    def announce(url: str, invitation: Invitation) -> None:
        address = f"{url}/{invitation.path}"
        if as_json:
            show_line({"event": "listening", "address": url, "first_sign_in": address})
            return
        show_text()
        show_text(f"the console of {vendor.brand} listens on {url}", style="bold")
        show_text(f"this link lets you in, once: {address}")
        show_text("its clock stands still until you move it there; Ctrl-C ends all of it")

    stop = Stop()
    stop.listen()
    serve_demo(
        out,
        server=database,
        vendor=vendor,
        listen=listen,
        tell=teller.tell,
        announce=announce,
        stopping=stop.want,
    )


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
