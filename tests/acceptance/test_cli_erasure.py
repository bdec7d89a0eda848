"""A deletion from the command line: held, carried out, certified, and final afterwards."""

import json
import shutil

import pytest

from tests.acceptance.installation import DATAMAP, LEAVING, SIBLING, Installation, in_days

AT_ONCE = """\
offramp: 1
policy: at-once
version: 1
applies_to: [organization]
stages:
  - {id: active, access: {"*": full}}
  - {id: expired, from: expiry, access: {"*": none}}
  - {id: erased, from: erase, access: {"*": none}, final: true}
steps:
  - {id: erase, at: expiry + P1D, erase: organization}
"""


def set_up(folder):
    """Set up an installation whose policy deletes a day after the end, without a notice."""
    installation = Installation(folder)
    (folder / "at-once.yaml").write_text(AT_ONCE)
    installation.say("init", "--datamap", DATAMAP, "--policy", "at-once.yaml")
    organizations = folder / "roster" / "organizations.csv"
    organizations.write_text(organizations.read_text().replace("license-pool", "at-once"))
    installation.say("import", *installation.rosters)
    return installation


@pytest.fixture
def installation(vendor):
    """Give an installation in which the deletion of one company is due."""
    return set_up(vendor.folder)


@pytest.fixture(scope="module")
def erased_folder(vendor_folder, tmp_path_factory):
    """Carry the deletion out, once."""
    folder = tmp_path_factory.mktemp("erased")
    shutil.copytree(vendor_folder, folder, dirs_exist_ok=True)
    set_up(folder).say("run", "--until-quiet")
    return folder


@pytest.fixture
def erased(erased_folder, tmp_path):
    """Give an installation after the deletion."""
    folder = tmp_path / "erased"
    shutil.copytree(erased_folder, folder)
    return Installation(folder)


def companies(installation):
    installation.say("export", SIBLING, "--out", "sibling.json")
    document = json.loads((installation.folder / "sibling.json").read_text())
    return document["data"]


def test_a_deletion_leaves_a_certificate_and_nothing_can_be_had_back(installation):  # A10, B6
    before = companies(installation)
    key = installation.folder / "public.key"
    key.write_text(installation.say("keys", "public"))

    happened = installation.ask("run", "--until-quiet")["happened"]

    assert [(each["step"], each["status"]) for each in happened] == [
        ("stage:expired", "done"),
        ("erase", "done"),
    ]
    assert companies(installation) == before
    (erased,) = installation.ask("status")["erased"]
    certificate = installation.folder / "offramp-data" / erased["certificate"]
    content = installation.ask("certificate", "verify", certificate, "--public-key", key)
    assert content["erased_at"][:10] == erased["erased_at"][:10]
    assert LEAVING in installation.say("status").split("erased at")[0].splitlines()[-1]
    assert "ohara" not in installation.say("ledger", "show").lower()
    assert installation.ask("ledger", "verify")["entries"] > 0


def test_a_hold_is_why_nothing_is_deleted_until_it_is_released(installation):  # S6, L25
    hold = installation.ask("hold", LEAVING, "--owner", "legal", "--reason", "litigation")["hold"]

    installation.say("run", "--until-quiet")
    held = installation.leaving(LEAVING)
    shown = installation.say("timeline", LEAVING)
    installation.say("release", hold)
    installation.say("run", "--until-quiet")

    assert held["blocked"] == ["erase"]
    assert held["steps"][-1]["reason"] == "a hold is in force"
    assert "a hold is in force" in shown
    assert [each["organization"] for each in installation.ask("status")["erased"]] == [LEAVING]


def test_an_exemption_pauses_one_organization_until_it_ends(installation):  # D3, S6, L26
    installation.say("exempt", LEAVING)

    installation.say("run", "--until-quiet")
    held = installation.leaving(LEAVING)
    installation.say("exempt", LEAVING, "--end")
    installation.say("run", "--until-quiet")

    assert held["stage"] == "expired"
    assert held["steps"][-1]["reason"] == "the subject is exempt"
    assert [each["organization"] for each in installation.ask("status")["erased"]] == [LEAVING]


def test_a_pause_is_why_nothing_is_deleted_until_it_ends(installation):  # D3, L26
    installation.say("pause")

    installation.say("run", "--until-quiet")
    held = installation.leaving(LEAVING)
    installation.say("resume")
    installation.say("run", "--until-quiet")

    assert held["steps"][-1]["reason"] == "everything destructive is paused"
    assert [each["organization"] for each in installation.ask("status")["erased"]] == [LEAVING]


@pytest.mark.parametrize(
    "command",
    [
        ("status", LEAVING),
        ("timeline", LEAVING),
        ("renew", LEAVING, "--until", "2099-01-01"),
        ("reactivate", LEAVING, "--until", "2099-01-01", "--by", "owner"),
        ("unlock", LEAVING, "--owner", "support", "--reason", "too late"),
        ("member", "reactivate", LEAVING, "2"),
        ("export", LEAVING, "--out", "late.json"),
        ("erase", LEAVING, "--dry-run"),
    ],
    ids=lambda command: command[0],
)
def test_whatever_is_asked_about_an_erased_organization_is_refused(erased, command):
    before = erased.contents()

    finished = erased.run(*command)

    assert finished.code == 3
    assert "The organization 2 was erased; only a new one from scratch is possible." in finished.err
    assert erased.contents() == before


def test_an_import_that_names_an_erased_organization_is_refused_whole(erased):
    pools = erased.folder / "roster" / "pools.csv"
    pools.write_text(pools.read_text().replace(in_days(-3), in_days(300)))
    before = erased.contents()

    finished = erased.run("import", *erased.rosters)

    assert finished.code == 3
    assert "The organization 2 was erased" in finished.err
    assert erased.contents() == before
