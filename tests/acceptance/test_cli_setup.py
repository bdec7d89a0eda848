"""`offramp init`, `policy publish` and `import` as an operator runs them."""

import json

import pytest

from offramp.config import Settings
from tests.acceptance.installation import DATAMAP, LEAVING, MEMBER, SIBLING, in_days

POLICY = """\
offramp: 1
policy: contract
version: 1
applies_to: [organization]
stages:
  - {id: active, access: {"*": full}}
  - {id: expired, from: expiry, access: {"*": none}}
steps:
  - {id: goodbye, at: expiry + P1D, notify: admins}
"""


def write_json_roster(file, **changes):
    """Write a roster of one organization, one pool and one member."""
    roster = {
        "organizations": [
            {
                "organization": "acme",
                "name": "Acme",
                "zone": "Europe/Dublin",
                "locale": "en",
                "policy": "license-pool",
            }
        ],
        "pools": [
            {
                "organization": "acme",
                "pool": "p",
                "product": "training",
                "kind": "named",
                "seats": 1,
                "ends_on": in_days(40),
            }
        ],
        "members": [
            {
                "organization": "acme",
                "member": "anna",
                "email": "anna@acme.example",
                "name": "Anna",
                "roles": ["admin"],
                "locale": "en",
                "zone": "Europe/Dublin",
                "pools": ["p"],
                "ends_on": None,
            }
        ],
    }
    file.write_text(json.dumps(roster | changes))
    return file


def test_init_makes_settings_keys_and_a_store_and_publishes_both_presets(vendor):
    answer = vendor.ask("init", "--datamap", DATAMAP, "--folder", "kept")

    assert [(row["policy"], row["is_new"]) for row in answer["policies"]] == [
        ("license-pool", True),
        ("edit-only-grace", True),
    ]
    assert (vendor.folder / "kept" / "keys" / "ledger.key").stat().st_mode & 0o077 == 0
    assert vendor.ask("status")["organizations"] == []


def test_init_a_second_time_changes_nothing(installation):
    before = installation.contents()

    printed = installation.say("init", "--datamap", DATAMAP)

    assert "left as it was" in printed
    assert installation.contents() == before


def test_the_settings_file_names_every_setting_with_its_meaning(installation):
    written = (installation.folder / "offramp.toml").read_text()

    for name, setting in Settings.model_fields.items():
        assert f"# {setting.description}\n" in written
        assert f"\n# {name} = " in written or f"\n{name} = " in written


def test_init_publishes_the_policies_it_is_given(vendor):
    (vendor.folder / "contract.yaml").write_text(POLICY)

    answer = vendor.ask("init", "--policy", "contract.yaml")

    assert answer["policies"][-1] == {
        **{"policy": "contract", "version": 1},
        **{"is_new": True, "is_published": True, "reason": None},
    }


def test_init_refuses_to_write_a_password_into_a_file(vendor):
    before = vendor.contents()

    finished = vendor.run("init", "--database", "postgresql://anna:hunter2@localhost/offramp")

    assert finished.code == 2
    assert "OFFRAMP_DATABASE_URL" in finished.err
    assert "hunter2" not in finished.err + finished.out
    assert vendor.contents() == before


def test_init_refuses_options_that_contradict_the_settings_that_are_there(installation):
    before = installation.contents()

    finished = installation.run("init", "--folder", "elsewhere")

    assert finished.code == 3
    assert "offramp.toml is there already and says something else about folder" in finished.err
    assert installation.contents() == before


def test_init_with_a_policy_that_has_a_typo_sets_nothing_up(vendor):
    (vendor.folder / "typo.yaml").write_text(POLICY.replace("notify: admins", "notfy: admins"))
    before = vendor.contents()

    finished = vendor.run("init", "--policy", "typo.yaml")

    assert finished.code == 2
    assert "typo.yaml:9" in finished.err
    assert "did you mean notify?" in finished.err.lower()
    assert vendor.contents() == before


def test_a_command_in_a_folder_without_an_installation_says_so_and_makes_nothing(vendor):
    before = vendor.contents()

    finished = vendor.run("renew", LEAVING, "--until", in_days(100))

    assert finished.code == 4
    assert "Nothing was set up in the folder offramp-data yet." in finished.err
    assert vendor.contents() == before


def test_a_policy_is_published_once_and_a_changed_document_is_refused(installation):
    file = installation.folder / "contract.yaml"
    file.write_text(POLICY)

    first = installation.ask("policy", "publish", file)
    second = installation.ask("policy", "publish", file)
    file.write_text(POLICY.replace("P1D", "P2D"))
    changed = installation.run("policy", "publish", file)

    assert (first["is_new"], second["is_new"]) == (True, False)
    assert changed.code == 3
    assert "Version 1 of the policy contract is published already" in changed.err


def test_an_import_creates_what_is_new_in_whatever_order_the_files_come(vendor):
    vendor.say("init", "--datamap", DATAMAP)

    answer = vendor.ask("import", *vendor.rosters)  # members.csv comes first

    assert answer["organizations"] == {"created": 4, "changed": 0, "same": 0}
    assert answer["pools"]["created"] == 8
    assert answer["members"]["created"] == 33
    assert answer["offboardings"]["opened"] >= 4


def test_an_import_again_changes_nothing_and_says_so(installation):
    before = installation.contents()

    printed = installation.say("import", *installation.rosters)

    assert "everything was known already; nothing changed" in printed
    assert installation.contents() == before


def test_an_import_with_a_later_end_moves_the_off_boarding(installation):
    pools = installation.folder / "roster" / "pools.csv"
    lines = pools.read_text().splitlines()
    moved = [
        line.replace(in_days(-3), in_days(30)) if line.startswith("2,") else line for line in lines
    ]
    pools.write_text("\n".join(moved) + "\n")

    answer = installation.ask("import", pools)

    assert answer["pools"]["changed"] == 2
    assert answer["offboardings"] == {"opened": 0, "moved": 1, "ended": 0}
    assert installation.leaving(LEAVING)["ends"] == in_days(30)


def test_an_import_reads_one_json_file(installation):
    file = write_json_roster(installation.folder / "roster.json")

    answer = installation.ask("import", file)

    assert [answer[kind]["created"] for kind in ("organizations", "pools", "members")] == [1, 1, 1]
    assert installation.leaving("acme")["ends"] == in_days(40)


def test_an_import_does_not_bring_back_a_member_who_was_removed(installation):
    installation.say("member", "remove", SIBLING, MEMBER)

    installation.say("import", *installation.rosters)

    assert installation.leaving(SIBLING, MEMBER)["cause"] == "removed"


def broken_line(installation):
    """Break line 600 of a members file that is fine otherwise."""
    file = installation.folder / "many.csv"
    header = "organization,member,email,name,roles,locale,zone,pools,ends_on"
    rows = [f"2,m{n},m{n}@example.com,M,member,en,Europe/Dublin,," for n in range(2, 700)]
    rows[598] = "2,m600,m600@example.com,M,member,en,Europe/Atlantis,,"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def unknown_zone(installation):
    file = installation.folder / "organizations.csv"
    file.write_text("organization,name,zone,locale,policy\n9,Nine,Dublin,en,license-pool\n")
    return file


def duplicate_organization(installation):
    file = installation.folder / "organizations.csv"
    row = "9,Nine,Europe/Dublin,en,license-pool\n"
    file.write_text("organization,name,zone,locale,policy\n" + row + row)
    return file


def impossible_date(installation):
    file = installation.folder / "pools.csv"
    header = "organization,pool,product,kind,seats,ends_on\n"
    file.write_text(header + "2,9,Safety,named,5,2024-02-30\n")
    return file


def pool_of_nobody(installation):
    file = installation.folder / "pools.csv"
    header = "organization,pool,product,kind,seats,ends_on\n"
    file.write_text(header + "77,9,Safety,named,5,2030-02-28\n")
    return file


def unknown_policy(installation):
    file = installation.folder / "organizations.csv"
    file.write_text("organization,name,zone,locale,policy\n9,Nine,Europe/Dublin,en,forever\n")
    return file


def contract_outside_of_its_policy(installation):
    file = installation.folder / "organizations.csv"
    header = "organization,name,zone,locale,policy,overrides\n"
    file.write_text(header + "9,Nine,Europe/Dublin,en,license-pool,grace=P60D\n")
    return file


def unknown_kind(installation):
    file = installation.folder / "something.csv"
    file.write_text("color,size\nred,3\n")
    return file


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (broken_line, 2, ("many.csv:600", "zone", "IANA", "hint")),
        (unknown_zone, 2, ("organizations.csv:2", "Dublin", "IANA")),
        (duplicate_organization, 2, ("organizations.csv:3", "line 2", "every id once")),
        (impossible_date, 2, ("pools.csv:2", "ends_on")),
        (pool_of_nobody, 2, ("pools.csv:2", "no organization 77")),
        (unknown_policy, 4, ("No policy forever", "offramp policy publish")),
        (contract_outside_of_its_policy, 2, ("contract of 9", "grace")),
        (unknown_kind, 2, ("something.csv", "neither organizations nor pools nor members")),
    ],
)
def test_a_broken_import_says_where_and_changes_nothing(installation, make, code, words):
    file = make(installation)
    before = installation.contents()

    finished = installation.run("import", *installation.rosters, file)

    assert finished.code == code, finished.err
    assert all(word in finished.err for word in words), finished.err
    assert "Traceback" not in finished.err
    assert installation.contents() == before


def test_an_organization_in_two_files_is_refused(installation):
    first = duplicate_organization(installation)
    first.write_text("".join(first.read_text().splitlines(keepends=True)[:2]))
    second = installation.folder / "again.csv"
    second.write_text(first.read_text())
    before = installation.contents()

    finished = installation.run("import", first, second)

    assert finished.code == 2
    assert f"The organization 9 stands in {second} and in {first}." in finished.err
    assert installation.contents() == before


def test_an_import_waits_for_a_deletion_in_flight_and_then_gives_up_whole(installation):
    row = installation.leaving(LEAVING)["offboarding"]
    installation.change(
        "INSERT INTO inflight (offboarding, attempt, deadline) VALUES (?, 1, ?)",
        row,
        "2999-01-01T00:00:00.000000Z",
    )
    pools = installation.folder / "roster" / "pools.csv"
    pools.write_text(pools.read_text().replace(in_days(-3), in_days(30)))
    before = installation.contents()

    finished = installation.run("import", *installation.rosters)

    assert finished.code == 5
    assert "A deletion of 2 is in flight" in finished.err
    # All that is left of it are its requests for a turn, which the next chunk sees and clears.
    assert installation.asked() > 0
    installation.change("DELETE FROM inflight WHERE attempt = 0")
    assert installation.contents() == before


def test_a_store_that_is_down_is_told_without_its_password(installation):
    installation.settings["OFFRAMP_DATABASE_URL"] = "postgresql://anna:hunter2@127.0.0.1:1/offramp"
    before = installation.contents()

    finished = installation.run("import", *installation.rosters)
    as_json = installation.run("status", "--json")

    assert finished.code == as_json.code == 5
    assert "The store cannot be reached" in finished.err
    assert as_json.data["error"]["code"] == "StoreUnavailable"
    assert "hunter2" not in finished.out + finished.err + as_json.out + as_json.err
    assert installation.contents() == before


def test_a_setting_that_is_wrong_is_named_and_its_value_is_not(installation):
    installation.settings["OFFRAMP_MAIL_PORT"] = "hunter2"

    finished = installation.run("status")

    assert finished.code == 2
    assert "The setting mail_port is wrong" in finished.err
    assert "hunter2" not in finished.err
