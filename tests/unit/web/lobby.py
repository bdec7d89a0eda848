"""The portal of a vendor whose customers leave, and the browsers of those who come to it."""

import re
from dataclasses import replace

from fastapi.testclient import TestClient
from whenever import Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.brand import Brand
from offramp.adapters.message.portal_page import PortalPages
from offramp.documents.policy import find_policy
from offramp.documents.timeline.calendar import calendar_file
from offramp.engine.copying import tend_copies
from offramp.engine.offboarding import register
from offramp.engine.portal_entry import send_entrances
from offramp.engine.publication import publish
from offramp.testing.world import PlainComposer, World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.simulation import shop

PUBLIC = "https://leaving.vendor.example"
COOKIE = "__Host-offramp-portal"
START = Instant.from_utc(2024, 8, 1, 9)
EXPIRED = Instant.from_utc(2024, 9, 3, 9)
DELETED = Instant.from_utc(2026, 4, 1)
BRAND = Brand(
    name="Trellis",
    color="#1f6f4a",
    support="help@vendor.example",
    renewal="https://v.example/renew",
)
ADMIN, USER, OTHER = "admin@acme.example", "user@acme.example", "user@beta.example"
LINK = re.compile(re.escape(PUBLIC) + r"(/portal/enter/[\w-]+)")
TOKEN = re.compile(r'name="token" value="(\w+)"')


class Composer(JinjaComposer):
    """Words as they are shipped; what was earned is written in a line, which is fast."""

    attach_achievements = PlainComposer.attach_achievements


class Visitor:
    """One browser, which sends forms as a page of the portal would."""

    def __init__(self, app):
        self.client = TestClient(app, base_url=PUBLIC, follow_redirects=False)

    def get(self, path="/portal", **headers):
        return self.client.get(path, headers=headers)

    def post(self, path, data=None, *, origin=PUBLIC, token=None):
        headers = {} if origin is None else {"Origin": origin}
        shown = self.token() if token is None else token
        fields = {**(data or {}), **({"token": shown} if shown else {})}
        return self.client.post(path, data=fields, headers=headers)

    def token(self):
        found = TOKEN.search(self.get("/portal/help").text)
        return found[1] if found else ""

    @property
    def session(self):
        return self.client.cookies.get(COOKIE)


class Lobby:
    """An installation with a portal, and acme and beta, whose four people each leave together."""

    def __init__(self, policy="edit-only-grace", *, data=None, composer=None, ends=shop.ENDS):
        self.world = World(START, public_address=PUBLIC, data=data, composer=composer)
        self.world.context = replace(self.world.context, calendar=_calendar)
        self.app = create_app(
            self.world.context, access_keys=AccessKeys(), portal=PortalPages(BRAND)
        )
        publish(self.context, find_policy(policy))
        slugs = ("acme", "beta")
        register(
            self.context,
            organizations=[shop.organization(slug, policy=policy) for slug in slugs],
            pools=[shop.pool(slug, ends=ends) for slug in slugs],
            members=[member for slug in slugs for member in shop.members(slug)],
        )

    @property
    def context(self):
        return self.world.context

    def visitor(self):
        return Visitor(self.app)

    def ask(self, address, visitor=None):
        """Ask for a link, let a worker come by, and give the paths of the links that were sent."""
        before = len(self.world.mail.sent)
        answer = (visitor or self.visitor()).post("/portal/sign-in", {"address": address}, token="")
        assert answer.status_code == 200
        send_entrances(self.context)
        return [LINK.search(each.message.text)[1] for each in self.world.mail.sent[before:]]

    def signed_in(self, address=USER):
        visitor = self.visitor()
        (path,) = self.ask(address)
        answer = visitor.post(path, token="")
        assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
        return visitor

    def make_copies(self):
        return tend_copies(self.context)

    def change(self, member, organization="acme", **changes):
        with self.world.store.transaction() as transaction:
            person = transaction.member(organization, member)
            transaction.put_members([replace(person, **changes)])

    def read(self, ask):
        with self.world.store.reading() as transaction:
            return ask(transaction)

    def pass_time(self, **duration):
        self.world.lie_still_until(self.world.now.add(**duration))


def _calendar(parts, *, stamped_at, is_canceled, locale):
    """Write dates as authors of policies read them."""
    return calendar_file(
        [replace(part, place=None) for part in parts],
        stamped_at=stamped_at,
        is_canceled=is_canceled,
        locale=locale,
    )


def words(answer):
    """Give the text of a page in one line."""
    text = re.sub(r"<style>.*?</style>", " ", answer.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())
