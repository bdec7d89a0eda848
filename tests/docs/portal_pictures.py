"""Takes the pictures of docs/portal.md with a Chromium: python -m tests.docs.portal_pictures."""

import os
import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from whenever import Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.brand import Brand
from offramp.adapters.message.picture import find_browser
from offramp.adapters.message.portal_page import PortalPages
from offramp.core.case import Complaint
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.cases import add_note, open_case
from offramp.engine.copying import tend_copies
from offramp.engine.offboarding import register
from offramp.engine.own_copy import ask_for_copy
from offramp.engine.portal_entry import ask_for_entrance, send_entrances
from offramp.engine.publication import publish
from offramp.testing.world import PlainComposer, World
from offramp.web.address import open_listener, url_of
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
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
PICTURES = {
    "portal-sign-in": (None, "/portal/sign-in", "light", DESK),
    "portal-organization": ("admin@alder.example", "/portal/organization", "light", DESK),
    "portal-organization-dark": ("admin@alder.example", "/portal/organization", "dark", DESK),
    "portal-people": ("admin@birch.example", "/portal/people", "light", DESK),
    "portal-account": ("user@birch.example", "/portal", "light", DESK),
    "portal-account-phone": ("user@birch.example", "/portal", "light", PHONE),
    "portal-case": ("user@alder.example", "/portal/cases/{case}", "light", DESK),
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
        tend_copies(world.context)
        app = create_app(world.context, access_keys=AccessKeys(), portal=PortalPages(BRAND))
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


def sign_in(browser, world, address):
    """Come in by a mail, and give what the browser keeps."""
    ask_for_entrance(world.context, address)
    send_entrances(world.context)
    link = re.search(r"http\S+/enter/[\w-]+", world.mail.sent[-1].message.text)[0]
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/portal")
        return context.storage_state()


def write_pictures(folder):
    """Take every picture."""
    with TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), chromium_sandbox=os.geteuid() != 0
        )
        with portal(Path(place)) as world:
            case = complain(world)
            for name, (who, path, scheme, size) in PICTURES.items():
                state = sign_in(browser, world, who) if who else None
                options = {"storage_state": state, "color_scheme": scheme, "viewport": size}
                address = world.context.public_address
                with browser.new_context(base_url=address, **options) as context:
                    page = context.new_page()
                    page.goto(path.format(case=case))
                    page.screenshot(path=folder / f"{name}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    write_pictures(FOLDER)
