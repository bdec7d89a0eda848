"""A copy of everything in the portal, a copy taken back, the brand on every page: E1, B5, B9."""

from dataclasses import replace

from whenever import Instant

from offramp.adapters.message.portal_page import PortalPages
from offramp.ports import InlineImage
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.lobby import (
    ADMIN,
    BRAND,
    DELETED,
    EXPIRED,
    USER,
    Visitor,
    words,
)

OUT = Instant.from_utc(2024, 12, 10)


def test_an_administrator_asks_for_everything_and_is_led_to_it(notes):
    """E1, B5."""
    notes.world.run_until(OUT)
    admin, owner = notes.signed_in(ADMIN), notes.signed_in("owner@acme.example")

    asked = admin.post("/portal/organization/copy")
    waiting = words(owner.get("/portal/organization"))
    twice = owner.post("/portal/organization/copy")
    notes.make_copies()
    ready, seen = (
        words(admin.get(asked.headers["location"])),
        words(owner.get("/portal/organization")),
    )
    led = admin.get("/portal/organization/copy").headers["location"]
    page = words(admin.get(led))
    document = admin.get(f"{led}/data.json").json()

    assert "Acme Admin Asked for on December 10, 2024. It is being made." in waiting
    assert "Make a copy of everything" not in waiting
    assert (twice.status_code, "is being made already" in words(twice)) == (409, True)
    assert "We make a copy of the data" in ready
    assert "Made on December 10, 2024. Download possible until" in ready
    assert "Send the link again" in ready
    assert "Acme Admin Made on" in seen
    assert "Send the link again" not in seen
    assert "The data of acme Ltd, to keep" in page
    assert len(document["data"]["people"]) > 1


def test_a_copy_of_everything_is_taken_back_by_any_administrator(notes):
    """E1."""
    notes.world.run_until(OUT)
    admin, owner = notes.signed_in(ADMIN), notes.signed_in("owner@acme.example")
    admin.post("/portal/organization/copy")
    notes.make_copies()
    led = admin.get("/portal/organization/copy").headers["location"]

    taken = owner.post("/portal/organization/copy/revoke", {"member": "acme-admin"})

    told = "The copy is deleted, and its link leads nowhere any more."
    assert told in words(owner.get(taken.headers["location"]))
    assert admin.get(led).status_code == 404
    assert "Make a copy of everything" in words(admin.get("/portal/organization"))


def test_a_user_takes_their_own_copy_back(notes):
    """B9."""
    notes.world.run_until(OUT)
    user = notes.signed_in()
    user.post("/portal/copy")
    notes.make_copies()
    led = user.get("/portal/copy").headers["location"]

    user.post("/portal/copy/revoke")

    assert user.get(led).status_code == 404
    assert "Make a copy of my data" in words(user.get())


def test_where_no_copy_of_everything_is_given_an_administrator_reads_so(training):
    training.world.run_until(EXPIRED)

    page = words(training.signed_in(ADMIN).get("/portal/organization"))

    assert "No copy of everything is given in this stage." in page
    assert "Make a copy of everything" not in page


def test_once_everything_is_deleted_nobody_is_let_in_and_the_page_says_why(notes):
    """B6."""
    admin = notes.signed_in(ADMIN)
    notes.world.run_until(DELETED)

    answer = admin.post("/portal/organization/copy", token="x")
    told = words(notes.visitor().post("/portal/sign-in", {"address": ADMIN}, token=""))

    assert answer.headers["location"] == "/portal/sign-in"
    assert "Once data is deleted for good we know nobody any more" in told


def test_the_logo_of_the_brand_is_on_every_page_and_fetched_from_nowhere(notes):
    logo = InlineImage(content_id="logo", media_type="image/png", content=b"a picture")
    brand = replace(BRAND, logo=logo)
    app = create_app(notes.context, access_keys=AccessKeys(), portal=PortalPages(brand))
    visitor = Visitor(app)
    (path,) = notes.ask(USER, visitor)
    visitor.post(path, token="")

    for page in ("/portal/sign-in", "/portal", "/portal/help"):
        answer = visitor.get(page)
        assert '<img class="logo" src="data:image/png;base64,YSBwaWN0dXJl" alt="Trellis">' in (
            answer.text
        )
        assert "; img-src data:; " in answer.headers["content-security-policy"]


def test_without_a_logo_no_page_may_show_a_picture(notes):
    answer = notes.visitor().get("/portal/sign-in")

    assert "<img" not in answer.text
    assert "img-src" not in answer.headers["content-security-policy"]
