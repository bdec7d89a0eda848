"""Mail is handed over at a measured pace: in all, and to each receiving domain."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.adapters import mailer_paced
from offramp.adapters.mailer_paced import PacedMailer
from offramp.ports import HeldBack, MailerUnavailable, Message
from offramp.testing.mailer import MemoryMailer

AT = Instant.from_utc(2024, 8, 31)
TO_ANNA = Message(
    id="m", to="anna@acme.example", to_name="Anna", subject="Hello", text="Hello", html=""
)
TO_BEN, TO_ZOE = replace(TO_ANNA, to="ben@acme.example"), replace(TO_ANNA, to="zoe@other.example")


class Watch:
    """A clock that goes on only while somebody waits."""

    def __init__(self):
        self.seconds = 0.0
        self.waits = []

    def pause(self, seconds):
        self.waits.append(seconds)
        self.seconds += seconds


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def post():
    return MemoryMailer()


def paced(post, watch, *, per_minute=None, to_domain=None):
    return PacedMailer(
        post,
        per_minute=per_minute,
        per_minute_to_domain=to_domain,
        elapsed=lambda: watch.seconds,
        pause=watch.pause,
    )


@pytest.mark.parametrize(
    ("limits", "waits"),
    [
        ({}, []),
        ({"per_minute": 6}, [10, 10, 10]),
        ({"to_domain": 6}, [10, 10]),
        ({"per_minute": 60, "to_domain": 6}, [1, 9, 10]),
    ],
    ids=str,
)
def test_each_message_waits_for_its_turn_and_no_longer(post, watch, limits, waits):
    mailer = paced(post, watch, **limits)

    for message in (TO_ANNA, TO_ZOE, TO_BEN, TO_ANNA):
        mailer.send(message, at=AT)

    assert watch.waits == waits
    assert len(post.sent) == 4


def test_whoever_comes_late_enough_does_not_wait(post, watch):
    mailer = paced(post, watch, per_minute=6)
    mailer.send(TO_ANNA, at=AT)
    watch.seconds += 10

    mailer.send(TO_BEN, at=AT)

    assert watch.waits == []


def test_a_domain_is_the_same_in_capitals(post, watch):
    mailer = paced(post, watch, to_domain=6)

    mailer.send(TO_ANNA, at=AT)
    mailer.send(replace(TO_BEN, to="ben@ACME.example"), at=AT)

    assert watch.waits == [10]


class Crowd(Watch):
    """A clock that stands still while everybody waits at once."""

    def pause(self, seconds):
        self.waits.append(seconds)


@pytest.mark.parametrize(
    ("limits", "held"),
    [
        ({}, HeldBack()),
        ({"per_minute": 6}, HeldBack(seconds=30)),
        ({"to_domain": 6}, HeldBack(seconds=20, domains=1)),
        ({"per_minute": 60, "to_domain": 6}, HeldBack(seconds=20, domains=2)),
    ],
    ids=str,
)
def test_what_waits_for_its_turn_is_told_until_it_has_gone(post, limits, held):
    watch = Crowd()
    mailer = paced(post, watch, **limits)
    assert mailer.held_back() == HeldBack()

    for message in (TO_ANNA, TO_ZOE, TO_BEN, TO_ANNA):
        mailer.send(message, at=AT)

    assert mailer.held_back() == held
    watch.seconds += max(watch.waits, default=0)
    assert mailer.held_back() == HeldBack()


def test_what_the_other_mailer_says_is_said(post, watch):
    mailer = paced(post, watch, per_minute=6)
    post.then(MailerUnavailable(reason="down"))

    with mailer.session(), pytest.raises(MailerUnavailable):
        mailer.send(TO_ANNA, at=AT)

    assert mailer.was_accepted("m") is False


def test_domains_whose_turn_is_past_are_forgotten(post, watch, monkeypatch):
    monkeypatch.setattr(mailer_paced, "REMEMBERED_MAX", 2)
    mailer = paced(post, watch, to_domain=6)
    for number in range(3):
        mailer.send(replace(TO_ANNA, to=f"anna@acme{number}.example"), at=AT)
    watch.seconds += 10

    mailer.send(TO_ZOE, at=AT)

    assert len(mailer._free_at) == 1
