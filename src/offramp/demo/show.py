"""The whole demo: prepare two vendors, put on two plays, write one report.

Source: docs/index.md.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from offramp.core.errors import Broken
from offramp.demo.evidence import Verdict
from offramp.demo.folder import cleared_folder
from offramp.demo.report import REPORT, Finding, write_report
from offramp.demo.stage import Stage, database_urls, put_on
from offramp.demo.story import Tell
from offramp.demo.vendor import VENDORS, Vendor, fill_databases, samples_root, write_rosters


class EvidenceMissing(Broken):
    """The artefacts do not show what they should: {rows}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who watches: hears when a play begins, and every line of it."""

    begin: Callable[[Vendor], None]
    tell: Tell


def show(out: Path, *, server: str | None, audience: Audience) -> tuple[Finding, ...]:
    """Put on both plays, write the report, and say what was found of each row of the mission.

    Raises:
        FolderNotOurs, SamplesMissing, SampleFailed, DatabaseUnfit, StoreUnavailable: nothing
            outside the demo's own folder was changed.
        EvidenceMissing: a row that this version carries out was not found; the report is written.
    """
    with prepared(out, server=server, vendors=VENDORS) as (folder, stages):
        for stage in stages:
            audience.begin(stage.vendor)
            put_on(stage, tell=audience.tell)
        findings = write_report(folder, VENDORS)
    failed = [f.row.number for f in findings if f.evidence.verdict is Verdict.FAILED]
    if failed:
        raise EvidenceMissing(rows=", ".join(failed), hint=f"see {folder / REPORT}")
    return findings


@contextmanager
def prepared(
    out: Path, *, server: str | None, vendors: Sequence[Vendor]
) -> Iterator[tuple[Path, list[Stage]]]:
    """Fill the databases of some vendors and write their rosters; gone after the block.

    Raises:
        FolderNotOurs, SamplesMissing, SampleFailed, DatabaseUnfit, StoreUnavailable: nothing
            outside the demo's own folder was changed.
    """
    samples_root()
    with ExitStack() as stack:
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offramp-demo-")))
        names = tuple(f"{v.policy}-{use}" for v in vendors for use in ("application", "store"))
        urls = stack.enter_context(database_urls(names, server=server, folder=private))
        folder = cleared_folder(out)
        stages = [
            Stage(
                vendor=vendor,
                application_url=urls[f"{vendor.policy}-application"],
                store_url=urls[f"{vendor.policy}-store"],
                private=private / vendor.policy,
                out=folder / vendor.policy,
            )
            for vendor in vendors
        ]
        applications = [(stage.vendor, stage.application_url) for stage in stages]
        fill_databases(applications)
        write_rosters(applications, [stage.out / "roster" for stage in stages])
        yield folder, stages
