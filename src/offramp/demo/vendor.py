"""The vendors of the demo: two applications that know nothing of us, run as programs of their own.

They fill their database and write their roster by their own commands, as a vendor's would.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import offramp
from offramp.core.errors import Unavailable

ENDS_ON = "2024-08-30"
SEED = 7
PROGRAM_SECONDS_MAX = 120


class SamplesMissing(Unavailable):
    """The sample applications of the demo are not installed."""


class SampleFailed(Unavailable):
    """The sample application {package} could not be started: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A sample application, and the customers of it that the story is about."""

    policy: str
    brand: str
    application: str
    package: str
    variable: str
    leaving: str
    sibling: str
    other: str

    @property
    def public_address(self) -> str:
        """Where the people of its customers would reach the portal."""
        return f"https://leaving.{self.brand.lower()}.example"

    @property
    def credentials_address(self) -> str:
        """Where its public keys would be served."""
        return f"https://{self.brand.lower()}.example/credentials"


TRAINING = Vendor(
    policy="license-pool",
    brand="Trellis",
    application="a training platform",
    package="training_platform",
    variable="TRAINING_DATABASE_URL",
    leaving="O'Hara & Müller Engineering Ltd",
    sibling="Shannon Bridge Logistics plc",
    other="Köhler & Söhne GmbH",
)
NOTES = Vendor(
    policy="edit-only-grace",
    brand="Quire",
    application="a note-taking product",
    package="note_taking",
    variable="NOTES_DATABASE_URL",
    leaving="Liffey University",
    sibling="Turmfalke Maschinenbau GmbH",
    other="Hudson Valley Law School",
)
VENDORS = (TRAINING, NOTES)


def samples_root() -> Path:
    """Find the folder that holds the package ``examples``: in the wheel, or in the checkout.

    Raises:
        SamplesMissing: it is in neither.
    """
    package = Path(offramp.__file__).parent
    for root in (package / "samples", package.parents[1]):
        if (root / "examples" / TRAINING.package / "generate.py").is_file():
            return root
    raise SamplesMissing(hint="run the demo from a checkout: python3 dev.py demo")


def datamap_of(vendor: Vendor) -> Path:
    """Name the data map that the vendor has written."""
    return samples_root() / "examples" / vendor.package / "datamap.yaml"


def fill_databases(urls: Sequence[tuple[Vendor, str]]) -> None:
    """Let every application fill its own empty database, side by side.

    Raises:
        SampleFailed: one of them ended with an error.
    """
    options = ("--seed", str(SEED), "--leaving-on", ENDS_ON)
    _run_all([(vendor, ("generate", "--database", url, *options)) for vendor, url in urls])


def write_rosters(urls: Sequence[tuple[Vendor, str]], folders: Sequence[Path]) -> None:
    """Let every application write its roster: organizations.csv, pools.csv, members.csv."""
    _run_all(
        [
            (vendor, ("roster", "--database", url, "--folder", str(folder.resolve())))
            for (vendor, url), folder in zip(urls, folders, strict=True)
        ]
    )


def _run_all(commands: Sequence[tuple[Vendor, Sequence[str]]]) -> None:
    root = samples_root()
    started = [(vendor, _start(vendor, arguments, root=root)) for vendor, arguments in commands]
    for vendor, program in started:
        _, errors = program.communicate(timeout=PROGRAM_SECONDS_MAX)
        if program.returncode:
            reason = (errors.strip().splitlines() or [f"exit {program.returncode}"])[-1]
            raise SampleFailed(package=vendor.package, reason=reason)


def _start(vendor: Vendor, arguments: Sequence[str], *, root: Path) -> "subprocess.Popen[str]":
    name, *options = arguments
    return subprocess.Popen(
        [sys.executable, "-m", f"examples.{vendor.package}.{name}", *options],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
