"""L12: one click in a mail program, and no optional message comes any more; all others do."""

import re
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from offramp.core.policy import Policy
from offramp.documents.policy import find_policy
from offramp.documents.returned_mail import read_returned
from offramp.engine.bounces import take_back
from offramp.engine.correspondence import history
from offramp.engine.publication import publish
from offramp.ports import DeliveryStatus
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.acceptance.departure import TRAINING, depart, on_each_kind
from tests.acceptance.installation import LEAVING

ADDRESS = "https://leaving.vendor.example"
RETURNS = "returns@vendor.example"
WAYS = re.compile(
    rf"<({ADDRESS}/unsubscribe\?message=[0-9a-f]{{32}})>, <mailto:([^?]+)\?subject=(.+)>"
)
FAREWELL, TIPS, REMINDER, MORE_TIPS = "2024-08-31", "2024-09-02", "2024-09-04", "2024-09-05"


@pytest.fixture
def departure(request, tmp_path):
    """Give a vendor that sends each user two messages that may be declined, and one between."""
    settings = {"public_address": ADDRESS, "mail_returns_to": RETURNS}
    kind = getattr(request, "param", "sqlite")
    with depart(TRAINING, kind, tmp_path, request, **settings) as departure:
        document = find_policy("license-pool").model_dump(mode="json", by_alias=True)
        document["version"] = 2
        document["steps"] += [
            {"id": name, "at": f"expiry + P{days}D", "notify": "members", "optional": is_optional}
            for name, days, is_optional in (
                ("tips", 3, True),
                ("reminder", 5, False),
                ("more-tips", 6, True),
            )
        ]
        publish(departure.context, Policy.model_validate(document))
        yield departure


def declined(departure, step):
    """Give the addresses to which a step was not sent, as the history of mail tells."""
    with departure.context.store.transaction() as transaction:
        organizations = [each.id for each in transaction.organizations()]
    return [
        member.email
        for organization in organizations
        for written in history(departure.context, organization, step=step)
        for member in departure.members(organization)
        if written.delivery.status is DeliveryStatus.DECLINED
        and member.id == written.delivery.member
    ]


def mails_of_a_day(departure, day):
    return [(to, message) for on, to, message in departure.mail if on == day]


def ways_out(message):
    """Read the address and the mail by which a message can be declined."""
    return WAYS.fullmatch("".join(message["List-Unsubscribe"].split("\n"))).groups()


def click(departure, address):
    """Do what a mail provider does for its user (RFC 8058, section 3.2)."""
    client = TestClient(create_app(departure.context, access_keys=AccessKeys()))
    parts = urlsplit(address)
    return client.post(
        f"{parts.path}?{parts.query}",
        data={"List-Unsubscribe": "One-Click"},
        follow_redirects=False,
    )


@on_each_kind
def test_one_click_ends_optional_messages_and_no_others(departure):
    departure.run_until("2024-09-03T23:00:00Z")
    (reader, mail), *others = mails_of_a_day(departure, TIPS)
    address, _, _ = ways_out(mail)

    answer = click(departure, address)
    departure.run_until("2024-09-07T00:00:00Z")

    assert others
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    reminded = {to for to, _ in mails_of_a_day(departure, REMINDER)}
    assert reminded == {reader, *(to for to, _ in others)}
    assert {to for to, _ in mails_of_a_day(departure, MORE_TIPS)} == reminded - {reader}
    assert declined(departure, "more-tips") == [reader]


def test_what_everybody_gets_cannot_be_declined(departure):
    departure.run_until("2024-09-01T00:00:00Z")

    farewells = mails_of_a_day(departure, FAREWELL)

    assert farewells
    assert {mail["List-Unsubscribe"] for _, mail in farewells} == {None}


def test_a_mail_with_the_subject_that_was_asked_for_does_the_same(departure):
    departure.run_until("2024-09-03T23:00:00Z")
    (reader, mail), *_ = mails_of_a_day(departure, TIPS)
    _, mailbox, subject = ways_out(mail)
    request = f"From: {reader}\nTo: {mailbox}\nSubject: {subject.replace('%20', ' ')}\n\n"

    taken = take_back(departure.context, read_returned(request.encode()))
    departure.run_until("2024-09-07T00:00:00Z")

    assert (mailbox, taken) == (RETURNS, "noted")
    assert reader not in {to for to, _ in mails_of_a_day(departure, MORE_TIPS)}


def test_the_wish_is_gone_with_the_company(departure):
    """L30."""
    departure.run_until("2024-09-03T23:00:00Z")
    for _, mail in mails_of_a_day(departure, TIPS):
        click(departure, ways_out(mail)[0])
    before = departure.store_tables()

    departure.run_until("2024-10-15T00:00:00Z")

    after = departure.store_tables()
    assert LEAVING in {row["organization"] for row in before["declined"]}
    assert LEAVING not in {row["organization"] for row in after["declined"]}
    assert len(after["optional_message"]) < len(before["optional_message"])
