"""Takes the pictures of docs/portal.md with a Chromium: python -m tests.docs.portal_pictures."""

import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from whenever import Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.brand import Brand
from offramp.adapters.message.page import LinkPages
from offramp.adapters.message.portal_page import PortalPages
from offramp.core.case import Complaint
from offramp.core.model import SubjectKind
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.cases import add_note, open_case
from offramp.engine.copying import tend_copies
from offramp.engine.offboarding import register
from offramp.engine.offer import PATH as LINKS
from offramp.engine.own_copy import ask_for_copy, secret_of_copy
from offramp.engine.portal_entry import ask_for_entrance, send_entrances
from offramp.engine.publication import publish
from offramp.testing.world import PlainComposer, World
from offramp.web.address import open_listener, url_of
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.browser import open_browser
from tests.simulation import shop
from tests.unit.web.office import listening

FOLDER = Path(__file__).parents[2] / "docs" / "images"
START, NOW = Instant.from_utc(2024, 8, 1, 9), Instant.from_utc(2024, 9, 24, 14)
BRAND = Brand(
    name="Trellis",
    color="#1f6f4a",
    support="help@trellis.example",
    renewal="https://trellis.example/renew",
)
CUSTOMERS = {
    "alder": ("Alder Academy", "license-pool"),
    "birch": ("Birch & Sons", "edit-only-grace"),
}
PEOPLE = {"owner": "Orla Byrne", "admin": "Anna Nowak", "user": "Zoë Murphy", "guest": "Ben Okafor"}
DESK, PHONE = {"width": 960, "height": 900}, {"width": 390, "height": 844}
ADMIN, USER, OTHER = "admin@alder.example", "user@birch.example", "user@alder.example"
MANAGER = "admin@birch.example"
PICTURES = {
    "portal-sign-in": (None, "/portal/sign-in", "light", DESK),
    "portal-enter": (None, "{entrance}", "light", DESK),
    "portal-link-dead": (None, "/portal/enter/none", "light", DESK),
    "portal-organization": (ADMIN, "/portal/organization", "light", DESK),
    "portal-organization-dark": (ADMIN, "/portal/organization", "dark", DESK),
    "portal-organization-copies": (MANAGER, "/portal/organization", "light", DESK),
    "portal-organization-phone": (MANAGER, "/portal/organization", "light", PHONE),
    "portal-people": (MANAGER, "/portal/people", "light", DESK),
    "portal-account": (USER, "/portal", "light", DESK),
    "portal-account-phone": (USER, "/portal", "light", PHONE),
    "portal-data": (None, "{link}", "light", DESK),
    "portal-help": (OTHER, "/portal/help", "light", DESK),
    "portal-case": (OTHER, "/portal/cases/{case}", "light", DESK),
    "portal-problem": (OTHER, "/portal/cases/none", "light", DESK),
    "portal-again": (None, "/again", "light", DESK),
}


class Composer(JinjaComposer):
    """Words as they are shipped; what was earned is written in a line, which is fast."""

    attach_achievements = PlainComposer.attach_achievements


@contextmanager
def portal(folder):
    """Serve a portal with two customers who have left, and give its world."""
    vendor = shop.open_shop(folder)
    vendor.fill(*CUSTOMERS)
    with open_listener("127.0.0.1:0") as listener:
        world = World(
            START, data=vendor.data, composer=Composer(brand=BRAND), public_address=url_of(listener)
        )
        for preset in PRESETS:
            publish(world.context, find_policy(preset))
        register(
            world.context,
            organizations=[
                replace(shop.organization(slug, policy=policy), name=name)
                for slug, (name, policy) in CUSTOMERS.items()
            ],
            pools=[shop.pool(slug) for slug in CUSTOMERS],
            members=[
                replace(member, name=PEOPLE[member.id.partition("-")[2]])
                for slug in CUSTOMERS
                for member in shop.members(slug)
            ],
        )
        world.run_until(NOW)
        ask_for_copy(world.context, "birch", "birch-user")
        ask_for_copy(world.context, "birch", "birch-owner", scope=SubjectKind.ORGANIZATION)
        tend_copies(world.context)
        app = create_app(
            world.context,
            access_keys=AccessKeys(),
            pages=LinkPages(BRAND),
            has_again_page=True,
            portal=PortalPages(BRAND),
        )
        with listening(app, listener):
            yield world


def complain(world):
    """Let somebody tell that something never came, and be answered; give the case."""
    words = "I never got my certificates. My mailbox was full that week."
    case = open_case(
        world.context,
        "alder",
        Complaint.NO_ACHIEVEMENTS,
        member="alder-user",
        words=words,
        actor="user",
    )
    add_note(world.context, case.id, "Your mailbox was full. They are on their way once more.")
    return case.id


def entrance_of(world, address):
    """Let a worker send a way in, and give it."""
    ask_for_entrance(world.context, address)
    send_entrances(world.context)
    return re.search(r"http\S+/enter/[\w-]+", world.mail.sent[-1].message.text)[0]


def sign_in(browser, world, address):
    """Come in by a mail, and give what the browser keeps."""
    link = entrance_of(world, address)
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/portal")
        return context.storage_state()


def write_pictures(folder):
    """Take every picture."""
    with (
        TemporaryDirectory() as place,
        open_browser() as browser,
        portal(Path(place)) as world,
    ):
        people = filter(None, {who for who, *_ in PICTURES.values()})
        kept = {who: sign_in(browser, world, who) for who in people}
        with world.store.reading() as transaction:
            (copy,) = transaction.own_copies("birch", member="birch-user")
        places = {
            "case": complain(world),
            "entrance": entrance_of(world, USER),
            "link": f"/{LINKS}/{secret_of_copy(world.context, copy)}",
        }
        for name, (who, path, scheme, size) in PICTURES.items():
            options = {"storage_state": kept.get(who), "color_scheme": scheme, "viewport": size}
            address = world.context.public_address
            with browser.new_context(base_url=address, **options) as context:
                page = context.new_page()
                page.goto(path.format(**places))
                page.screenshot(path=folder / f"{name}.png", full_page=True)
                if name == "portal-sign-in":
                    _ask_for_a_link(page, folder / "portal-link-sent.png")


def _ask_for_a_link(page, file):
    page.get_by_label("Your e-mail address").fill("nobody@alder.example")
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Please look at your mail").wait_for()
    page.screenshot(path=file, full_page=True)


if __name__ == "__main__":
    write_pictures(FOLDER)
