"""What the route of the snapshot answers, when it has news, and who is told nothing."""

from threading import Timer

import pytest
from fastapi.testclient import TestClient
from whenever import Date

from offramp.core.access import Voter
from offramp.core.policy import Capability
from offramp.core.snapshot_form import SnapshotDocument, read_snapshot
from offramp.engine import offboarding as deeds
from offramp.engine.people import Person, end_members
from offramp.engine.unlock import grant_unlock
from offramp.web.api import access_snapshot
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.acme import EXPIRED, acme

KEY = "k" * 32
CHANGES = "/v1/access-snapshots/changes"
HEADERS = {"Authorization": f"Bearer {KEY}"}
SNAPSHOT = "/v1/organizations/acme/access-snapshot"


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def ask(world):
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    def asked(path=SNAPSHOT, **headers):
        return client.get(path, headers=HEADERS | headers)

    return asked


def test_a_snapshot_knows_what_may_be_done_at_every_instant_A2_B3(ask):
    taken = read_snapshot(ask().content)

    def may(member, capability, now, surface="app"):
        asked = {"surface": surface, "product": "notes", "now": now}
        return taken.decide(member, capability, **asked).is_allowed

    before = EXPIRED.subtract(nanoseconds=1)
    assert may("ulf", Capability.CREATE, before)
    assert not may("ulf", Capability.CREATE, EXPIRED)
    assert may("ulf", Capability.UPDATE, EXPIRED)
    assert may("anna", Capability.READ, before, "console")
    assert not may("ulf", Capability.READ, before, "console")
    assert not may("anna", Capability.READ, EXPIRED, "console")


def test_it_names_nobody(ask):
    answer = ask()

    assert SnapshotDocument.model_validate_json(answer.content)
    assert not any(said in answer.text for said in ("Anna", "@", "Acme"))


def test_what_is_at_hand_is_not_sent_again_however_late_it_is(world, ask):
    first = ask()
    world.clock.advance_to(EXPIRED)

    again = ask(**{"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Cache-Control"] == "private, no-cache"


def renew(context):
    deeds.renew(context, "acme", until=Date(2030, 1, 1))


def end_one(context):
    end_members(context, "acme", [Person(member="ulf", ends=Date(2024, 8, 10))])


def unlock(context):
    grant_unlock(context, "acme", owner="olga", reason="a ticket", hours=24 * 40)


@pytest.mark.parametrize(
    ("act", "now", "told"),
    [
        (renew, EXPIRED, (True, Voter.ORGANIZATION)),
        (end_one, EXPIRED.subtract(seconds=1), (False, Voter.MEMBER)),
        (unlock, EXPIRED, (True, Voter.UNLOCK)),
    ],
)
def test_whatever_somebody_does_is_news(world, ask, act, now, told):
    first = ask()

    act(world.context)

    news = ask(**{"If-None-Match": first.headers["ETag"]})
    decision = read_snapshot(news.content).decide(
        "ulf", Capability.CREATE, product="notes", now=now
    )
    assert news.status_code == 200
    assert (decision.is_allowed, decision.voter) == told


def test_an_organization_that_nobody_knows_is_told_by_its_code(ask):
    answer = ask("/v1/organizations/nobody/access-snapshot")

    assert (answer.status_code, answer.json()["code"]) == (404, "OrganizationUnknown")


def test_nobody_is_answered_without_a_key(world):
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    assert client.get(SNAPSHOT).status_code == 401


def test_what_has_not_changed_is_not_worked_out_again(world, ask, monkeypatch):
    first = ask()
    at_hand = {"If-None-Match": first.headers["ETag"]}
    work = []
    snapshot_of = access_snapshot.snapshot_of
    monkeypatch.setattr(
        access_snapshot, "snapshot_of", lambda *given: work.append(1) or snapshot_of(*given)
    )

    assert [ask(**at_hand).status_code for _ in range(3)] == [304] * 3
    assert not work
    block(world)
    assert (ask(**at_hand).status_code, len(work)) == (200, 1)


def block(world, member="ulf"):
    with world.store.transaction() as transaction:
        transaction.set_block("acme", member=member, is_blocked=True)


@pytest.fixture
def wait(world, monkeypatch):
    """Ask what has changed of a server that looks often."""
    monkeypatch.setattr(access_snapshot, "LOOK_SECONDS", 0.01)
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    def waited(**organizations):
        return client.post(CHANGES, json={"organizations": organizations}, headers=HEADERS)

    return waited


def test_what_is_not_true_any_more_is_told_at_once(world, ask, wait):
    """And what came, and what is gone: an empty revision stands for neither."""
    revision = ask().headers["Offramp-Revision"]
    block(world)

    answer = wait(acme=revision, nobody="", gone="3.1")

    assert answer.json() == {"organizations": ["acme", "gone"]}


def test_whoever_waits_is_told_as_soon_as_something_changes(world, ask, wait, monkeypatch):
    monkeypatch.setattr(access_snapshot, "LOOKS", 10_000)
    revision = ask().headers["Offramp-Revision"]
    change = Timer(0.05, block, [world])
    change.start()

    answer = wait(acme=revision)

    change.join()
    assert answer.json() == {"organizations": ["acme"]}


def test_whoever_waits_in_vain_is_told_so(ask, wait):
    assert wait(acme=ask().headers["Offramp-Revision"]).json() == {"organizations": []}


def test_so_many_wait_and_no_more(wait, monkeypatch):
    monkeypatch.setattr(access_snapshot, "WAITING_MAX", 0)

    answer = wait(acme="")

    assert (answer.status_code, answer.json()["code"]) == (503, "WaitingTooMany")


def test_so_many_organizations_are_watched_and_no_more(wait):
    organizations = {f"c{number}": "" for number in range(access_snapshot.WATCHED_MAX + 1)}

    assert wait(**organizations).status_code == 422


def test_nobody_waits_without_a_key(world):
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    assert client.post(CHANGES, json={"organizations": {}}).status_code == 401
