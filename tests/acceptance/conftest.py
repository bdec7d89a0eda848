"""What the acceptance tests share: an installation on the training platform, and a mail server."""

import shutil

import pytest

from examples.training_platform.companies import TINY
from examples.training_platform.database import open_engine
from examples.training_platform.generate import build
from examples.training_platform.roster import write_roster
from offramp.testing.smtp import SmtpCatcher
from tests.acceptance.installation import DATAMAP, TODAY, Installation

DAYS_SINCE_THE_END = 3


@pytest.fixture(scope="session")
def vendor_folder(tmp_path_factory):
    """Make the vendor's database and roster once; one company's last pool ended three days ago."""
    folder = tmp_path_factory.mktemp("vendor")
    url = f"sqlite:///{folder / 'app.sqlite'}"
    ended_on = TODAY.subtract(days=DAYS_SINCE_THE_END)
    build(url, seed=7, leaving_on=ended_on.to_stdlib(), members=TINY)
    engine = open_engine(url)
    write_roster(engine, folder / "roster")
    engine.dispose()
    return folder


@pytest.fixture(scope="session")
def imported_folder(vendor_folder, tmp_path_factory):
    """Set Offramp up beside the vendor's database and import the roster, once."""
    folder = tmp_path_factory.mktemp("imported")
    shutil.copytree(vendor_folder, folder, dirs_exist_ok=True)
    installation = Installation(folder)
    installation.say("init", "--datamap", DATAMAP)
    installation.say("import", *installation.rosters)
    return folder


@pytest.fixture
def vendor(vendor_folder, tmp_path):
    """Give a vendor's folder in which Offramp has not been set up."""
    folder = tmp_path / "vendor"
    shutil.copytree(vendor_folder, folder)
    return Installation(folder)


@pytest.fixture
def installation(imported_folder, tmp_path):
    """Give an installation with the roster imported and nothing carried out."""
    folder = tmp_path / "installation"
    shutil.copytree(imported_folder, folder)
    return Installation(folder)


@pytest.fixture
def smtp(installation):
    """Run a mail server that the installation sends to."""
    with SmtpCatcher() as catcher:
        installation.settings |= {
            "OFFRAMP_MAIL_HOST": catcher.host,
            "OFFRAMP_MAIL_PORT": str(catcher.port),
            "OFFRAMP_MAIL_SECURITY": "none",
        }
        yield catcher
