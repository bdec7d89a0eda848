"""A member asks for what never arrived, by way of a program of the vendor (A4)."""

import pytest
from whenever import Instant

from tests.acceptance.installation import LEAVING, served

RESEND = "/v1/organizations/{}/members/{}/messages/resend"


@pytest.fixture
def installation(installation, smtp):
    """Give an installation that has written to everybody."""
    installation.say("run")
    return installation


def sent(installation, step="achievements"):
    return installation.ask("mail", "history", LEAVING, "--step", step)["messages"]


def let_an_hour_pass(installation):
    """Move everything that was asked for into the past."""
    past = Instant.now().subtract(minutes=61).format_iso(unit="microsecond")
    installation.change("UPDATE delivery_note SET at = ?", past)


def test_a_person_is_sent_their_achievements_again_and_nobody_else_is(installation, smtp):
    """A4."""
    before = len(smtp.messages)
    reader = sent(installation)[0]["member"]
    with served(installation) as server:
        answer = server.ask("POST", RESEND.format(LEAVING, reader))
        unchanged = len(smtp.messages)
        code, printed, told = server.stop()

    installation.say("run")

    (again,) = smtp.messages[before:]
    (first,) = [m for m in smtp.messages[:before] if is_the_same(m, again)]
    assert (answer.status_code, answer.json()) == (202, {"messages": 1})
    assert unchanged == before
    assert first.recipients == again.recipients
    assert first.message["Message-ID"] != again.message["Message-ID"]
    assert (code, printed, told) == (0, "", "")


def is_the_same(one, other):
    """Whether two mails brought the same person the same files."""
    return one.recipients == other.recipients and contents_of(one) == contents_of(other)


def contents_of(mail):
    return [part.get_payload(decode=True) for part in mail.message.iter_attachments()]


def test_whoever_asks_again_and_again_is_sent_one_message_an_hour(installation, smtp):
    """A4."""
    before = len(smtp.messages)
    path = RESEND.format(LEAVING, sent(installation)[0]["member"])
    with served(installation) as server:
        first, while_queued = server.ask("POST", path), server.ask("POST", path)
        installation.say("run")
        once_sent = server.ask("POST", path)
        let_an_hour_pass(installation)
        later = server.ask("POST", path)
    installation.say("run")

    refused = [(each.status_code, each.json()["code"]) for each in (while_queued, once_sent)]
    assert (first.status_code, later.status_code) == (202, 202)
    assert refused == [(409, "NothingToResend")] * 2
    assert "within the last hour" in once_sent.json()["hint"]
    assert len(smtp.messages) == before + 2


def test_what_one_step_sent_is_sent_again_where_it_is_named(installation, smtp):
    """A4."""
    step, member = "achievements", sent(installation)[0]["member"]
    with served(installation) as server:
        answer = server.ask("POST", RESEND.format(LEAVING, member), params={"step": step})

    statuses = {each["member"]: each["status"] for each in sent(installation, step)}
    assert (answer.status_code, answer.json()["messages"]) == (202, 1)
    assert statuses[member] == "queued"


def test_support_need_not_wait_for_the_hour_of_a_person(installation, smtp):
    """A4."""
    member = sent(installation)[0]["member"]
    with served(installation) as server:
        server.ask("POST", RESEND.format(LEAVING, member))
    installation.say("run")

    asked = installation.ask(
        "mail", "resend", LEAVING, "--member", member, "--step", "achievements"
    )

    assert asked == {"queued": {LEAVING: 1}}


def test_who_asked_is_on_record_without_a_name(installation, smtp):
    """A4, L30."""
    with served(installation) as server:
        server.ask("POST", RESEND.format(LEAVING, sent(installation)[0]["member"]))

    *_, entry = [e for e in ledger_of(installation) if '"messages-asked-again"' in e]
    assert '"user"' in entry
    assert "@" not in entry


def ledger_of(installation):
    return installation.say("ledger", "show", "--json").splitlines()


@pytest.mark.parametrize(
    ("organization", "member", "query", "status", "code"),
    [
        ("nobody", "nobody", {}, 404, "OrganizationUnknown"),
        (LEAVING, "nobody", {}, 404, "MemberUnknown"),
        (LEAVING, None, {"step": "nothing"}, 409, "NothingToResend"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_again_is_answered_as_a_problem(
    installation, smtp, organization, member, query, status, code
):
    member = member or sent(installation)[0]["member"]
    with served(installation) as server:
        answer = server.ask("POST", RESEND.format(organization, member), params=query)
        refused = server.ask("POST", RESEND.format(organization, member), key=None)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert refused.status_code == 401
