"""The SDK of an application beside the real server of Offramp, without a network between them."""

from fastapi.testclient import TestClient

from offramp.core.policy import Capability
from offramp.sdk.gate import Gate, Needs
from offramp.sdk.guard import Guard
from offramp.sdk.transport import Answer, OfframpSilent
from offramp.sdk.who import Who
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.acme import acme

KEY = "k" * 32
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ROUTES = {
    "/login": None,
    "POST /notes/{note}": Needs(),  # its method says what it does
    "POST /notes/{note}/text": Capability.UPDATE,
    "/console/*": Needs(surface="console"),
}


class Wire:
    """Brings questions to a server, unless it is cut, and remembers them."""

    def __init__(self, world, *, key=KEY):
        app = create_app(world.context, access_keys=AccessKeys.parse(KEY))
        self._client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
        self.is_cut = False
        self.asked = []
        self.statuses = []

    def __call__(self, organization, *, etag):
        self.asked.append(organization)
        if self.is_cut:
            raise OfframpSilent(reason="ConnectionRefusedError")
        headers = {} if etag is None else {"If-None-Match": etag}
        path = f"/v1/organizations/{organization}/access-snapshot"
        answer = self._client.get(path, headers=headers)
        self.statuses.append(answer.status_code)
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    def changes(self, revisions):
        """Ask what has changed."""
        document = {"organizations": dict(revisions)}
        answer = self._client.post("/v1/access-snapshots/changes", json=document)
        return Answer(status=answer.status_code, body=answer.content)


class Product:
    """A product of the vendor in virtual time, and whatever its requests are asked by."""

    def __init__(self, **guard):
        self.world = acme()
        self.wire = Wire(self.world)
        self.guard = self.make_guard(**guard)
        self.gate = Gate(self.guard, identify=signed_in, routes=ROUTES, product="notes")

    def make_guard(self, *, fail_open=False, transport=None, **known):
        return Guard(
            "https://offramp.example",
            KEY,
            fail_open=fail_open,
            transport=transport or self.wire,
            clock=self.world.clock.now,
            **known,
        )

    def at(self, now):
        self.world.clock.advance_to(now)


def signed_in(visit):
    """Believe the cookie, which never ends."""
    cookie = visit.headers.get("cookie", "")
    name = cookie.removeprefix("session=")
    return Who(organization="acme", member=name) if name else None
