"""`offramp webhook`, `run`, `worker`: events reach real endpoints from processes that may die."""

import signal
import time

import pytest

from offramp.adapters.clock import SystemClock
from offramp.data.sources.wire import read_secrets
from offramp.testing.receiver import Answered, Receiver, Trouble, serve
from tests.acceptance.installation import LEAVING

SECRET = "whsec_" + "c" * 32
GONE = Answered(status=410)
PATIENCE_SECONDS = 30
FILE = """\
source: /offramp/tests
endpoints:
  crm:
    url: {crm}
    secret: env:CRM_SECRET
  audit:
    url: env:AUDIT_URL
    secret: env:CRM_SECRET
    events: [stage-changed]
"""


def receiver():
    return Receiver(seal=read_secrets(SECRET), now=lambda: SystemClock().now().to_stdlib())


@pytest.fixture
def crm():
    return receiver()


@pytest.fixture
def audit():
    return receiver()


@pytest.fixture
def told(installation, smtp, crm, audit):
    """Give an installation that has two endpoints, in its own network."""
    with serve(crm) as crm_url, serve(audit) as audit_url:
        file = installation.folder / "webhooks.yaml"
        file.write_text(FILE.format(crm=crm_url))
        installation.settings |= {
            "OFFRAMP_WEBHOOKS": str(file),
            "OFFRAMP_PRIVATE_ADDRESSES": "true",
            "CRM_SECRET": SECRET,
            "AUDIT_URL": audit_url,
        }
        yield installation


def listed(installation):
    return {each["endpoint"]: each for each in installation.ask("webhook", "list")["endpoints"]}


def types(receiver):
    return {event["type"] for event in receiver.taken.values()}


def wait_until(holds):
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_tells_each_endpoint_what_it_wants(told, crm, audit):
    told.say("run")

    assert {"offramp.stage-changed", "offramp.step-missed"} <= types(crm)
    assert types(audit) == {"offramp.stage-changed"}
    (event, *_) = [each for each in crm.taken.values() if each.get("subject") == LEAVING]
    assert event["source"] == "/offramp/tests"
    assert (crm.refused, audit.refused) == (0, 0)
    assert len(crm.arrived) == len(crm.taken)


def test_the_list_shows_what_waits_and_no_secret(told, crm):
    crm.script = [Answered(status=500)]
    told.say("run")

    endpoints, text = listed(told), told.say("webhook", "list")

    assert (endpoints["crm"]["waiting"], endpoints["crm"]["retried"]) == (1, 1)
    assert (endpoints["audit"]["waiting"], endpoints["audit"]["failed"]) == (0, 0)
    assert endpoints["audit"]["events"] == ["stage-changed"]
    assert "/events/of/offramp" not in text
    assert SECRET not in text


def test_what_does_not_arrive_is_told_and_the_run_succeeds(told, crm):
    crm.script = [Trouble.HANGS_UP]

    printed = told.say("run")

    assert "endpoint crm: the event" in printed
    assert "is waiting (RemoteProtocolError)" in printed


def test_an_endpoint_is_tested(told, crm):
    answered = told.say("webhook", "test", "crm")
    crm.script = [Answered(status=301)]
    refused = told.run("webhook", "test", "crm")

    assert answered == "crm took the event: it answers 204\n"
    assert types(crm) == {"offramp.endpoint-tested"}
    assert (refused.code, "301" in refused.err) == (5, True)


def test_an_endpoint_that_answers_410_waits_to_be_enabled(told, crm, audit):
    """L35."""
    crm.script = [GONE]
    told.say("run")
    disabled = listed(told)["crm"]

    enabled = told.say("webhook", "enable", "crm")
    again = told.say("webhook", "enable", "crm")
    told.say("run")

    assert disabled["disabled_at"]
    assert disabled["waiting"] > 0
    assert enabled == "crm is enabled again\n"
    assert again == "crm is enabled already\n"
    assert listed(told)["crm"] | {"place": ""} == disabled | {
        **{"place": "", "waiting": 0, "next_try_at": None, "disabled_at": None}
    }
    assert set(audit.taken) < set(crm.taken)


def test_events_are_sent_again_under_their_own_ids(told, crm, audit):
    told.say("run")
    first = dict(crm.taken)
    one = next(iter(audit.taken))

    printed = told.say("webhook", "replay", "crm", "--since", "2020-01-01T00:00:00Z")
    told.say("webhook", "replay", "--event", one)
    told.say("run")

    assert printed.startswith(f"{len(first)} events will be sent again")
    assert crm.taken == first
    assert sorted(crm.arrived) == sorted([*first, *first])
    assert audit.arrived.count(one) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("test", "nobody"), 4),
        (("enable", "nobody"), 4),
        (("replay", "--event", "nothing"), 4),
        (("replay",), 2),
        (("replay", "--since", "yesterday"), 2),
    ],
)
def test_what_is_not_there_is_named(told, arguments, code):
    assert told.run("webhook", *arguments).code == code


@pytest.mark.parametrize(
    ("text", "told_of"),
    [
        ("{url: 'https://crm.example', secret: plain}", "secret"),
        ("{url: 'https://crm.example', secret: 'env:NOT_SET'}", "NOT_SET"),
        ("{url: 'ftp://crm.example', secret: 'env:CRM_SECRET'}", "encrypted"),
        ("{url: 'https://crm.example', secret: 'env:CRM_SECRET', events: [eras]}", "erased"),
    ],
)
def test_a_wrong_file_is_refused_before_anything_is_carried_out(told, text, told_of):
    (told.folder / "webhooks.yaml").write_text(f"endpoints: {{crm: {text}}}")

    refused = told.run("run")

    assert refused.code == 2
    assert told_of in refused.err
    assert told.step(LEAVING, "achievements")["status"] == "pending"


def test_whoever_is_killed_while_an_endpoint_thinks_is_followed_under_the_same_id(told, crm):
    """L32, L34: the answer was lost, so the event comes again, and it is the same event."""
    crm.script = [Trouble.SILENT]
    process = told.start("run", "--every", "1")
    wait_until(lambda: crm.arrived)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    lost = crm.arrived[0]

    told.change("UPDATE parcel SET lease_until = '2020-01-01T00:00:00.000000Z'")
    told.say("run")

    assert crm.arrived.count(lost) == 2
    assert listed(told)["crm"]["waiting"] == 0


@pytest.mark.parametrize("command", [("run", "--every", "1"), ("worker",)], ids=" ".join)
def test_a_worker_brings_events_beside_its_work_and_stops_at_once(told, crm, audit, command):
    """L33: an endpoint that never answers delays neither the mails nor the other endpoint."""
    crm.script = [Trouble.SILENT]
    process = told.start(*command)
    wait_until(lambda: audit.taken and crm.arrived)
    wait_until(lambda: told.step(LEAVING, "achievements")["status"] == "done")

    crm.released.set()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0, errors
