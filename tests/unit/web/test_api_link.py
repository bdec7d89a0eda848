"""L14: what is behind a link, for its reader, for programs that look first, and for strangers."""

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from whenever import Date, Instant

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.page import LinkPages
from offramp.core.link import Download
from offramp.core.policy import Audience
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.offer import digest_of
from offramp.engine.publication import publish
from offramp.ports import Link
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.guard import SAFE
from tests.simulation import shop

START = Instant.from_utc(2024, 9, 22, 8)
CONTENT = bytes(range(256)) * 40
SECRET = "x" * 43
PAGE, FILE = f"/links/{SECRET}", f"/links/{SECRET}/data.json"
UNKNOWN = "/links/" + "y" * 43
BRAND = Brand(name="Vendor <&>", color="#1f6f4a", support="help@vendor.example")
WHO = re.compile(r"acme|exports|anna|[a-z]+@acme", re.IGNORECASE)


@pytest.fixture
def world():
    """Give a world in which an administrator has been mailed a link, an hour ago."""
    world = World(START)
    publish(world.context, find_policy("license-pool"))
    register(
        world.context,
        organizations=[shop.organization("acme")],
        pools=[shop.pool("acme")],
        members=[replace(each, locale="de") for each in shop.members("acme")],
    )
    with world.store.transaction() as transaction:
        (row,) = (r for r in transaction.offboardings("acme") if r.subject.member is None)
        transaction.fan_out(row, step="company-data", audience=Audience.ADMINS)
        link = Link(
            digest=digest_of(SECRET),
            offboarding=row.id,
            step="company-data",
            member="acme-admin",
            file=f"exports/{row.id}/company-data.json",
            mailed_at=START,
            expires_at=START.add(hours=24),
        )
        transaction.put_link(link)
    world.vault.files[link.file] = CONTENT
    return world


@pytest.fixture
def client(world):
    app = create_app(world.context, access_keys=AccessKeys(), pages=LinkPages(BRAND))
    return TestClient(app)


def link_of(world):
    with world.store.transaction() as transaction:
        return transaction.find_link(digest_of(SECRET))


def change(world, **changes):
    with world.store.transaction() as transaction:
        link = transaction.find_link(digest_of(SECRET))
        transaction.tables.links[link.digest] = replace(link, **changes)


def test_the_page_says_what_it_leads_to_in_the_language_of_its_reader(client):
    answer = client.get(PAGE, headers={"Accept-Language": "fr"})

    assert answer.status_code == 200
    assert 'lang="de"' in answer.text
    assert "Die Daten von acme Ltd zum Aufbewahren" in answer.text
    assert "Montag, 23. September 2024" in answer.text
    assert "10 kB" in answer.text
    assert f'href="{SECRET}/data.json"' in answer.text
    assert "Vendor &lt;&amp;&gt;" in answer.text
    assert 'href="mailto:help@vendor.example"' in answer.text


def test_the_page_promises_no_day_after_the_eve_of_the_deletion(world, client):
    """L7."""
    change(world, expires_at=START.add(hours=24 * 365))

    text = client.get(PAGE).text

    assert "Oktober 2024" in text
    assert "2025" not in text


def test_a_browser_may_do_nothing_with_the_page_but_show_it(client):
    answer = client.get(PAGE)

    policy = answer.headers["content-security-policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; "
        r"form-action 'none'; frame-ancestors 'none'",
        policy,
    )
    others = {name: value for name, value in SAFE.items() if name != "Content-Security-Policy"}
    assert {name: answer.headers.get(name) for name in others} == others
    assert not re.search(r"<script|<img|src=|url\(|@import|\son\w+=", answer.text)


def test_looking_counts_for_nothing(world, client):
    for method, path in (("GET", PAGE), ("HEAD", PAGE), ("HEAD", FILE)):
        client.request(method, path)

    assert link_of(world).downloads == 0


def test_the_file_is_given_to_be_kept(client):
    answer = client.get(FILE)

    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-disposition"] == 'attachment; filename="data.json"'
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_a_head_says_what_a_get_would_give(client):
    whole, head = client.get(FILE), client.head(FILE)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers


def test_a_download_that_broke_off_goes_on_and_counts_once(world, client):
    first = client.get(FILE, headers={"Range": "bytes=0-4999"})
    tag = first.headers["etag"]
    rest = client.get(FILE, headers={"Range": "bytes=5000-", "If-Range": tag})

    assert (first.status_code, rest.status_code) == (206, 206)
    assert rest.headers["content-range"] == f"bytes 5000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert first.content + rest.content == CONTENT
    assert link_of(world).downloads == 1


def test_what_goes_on_after_another_file_begins_anew(client):
    answer = client.get(FILE, headers={"Range": "bytes=5000-", "If-Range": '"another"'})

    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_part_that_is_not_there_is_refused_and_counts_for_nothing(world, client):
    answer = client.get(FILE, headers={"Range": f"bytes={len(CONTENT)}-"})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert answer.content == b""
    assert link_of(world).downloads == 0


def test_the_first_download_is_on_record_without_a_name(world, client):
    client.get(FILE)
    client.get(FILE)

    with world.store.transaction() as transaction:
        kinds = [entry.event.kind for entry in transaction.ledger()]
    assert kinds.count("export-downloaded") == 1
    assert link_of(world).downloads == 2


def expire(world):
    change(world, expires_at=START)


def revoke(world):
    change(world, revoked_at=START)


def lose_the_file(world):
    world.vault.files.clear()


def forget_the_reader(world):
    with world.store.transaction() as transaction:
        transaction.forget("acme", member="acme-admin", at=START)


def erase(world):
    with world.store.transaction() as transaction:
        transaction.forget("acme", member=None, at=START)


@pytest.mark.parametrize(
    "end", [expire, revoke, lose_the_file, forget_the_reader, erase], ids=lambda end: end.__name__
)
@pytest.mark.parametrize("path", [PAGE, FILE])
def test_a_link_that_leads_nowhere_is_answered_like_one_that_never_was(world, client, end, path):
    end(world)

    answer, stranger = client.get(path), client.get(UNKNOWN)

    assert answer.status_code == stranger.status_code == 404
    assert answer.text == stranger.text
    assert answer.headers == stranger.headers
    assert not WHO.search(answer.text)


def test_every_other_address_below_links_is_answered_alike(client):
    stranger = client.get(UNKNOWN)

    for path in (f"/links/{'y' * 42}", "/links/%00", "/links/%ff%fe", f"{UNKNOWN}/data.json"):
        assert client.get(path).text == stranger.text


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "Dieser Link funktioniert nicht"),
        ("en;q=0.1, fr;q=0.5", "Ce lien ne fonctionne pas"),
        ("nl, pl;q=0.3", "Ten link nie działa"),
        ("es", "Este enlace no funciona"),
        ("nl", "This link does not work"),
        ("", "This link does not work"),
        (";;;,q=9,*", "This link does not work"),
        ("x" * 9000, "This link does not work"),
    ],
    ids=lambda text: text[:30],
)
def test_a_stranger_is_told_in_a_language_of_their_browser(client, wanted, words):
    answer = client.get(UNKNOWN, headers={"Accept-Language": wanted})

    assert words in answer.text
    assert 'href="mailto:help@vendor.example"' in answer.text


def test_a_reader_elsewhere_is_told_the_days_of_their_zone(world, client):
    with world.store.transaction() as transaction:
        reader = transaction.member("acme", "acme-admin")
        transaction.put_members([replace(reader, zone="Pacific/Auckland", locale="en")])
    change(world, expires_at=Instant.from_utc(2024, 9, 24, 12))  # there the 25th begins

    text = client.get(PAGE).text

    assert "Tuesday, September 24, 2024" in text
    assert "Pacific/Auckland" in text


@pytest.mark.parametrize(
    ("about", "reader", "heading"),
    [
        (None, "acme-admin", "The data of acme Ltd, to keep"),
        ("acme-admin", "acme-admin", "Your data, to keep"),
        ("acme-user", "acme-admin", "The data of one member of acme Ltd, to keep"),
    ],
)
def test_the_page_says_whose_data_it_is(about, reader, heading):
    page = LinkPages(Brand()).leading(
        Download(address="a", name="data.json", size_bytes=1, until_on=Date(2024, 9, 28)),
        locale="en",
        organization="acme Ltd",
        is_one_member=about is not None,
        is_own=about == reader,
        zone=None,
        support=None,
    )

    assert f"<h1>{heading}</h1>" in page
