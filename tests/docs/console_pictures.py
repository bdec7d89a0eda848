"""Takes the pictures of docs/console.md with a Chromium: python -m tests.docs.console_pictures."""

import re
from dataclasses import replace
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from whenever import Date, Instant

from offramp.core.case import Complaint
from offramp.core.operator import OperatorRole
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.bounces import take_back
from offramp.engine.brake import place_hold
from offramp.engine.cases import open_case
from offramp.engine.correspondence import history
from offramp.engine.handover import Request, hand_over
from offramp.engine.offboarding import register
from offramp.engine.operators import add_operator
from offramp.engine.publication import publish
from offramp.engine.sweep import tick
from offramp.ports import Return, Returned
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.console.routes import include_console
from tests.browser import open_browser
from tests.simulation import shop
from tests.unit.web.office import PASSWORD, Office, listening

PRESET = (files("offramp.presets") / "license-pool.yaml").read_text("utf-8")
FOLDER = Path(__file__).parents[2] / "docs" / "images"
NOW = Instant.from_utc(2024, 9, 24, 14)
CUSTOMERS = {
    "alder": ("Alder Academy", "Europe/Dublin", "license-pool", Date(2024, 8, 30)),
    "birch": ("Birch & Sons", "America/New_York", "license-pool", Date(2024, 8, 20)),
    "cedar": ("Cedar Nursing School", "Pacific/Auckland", "edit-only-grace", Date(2024, 6, 30)),
    "elm": ("Elm Instruments", "Asia/Tokyo", "license-pool", Date(2024, 10, 8)),
    "hazel": ("Hazel Logistics", "Europe/Berlin", "license-pool", Date(2024, 9, 24)),
    "oak": ("Oak Training", "Europe/Dublin", "license-pool", None),
}
DESK = {"width": 1200, "height": 860}
PHONE = {"width": 390, "height": 844}
STRANGERS = {"console-sign-in": "/console/sign-in", "console-enter": "{invitation}"}
PICTURES = {
    "console-today": ("/console", "light", DESK),
    "console-organizations": ("/console/organizations", "light", DESK),
    "console-organization": ("/console/organizations/alder", "light", DESK),
    "console-organization-dark": ("/console/organizations/alder", "dark", DESK),
    "console-what-if": (
        "/console/organizations/elm/what-if?until=2024-10-08&days=40",
        "light",
        DESK,
    ),
    "console-policies": ("/console/policies", "light", DESK),
    "console-policy": ("/console/policies/edit-only-grace", "light", DESK),
    "console-data-map": ("/console/data-map", "light", DESK),
    "console-health": ("/console/health", "light", DESK),
    "console-cases": ("/console/cases", "light", DESK),
    "console-case": ("/console/cases/{case}", "light", DESK),
    "console-case-dark": ("/console/cases/{case}", "dark", DESK),
    "console-account": ("/console/account", "light", DESK),
    "console-problem": ("/console/organizations/none", "light", DESK),
    "console-today-phone": ("/console", "light", PHONE),
    "console-organization-phone": ("/console/organizations/alder", "light", PHONE),
}


def write_pictures(folder):
    """Take every picture."""
    with TemporaryDirectory() as place, open_browser() as browser:
        office = _office(Path(place))
        with listening(office.app) as url:
            state, case = _sign_in(browser, office, url), _complain(office)
            _look_at_databases(browser, url, state)
            for name, (path, scheme, size) in PICTURES.items():
                options = {"storage_state": state, "color_scheme": scheme, "viewport": size}
                _take(browser, url, path.format(case=case), folder / f"{name}.png", **options)
            invited = _invite(office, "Otto Ek", "otto@vendor.example")
            for name, path in STRANGERS.items():
                _take(
                    browser,
                    url,
                    path.format(invitation=f"/{invited.path}"),
                    folder / f"{name}.png",
                    viewport=DESK,
                )
            _try_document(browser, office, url, state, folder / "console-restore.png")
            with browser.new_context(base_url=url, storage_state=state, viewport=DESK) as context:
                _try_policy(context.new_page(), folder)
                _try_many(context.new_page(), folder)
        with listening(_with_clock(office)) as url:
            options = {"storage_state": state, "viewport": DESK}
            _take(browser, url, "/console", folder / "console-clock.png", **options)


def _take(browser, url, path, file, **options):
    """Take the picture of one page from its top to its end."""
    with browser.new_context(base_url=url, **options) as context:
        page = context.new_page()
        page.goto(path)
        page.screenshot(path=file, full_page=True)


def _invite(office, name, address):
    return add_operator(office.context, name=name, address=address, role=OperatorRole.ADMIN)


def _sign_in(browser, office, url):
    invited = _invite(office, "Olga Öz", "olga@vendor.example")
    with browser.new_context(timezone_id="Europe/Dublin") as context:
        page = context.new_page()
        page.goto(f"{url}/{invited.path}")
        page.get_by_label("Choose a password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console")
        return context.storage_state()


def _look_at_databases(browser, url, state):
    with browser.new_context(base_url=url, storage_state=state) as context:
        page = context.new_page()
        page.goto("/console/data-map")
        page.get_by_role("button", name="Look at the databases now").click()
        page.wait_for_url("**/data-map?done=map-read")


def _try_document(browser, office, url, state, file):
    """Lose what a customer wrote, and try the document that they were handed."""
    document = BytesIO()
    hand_over(office.context, Request(organization="oak"), document)
    with office.context.data.sources["app"].engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM notes WHERE person_id LIKE 'oak-%'"))
    with browser.new_context(base_url=url, storage_state=state, viewport=DESK) as context:
        page = context.new_page()
        page.goto("/console/restore")
        sent = {"name": "data.json", "mimeType": "application/json", "buffer": document.getvalue()}
        page.get_by_label("The JSON file").set_input_files(sent)
        page.get_by_role("button", name="Try it").click()
        page.get_by_role("status").wait_for()
        page.screenshot(path=file, full_page=True)


def _try_many(page, folder):
    """Look at what an extension would do to all of them, and have it done."""
    page.goto("/console/organizations")
    page.locator("summary", has_text="Do something to many").click()
    page.locator("select[name=act]").select_option("extend")
    page.get_by_label("Why").fill("Invoices went out late this month")
    page.get_by_label("by so many days").fill("14")
    page.get_by_role("button", name="Look at all that are found").click()
    page.get_by_role("button", name="Extend").wait_for()
    page.screenshot(path=folder / "console-many.png", full_page=True)
    page.get_by_role("button", name="Extend").click()
    page.get_by_role("status").wait_for()
    page.screenshot(path=folder / "console-many-done.png", full_page=True)
    page.goto("/console/many")
    page.screenshot(path=folder / "console-many-list.png", full_page=True)


def _try_policy(page, folder):
    """Look at a second version of a policy, which deletes later, once a first text was wrong."""
    second = re.sub(r"^version: 1$", "version: 2", PRESET.replace("P30D", "P40D"), flags=re.M)
    for text in (second.replace("expiry", "expire", 1), second):
        page.goto("/console/publish")
        page.get_by_label("The policy in YAML").fill(text)
        page.locator("section", has_text="As a text").get_by_role("button").click()
        if text is not second:
            page.get_by_role("alert").wait_for()
            page.screenshot(path=folder / "console-publish-wrong.png", full_page=True)
    page.get_by_role("img", name="The stages in order").wait_for()
    page.screenshot(path=folder / "console-publish.png", full_page=True)


def _office(folder):
    vendor = shop.open_shop(folder)
    vendor.fill(*CUSTOMERS)
    office = Office(public_address=None, data=vendor.data)
    for preset in PRESETS:
        publish(office.context, find_policy(preset))
    register(
        office.context,
        organizations=[
            replace(shop.organization(slug, policy=policy, zone=zone), name=name)
            for slug, (name, zone, policy, _) in CUSTOMERS.items()
        ],
        pools=[shop.pool(slug, ends=ends) for slug, (*_, ends) in CUSTOMERS.items()],
        members=[member for slug in CUSTOMERS for member in shop.members(slug)],
    )
    place_hold(office.context, "birch", owner="Olga Öz", reason="dispute over invoice 4711")
    office.world.run_until(NOW)
    tick(office.context)
    return office


def _with_clock(office):
    """Give the console of a demo, whose clock can be moved."""
    app = create_app(office.context, access_keys=AccessKeys())
    include_console(app, office.context, office.passwords, machine=StillMachine())
    return app


class StillMachine:
    """A clock that nobody moves while a picture is taken."""

    def advance(self, days):
        raise AssertionError

    def advance_to_next(self):
        raise AssertionError


def _complain(office):
    """Let a mail have come back, and the person whom it was to say so; give the case."""
    reader = shop.members("alder")[-1].id
    (written,) = history(office.context, "alder", member=reader, step="achievements")
    message = written.delivery.message
    take_back(office.context, Returned(message=message, why=Return.BOUNCED, reason="5.2.2"))
    words = "I never got my certificates. My mailbox was full that week."
    case = open_case(
        office.context,
        "alder",
        Complaint.NO_ACHIEVEMENTS,
        member=reader,
        words=words,
        actor="user",
    )
    return case.id


if __name__ == "__main__":
    write_pictures(FOLDER)
