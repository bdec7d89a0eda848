"""A4: the page on which a person asks for their messages again, for them and for strangers."""

import re

import pytest
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.page import LinkPages
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.again_page import FORM_BYTES_MAX
from offramp.web.api.app import create_app
from tests.simulation import shop

PATH = "/again"
KNOWN, SENT_NOTHING, UNKNOWN = "user@acme.example", "user@beta.example", "eve@stranger.example"
BRAND = Brand(name="Vendor <&>", support="help@vendor.example")
LANGUAGES = {
    "en": "Send again",
    "de": "Noch einmal senden",
    "fr": "Renvoyer",
    "es": "Enviar de nuevo",
    "pl": "Wyślij ponownie",
}


@pytest.fixture
def world():
    """Give a world in which acme has left and beta stays."""
    world = World(Instant.from_utc(2024, 8, 1))
    publish(world.context, find_policy("license-pool"))
    register(
        world.context,
        organizations=[shop.organization("acme"), shop.organization("beta")],
        pools=[shop.pool("acme"), shop.pool("beta", ends=None)],
        members=[*shop.members("acme"), *shop.members("beta")],
    )
    world.run_until(Instant.from_utc(2024, 9, 3))
    return world


@pytest.fixture
def client(world):
    app = create_app(
        world.context, access_keys=AccessKeys(), pages=LinkPages(BRAND), has_again_page=True
    )
    return TestClient(app, follow_redirects=False)


def waiting(world):
    with world.store.transaction() as transaction:
        return transaction.requests(limit=100)


def deliveries(world):
    with world.store.transaction() as transaction:
        rows = transaction.offboardings()
        return [each for row in rows for each in transaction.deliveries(row.id)]


def test_what_was_asked_for_waits_for_a_worker(world, client):
    before = deliveries(world)

    answer = client.post(PATH, data={"address": KNOWN})

    assert answer.status_code == 200
    assert waiting(world) == (KNOWN,)
    assert deliveries(world) == before


@pytest.mark.parametrize("other", [SENT_NOTHING, UNKNOWN, "", "no address", "é@ü.example", "\x00"])
def test_nobody_learns_whether_an_address_is_known(client, other):
    known = client.post(PATH, data={"address": KNOWN})
    asked = client.post(PATH, data={"address": other})
    again = client.post(PATH, data={"address": KNOWN})

    assert {known.status_code, asked.status_code, again.status_code} == {200}
    assert known.content == asked.content == again.content
    assert known.headers == asked.headers == again.headers


def test_the_same_is_asked_of_the_store_whoever_asks(world, client, monkeypatch):
    """What takes the same steps takes the same time: nobody is looked up before the answer."""
    steps = []
    begin = world.store.transaction
    monkeypatch.setattr(world.store, "transaction", lambda: Heard(begin(), steps))

    client.post(PATH, data={"address": KNOWN})
    known = steps[:]
    steps.clear()
    client.post(PATH, data={"address": UNKNOWN})

    assert known == steps == ["put_request"]


class Heard:
    """A transaction that tells what is asked of it."""

    def __init__(self, transaction, steps):
        self._begun, self._steps = transaction, steps

    def __enter__(self):
        self._transaction = self._begun.__enter__()
        return self

    def __exit__(self, *problem):
        return self._begun.__exit__(*problem)

    def __getattr__(self, name):
        self._steps.append(name)
        return getattr(self._transaction, name)


@pytest.mark.parametrize(
    "body",
    [b"", b"address", b"address=", b"other=x", b"\xff\xfe", b"&" * 100, b"address=%ff%00@b.c"],
    ids=repr,
)
def test_what_is_no_form_of_ours_is_answered_alike_and_asks_for_nothing(world, client, body):
    answer = client.post(PATH, content=body)

    assert answer.status_code == 200
    assert answer.content == client.post(PATH, data={"address": UNKNOWN}).content
    assert waiting(world) == (UNKNOWN,)


def test_the_longest_address_fits_and_a_large_body_is_not_read(world, client):
    longest = "ü@" + "x" * 246 + ".eu"

    fits = client.post(PATH, data={"address": longest})
    large = client.post(PATH, content=b"address=" + b"x" * FORM_BYTES_MAX)

    assert (fits.status_code, large.status_code) == (200, 413)
    assert waiting(world) == (longest,)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_asks_for_nothing_and_an_address_in_the_address_is_not_read(world, client, method):
    plain = client.request(method, PATH)
    answer = client.request(method, PATH, params={"address": KNOWN})

    assert (plain.status_code, plain.content) == (200, answer.content)
    assert waiting(world) == ()


@pytest.mark.parametrize(("language", "button"), LANGUAGES.items())
def test_the_page_is_in_the_language_of_the_browser_and_has_one_field(client, language, button):
    page = client.get(PATH, headers={"Accept-Language": f"{language}, en;q=0.5"}).text
    done = client.post(PATH, data={"address": KNOWN}, headers={"Accept-Language": language}).text

    assert f'lang="{language}"' in page
    assert re.findall(r"<button[^>]*>(.*?)</button>", page) == [button]
    assert re.findall(r"<input[^>]* name=\"(\w+)\"", page) == ["address"]
    assert "Vendor &lt;&amp;&gt;" in page
    assert "<form" not in done
    assert KNOWN not in done
    assert language == "en" or "Thank you" not in done


def test_a_browser_may_send_the_form_back_and_do_nothing_else(client):
    answer = client.get(PATH)

    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; "
        r"form-action 'self'; frame-ancestors 'none'",
        answer.headers["content-security-policy"],
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


def test_without_the_setting_there_is_no_such_page(world):
    client = TestClient(create_app(world.context, access_keys=AccessKeys()))

    assert (client.get(PATH).status_code, client.post(PATH).status_code) == (404, 404)


def test_a_method_that_is_not_there_hears_of_all_that_are(client):
    answer = client.put("/again")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
