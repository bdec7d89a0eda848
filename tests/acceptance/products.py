"""The sample applications on the web, with the SDK in them and Offramp's server behind it.

Time is the test's; nobody carries anything out, so whatever changes, changes by the clock.
"""

from dataclasses import dataclass, field, replace

import httpx2
import sqlalchemy as sa
from fastapi.testclient import TestClient

from examples.note_taking import app as quire
from examples.training_platform import app as trellis
from offramp.engine.context import Context
from offramp.engine.offboarding import register
from offramp.sdk import Guard
from offramp.sdk.transport import Answer
from offramp.testing.clock import VirtualClock
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app

KEY = "k" * 32
FORBIDDEN = 403


@dataclass
class Product:
    """One sample application, an organization of it in a zone of its own, and the clock.

    Attributes:
        server: Offramp's own, for programs of the vendor.
        guard: what the application asks.
    """

    context: Context
    clock: VirtualClock
    server: TestClient
    guard: Guard
    engine: sa.Engine
    organization: str
    _apps: dict = field(default_factory=dict)

    def quire(self, email):
        """Sign somebody in to the notes, and give their browser."""
        app = quire.create_app(self.engine, guard=self.guard, secret=b"the same for the day")
        return Visitor(TestClient(app), {"json": {"email": email}})

    def trellis(self, company, email):
        """Sign somebody in to the courses, and give their browser."""
        app = trellis.create_app(self.engine, guard=self.guard)
        client = httpx2.Client(transport=httpx2.WSGITransport(app), base_url="http://localhost")
        return Visitor(client, {"data": {"company": company, "email": email}})


@dataclass
class Visitor:
    """A browser, which keeps its cookie."""

    client: httpx2.Client
    known_as: dict

    def signs_in(self):
        """Sign in, and say whether that was possible."""
        return self.may("POST", "/sign-in", **self.known_as)

    def may(self, method, path, **sent):
        """Ask for something, and say whether it was allowed."""
        status = self.client.request(method, path, **sent).status_code
        assert status in (200, 201, 204, FORBIDDEN), status
        return status != FORBIDDEN


def open_product(departure, organization, *, zone, start):
    """Begin before everything, with the organization in a zone."""
    clock = VirtualClock(start)
    context = replace(departure.context, clock=clock)
    with context.store.transaction() as transaction:
        found = transaction.organization(organization)
    register(context, organizations=[replace(found, zone=zone)])
    server = TestClient(
        create_app(context, access_keys=AccessKeys.parse(KEY)),
        headers={"Authorization": f"Bearer {KEY}"},
    )

    def ask(organization, *, etag):
        path = f"/v1/organizations/{organization}/access-snapshot"
        answer = server.get(path, headers={} if etag is None else {"If-None-Match": etag})
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    guard = Guard("https://offramp.example", KEY, fail_open=False, transport=ask, clock=clock.now)
    return Product(
        context=context,
        clock=clock,
        server=server,
        guard=guard,
        engine=departure.engine,
        organization=organization,
    )
