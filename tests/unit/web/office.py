"""A vendor's office with an operator of every role, and their browsers."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.operators import add_operator
from offramp.engine.publication import publish
from offramp.testing.passwords import PlainPasswords
from offramp.testing.world import SMALL_CHUNKS, World
from offramp.web.address import open_listener, url_of
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.simulation import shop

PUBLIC = "https://offramp.vendor.example"
COOKIE = "__Host-offramp-console"
PASSWORD = "four ducks on a quiet pond"
START = Instant.from_utc(2024, 8, 1, 9)
TOKEN = 'name="token" value="'


@dataclass
class Browser:
    """One browser, which sends forms as a page of the console would."""

    client: TestClient

    def get(self, path, **options):
        return self.client.get(path, **options)

    def post(self, path, data=None, *, origin=PUBLIC, token=None, **options):
        headers = {} if origin is None else {"Origin": origin}
        shown = self.token() if token is None else token
        fields = {**(data or {}), **({"token": shown} if shown else {})}
        return self.client.post(path, data=fields, headers=headers, **options)

    def token(self):
        _, found, rest = self.get("/console/account").text.partition(TOKEN)
        return rest.partition('"')[0] if found else ""

    def sign_in(self, address, password=PASSWORD, *, to="/console"):
        fields = {"address": address, "password": password, "to": to}
        return self.post("/console/sign-in", fields, token="")

    @property
    def session(self):
        return self.client.cookies.get(COOKIE)


class Office:
    """An installation that is reached by https."""

    def __init__(
        self, *, public_address=PUBLIC, data=None, limits=SMALL_CHUNKS, start=START, **ways_in
    ):
        self.world = World(start, public_address=public_address, data=data, limits=limits)
        self.passwords = PlainPasswords()
        self.app = create_app(
            self.world.context, access_keys=AccessKeys(), passwords=self.passwords, **ways_in
        )

    @property
    def context(self):
        return self.world.context

    def browser(self):
        return Browser(TestClient(self.app, base_url=PUBLIC, follow_redirects=False))

    def hire(self, role, *, password=PASSWORD):
        """Add an operator, let them choose a password, and give their address."""
        address = f"{role.value}@vendor.example"
        invitation = add_operator(self.context, name=role.value.title(), address=address, role=role)
        path = f"/{invitation.path}"
        answer = self.browser().post(path, {"password": password}, token="")
        assert answer.status_code == 303
        return address

    def signed_in(self, role=OperatorRole.ADMIN):
        """Hire somebody, and give the browser in which they are signed in."""
        browser = self.browser()
        address = f"{role.value}@vendor.example"
        with self.world.store.transaction() as transaction:
            is_known = transaction.operator_at(address) is not None
        answer = browser.sign_in(address if is_known else self.hire(role))
        assert answer.status_code == 303
        return browser

    def ledger(self, *kinds):
        """Give what the ledger says of some kinds."""
        with self.world.store.transaction() as transaction:
            entries = [entry.event for entry in transaction.ledger()]
        return [event for event in entries if event.kind in kinds]


@contextmanager
def listening(app, listener=None):
    """Serve an application on a port for as long as the block lasts, and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    with listener or open_listener("127.0.0.1:0") as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join()


def filled_office(*slugs, policy="license-pool", public_address=PUBLIC, **options):
    """Give an office with organizations that leave by a policy, at the end of 2024-08-30."""
    office = Office(public_address=public_address, **options)
    publish(office.context, find_policy(policy))
    register(
        office.context,
        organizations=[shop.organization(slug, policy=policy) for slug in slugs],
        pools=[shop.pool(slug) for slug in slugs],
        members=[member for slug in slugs for member in shop.members(slug)],
    )
    return office
