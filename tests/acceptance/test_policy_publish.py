"""`offramp policy publish` while a thousand organizations are in flight (S4).

They live in ten zones, their ends lie all over three months, and the new version moves every date:
the first warning sooner, the farewell later, the deletion sooner.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from whenever import Date, Instant

from offramp import presets
from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.store.connection import connect
from offramp.adapters.store.store import SqlStore
from offramp.core.model import Member, Organization, Pool, Role
from offramp.engine.offboarding import register
from offramp.engine.situation import timeline_of
from offramp.ports import Offboarding
from offramp.testing.world import World
from tests.acceptance.installation import Installation, in_days

PRESET = Path(presets.__file__).parent / "license-pool.yaml"
ORGANIZATIONS = 1_000
ZONES = (
    *("Pacific/Apia", "Pacific/Auckland", "Australia/Lord_Howe", "Asia/Tokyo", "Asia/Kolkata"),
    *("Europe/Dublin", "UTC", "America/St_Johns", "America/New_York", "America/Los_Angeles"),
)
ZONE_OF = {f"customer-{n:04}": ZONES[n % len(ZONES)] for n in range(ORGANIZATIONS)}
ENDED_DAYS, COMING_DAYS = 5, 80
POLICY = """\
offramp: 1
policy: terms
version: 1
applies_to: [organization]
stages:
  - {id: active, access: {"*": full}}
  - {id: ended, from: expiry, access: {"*": none}}
  - {id: erased, from: erase, access: {"*": none}, final: true}
steps:
  - {id: warning, at: expiry - P14D, useful_until: expiry, notify: admins}
  - {id: farewell, at: expiry + P1D, notify: admins}
  - {id: erase, at: expiry + P30D, erase: organization,
     requires: [{delivered: warning, at_least_before: P14D}]}
"""
NEXT = (
    POLICY.replace("version: 1", "version: 2")
    .replace("expiry - P14D", "expiry - P21D")
    .replace("expiry + P1D", "expiry + P3D")
    .replace("expiry + P30D", "expiry + P20D")
)


@dataclass(frozen=True)
class Standing:
    """One off-boarding at a moment: its row, its dates, and whether it was told anything."""

    row: Offboarding
    dates: dict
    is_told: bool


@dataclass(frozen=True)
class Story:
    """What was seen before, while and after the version was published."""

    installation: Installation
    mail: list
    before: dict
    after: dict
    refused: object
    refused_contents: tuple
    shown: dict
    published: dict
    again: dict


def customers(ends_on):
    """Give a thousand organizations with one administrator each."""
    facts = {"zone": "UTC", "locale": "en"}
    admin = frozenset({Role.MEMBER, Role.ADMIN})
    return {
        "organizations": [
            Organization(id=each, name=each, zone=zone, locale="en", policy="terms")
            for each, zone in ZONE_OF.items()
        ],
        "pools": [
            Pool(id="all", organization=each, product="app", kind="seat", seats=1, ends=ends_on(n))
            for n, each in enumerate(ZONE_OF)
        ],
        "members": [
            Member(
                id="admin",
                organization=each,
                email=f"admin@{each}.example",
                name="Admin",
                roles=admin,
                pools=frozenset({"all"}),
                **facts,
            )
            for each in ZONE_OF
        ],
    }


def standings(store):
    """Read everybody's dates off the plan, as an operator's page would."""
    with store.transaction() as transaction:
        return {
            row.id: Standing(
                row=row,
                dates={p.key: p.due_at for p in timeline_of(transaction, row).steps},
                is_told=bool(transaction.steps(row.id)),
            )
            for row in transaction.offboardings()
        }


def day_of(standing, key):
    """Give the civil date of a step where the organization is."""
    zone = ZONE_OF[standing.row.subject.organization]
    return str(standing.dates[key].to_tz(zone).date())


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Let a thousand organizations live until today, then publish the next version."""
    installation = Installation(tmp_path_factory.mktemp("publication"))
    file = installation.folder / "terms.yaml"
    file.write_text(POLICY)
    installation.say("init", "--policy", file)
    keys = FolderKeys(installation.folder / "offramp-data" / "keys")
    engine = connect(f"sqlite:///{installation.store}")
    store = SqlStore(engine, ledger_key=keys.ledger_key())
    today = Date.parse_iso(in_days(0))
    now = Instant.now()
    world = World(now.subtract(hours=40 * 24), store=store)

    def ends_on(number):
        return today.add(days=number * 7 % (ENDED_DAYS + COMING_DAYS) - ENDED_DAYS)

    register(world.context, **customers(ends_on))
    world.run_until(now)
    before = standings(store)
    file.write_text(NEXT)
    refused = installation.run("policy", "publish", file)
    refused_contents = standings(store)
    shown = installation.ask("policy", "publish", file, "--dry-run")
    published = installation.ask("policy", "publish", file, "--yes")
    yield Story(
        installation=installation,
        mail=world.mail.sent,
        before=before,
        after=standings(store),
        refused=refused,
        refused_contents=(before, refused_contents),
        shown=shown,
        published=published,
        again=installation.ask("policy", "publish", file),
    )
    engine.dispose()


def test_the_difference_is_shown_first_and_nothing_is_changed_before_somebody_agrees(story):
    told = sum(each.is_told for each in story.before.values())

    assert story.refused.code == 3
    assert f"{ORGANIZATIONS} are leaving by another version" in story.refused.out
    assert f"{told} were told dates already and keep" in story.refused.out
    assert "would be sooner, stays as told" in " ".join(story.refused.out.split())
    assert "nobody agreed to it" in story.refused.err
    before, after = story.refused_contents
    assert before == after


def test_what_is_shown_counts_every_step_of_everybody(story):
    told = sum(each.is_told for each in story.before.values())
    untold = ORGANIZATIONS - told
    steps = {step["key"]: step for step in story.shown["steps"]}

    assert (story.shown["is_new"], story.shown["is_published"]) == (True, False)
    assert (story.shown["takes_over"], story.shown["told"], story.shown["unfit"]) == (
        untold,
        told,
        0,
    )
    assert {key: (s["earlier"], s["later"], s["spared"]) for key, s in steps.items()} == {
        "warning": (untold, 0, told),
        "farewell": (0, untold, 0),
        "erase": (untold, 0, told),
    }
    over = [each for each in story.after.values() if each.row.policy_version == 2]
    assert steps["erase"]["first_on"] == min(day_of(each, "erase") for each in over)


def test_what_was_shown_is_what_happened(story):
    changed = {"is_published": True}

    assert story.published == story.shown | changed
    assert story.again == story.shown | {
        **{"is_new": False, "is_published": False, "in_flight": 0},
        **{"takes_over": 0, "told": 0, "steps": []},
    }
    versions = Counter(each.row.policy_version for each in story.after.values())
    assert versions == {1: story.shown["told"], 2: story.shown["takes_over"]}
    assert min(versions.values()) > 100


def test_no_date_that_was_announced_is_moved_forward(story):
    """S4: nor is it moved back; who was told anything goes on exactly as it was told."""
    told = {name for name, each in story.before.items() if each.is_told}

    assert {story.before[name].row.policy_version for name in told} == {1}
    assert {name: story.after[name] for name in told} == {name: story.before[name] for name in told}


def test_nothing_is_deleted_sooner_than_any_message_said(story):
    """S4, told by the messages themselves: they name the day of the deletion."""
    by_customer = {each.row.subject.organization: each for each in story.after.values()}

    promised = [
        (sent.message.to.partition("@")[2].removesuffix(".example"), sent.message.text[-10:])
        for sent in story.mail
    ]

    assert len(promised) > 200
    for customer, day in promised:
        assert day_of(by_customer[customer], "erase") >= day


def test_who_takes_the_version_over_is_looked_at_on_its_first_date(story):
    over = [each for each in story.after.values() if each.row.policy_version == 2]

    assert {each.row.next_due_at == min(each.dates.values()) for each in over} == {True}
    assert any(each.row.next_due_at < Instant.now() for each in over)  # warned at once, then


def test_the_publication_is_on_record_with_its_counts(story):
    lines = story.installation.say("ledger", "show", "--json").splitlines()
    (entry,) = [
        entry
        for line in lines
        if (entry := json.loads(line))["kind"] == "policy-published"
        if entry["detail"]["policy"] == "terms" and entry["detail"]["version"] == 2
    ]

    assert entry["detail"]["moved"] == story.shown["takes_over"]
    assert entry["detail"]["kept"] == story.shown["told"]
    assert story.installation.ask("ledger", "verify")["entries"] >= entry["number"]


@pytest.fixture
def next_preset(installation):
    """Give the next version of the policy that a company of the installation is leaving by."""
    file = installation.folder / "next.yaml"
    file.write_text(PRESET.read_text().replace("version: 1", "version: 2", 1))
    return file


def test_a_version_that_says_otherwise_who_leaves_is_refused(installation, next_preset):
    next_preset.write_text(next_preset.read_text() + "clock: product\n")
    before = installation.contents()

    finished = installation.run("policy", "publish", next_preset, "--yes")

    assert finished.code == 3
    assert "says otherwise who leaves, or when: clock" in finished.err
    assert "publish it under another name" in finished.err
    assert installation.contents() == before


def test_a_version_before_the_newest_is_refused(installation, next_preset):
    text = next_preset.read_text()
    next_preset.write_text(text.replace("version: 2", "version: 3", 1))
    installation.say("policy", "publish", next_preset, "--yes")
    next_preset.write_text(text)

    finished = installation.run("policy", "publish", next_preset, "--yes")

    assert finished.code == 3
    assert "does not come after version 3" in finished.err
    assert "publish it as version 4" in finished.err


def test_init_publishes_nothing_that_moves_a_date_of_somebody(installation, next_preset):
    """A newer Offramp brings newer presets; they wait until somebody has seen what they do."""
    answer = installation.ask("init", "--policy", next_preset)

    (row,) = [row for row in answer["policies"] if row["version"] == 2]
    assert not row["is_published"]
    assert "are leaving by another version" in row["reason"]
    assert "version 2: published" in installation.say("policy", "publish", next_preset, "--yes")
