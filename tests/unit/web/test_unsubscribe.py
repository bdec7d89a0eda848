"""L12: the address in a mail's header, for mail programs, for people, and for strangers."""

import re

import pytest
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.page import LinkPages
from offramp.core.policy import Audience
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.ports import OptionalMessage
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.simulation import shop

START = Instant.from_utc(2024, 9, 22, 8)
MESSAGE, UNKNOWN = "0123456789abcdef" * 2, "f" * 32
PATH = "/unsubscribe"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BRAND = Brand(name="Vendor <&>", support="help@vendor.example")


@pytest.fixture
def world():
    """Give a world in which an administrator got an optional message."""
    world = World(START)
    publish(world.context, find_policy("license-pool"))
    register(
        world.context,
        organizations=[shop.organization("acme")],
        pools=[shop.pool("acme")],
        members=shop.members("acme"),
    )
    with world.store.transaction() as transaction:
        (row,) = (r for r in transaction.offboardings("acme") if r.subject.member is None)
        transaction.fan_out(row, step="tips", audience=Audience.ADMINS)
        transaction.put_optional(
            [OptionalMessage(message=MESSAGE, offboarding=row.id, step="tips", member="acme-admin")]
        )
    return world


@pytest.fixture
def client(world):
    app = create_app(world.context, access_keys=AccessKeys(), pages=LinkPages(BRAND))
    return TestClient(app, follow_redirects=False)


def declined(world):
    with world.store.transaction() as transaction:
        return transaction.declined("acme", among=[each.id for each in shop.members("acme")])


def buttons(page):
    return re.findall(r"<button[^>]*>(.*?)</button>", page.text)


@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {},
    ],
    ids=["form", "multipart", "the button"],
)
def test_one_post_is_enough_however_its_form_is_written(world, client, body):
    answer = client.post(PATH, params={"message": MESSAGE}, **body)

    assert answer.status_code == 200
    assert not {"set-cookie", "location"} & set(answer.headers)
    assert declined(world) == {"acme-admin"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(world, client, method):
    answer = client.request(method, PATH, params={"message": MESSAGE})

    assert answer.status_code == 200
    assert declined(world) == frozenset()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "other", [UNKNOWN, "", "\x00", "\ud800".encode("utf-8", "surrogatepass"), "x" * 5000, "é"]
)
def test_nobody_learns_whether_a_message_was_one(world, client, method, other):
    known = client.request(method, PATH, params={"message": MESSAGE})
    asked = client.request(method, PATH, params={"message": other})
    again = client.request(method, PATH, params={"message": MESSAGE})

    assert {asked.status_code, again.status_code} == {200}
    assert known.content == asked.content == again.content
    assert known.headers == asked.headers == again.headers


def test_an_address_without_a_message_is_answered_as_well(client):
    assert client.post(PATH).content == client.post(PATH, params={"message": MESSAGE}).content


def test_who_has_unsubscribed_takes_it_back_by_one_button(world, client):
    client.post(PATH, params={"message": MESSAGE})

    answer = client.post(PATH, params={"message": MESSAGE}, data={"wish": "again"})

    assert answer.status_code == 200
    assert declined(world) == frozenset()
    assert "You are subscribed again" in answer.text


@pytest.mark.parametrize(
    "body", [b"wish=all", b"wish", b"again=wish", b"\xff", b"&" * 99], ids=repr
)
def test_whatever_else_is_posted_unsubscribes(world, client, body):
    client.post(PATH, params={"message": MESSAGE}, content=body)

    assert declined(world) == {"acme-admin"}


@pytest.mark.parametrize("other", [UNKNOWN, "", "x"])
def test_nobody_learns_whose_wish_was_taken_back(world, client, other):
    client.post(PATH, params={"message": MESSAGE})
    asked = client.post(PATH, params={"message": other}, data={"wish": "again"})
    still = declined(world)
    known = client.post(PATH, params={"message": MESSAGE}, data={"wish": "again"})

    assert still == {"acme-admin"}
    assert (asked.content, asked.headers) == (known.content, known.headers)


def test_the_page_is_in_the_language_of_the_browser_and_has_its_buttons(client):
    page = client.get(PATH, params={"message": MESSAGE}, headers={"Accept-Language": "de, en"})
    done = client.post(PATH, params={"message": MESSAGE}, headers={"Accept-Language": "de"})

    assert 'lang="de"' in page.text
    assert buttons(page) == ["Abbestellen", "Ich möchte diese Nachrichten wieder"]
    assert "Vendor &lt;&amp;&gt;" in page.text
    assert buttons(done) == ["Ich möchte diese Nachrichten wieder"]
    assert "Sie haben sich abgemeldet" in done.text


def test_a_browser_may_send_the_form_back_and_do_nothing_else(client):
    answer = client.get(PATH)

    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; "
        r"form-action 'self'; frame-ancestors 'none'",
        answer.headers["content-security-policy"],
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
