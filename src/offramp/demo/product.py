"""The vendor's application on the web while a play goes on, with Offramp's own server behind it.

Both listen on loopback, and people reach the application as anybody would. The SDK in it decides
by the clock of the play from the snapshot at hand, and fetches another one when it is told of a
change: while no worker is awake nobody tells it anything.

Source: docs/sdk.md; mission A1, A2, B2-B5.
"""

import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import WSGIApplication

from offramp.adapters.message.portal_page import PortalPages
from offramp.core.model import Member
from offramp.demo.vendor import TRAINING, SampleFailed, Vendor, samples_root
from offramp.engine.context import Context
from offramp.ports import OutboxEvent
from offramp.sdk import Guard
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.serving import serving

ANSWER_SECONDS_MAX = 30
FRESH_SECONDS = 10 * 366 * 24 * 3600  # longer than any play: only a change makes it ask
HOST = "127.0.0.1"
# What people of the training platform type beside their address.
COMPANIES: Mapping[str, str] = {TRAINING.leaving: "ohara-mueller", TRAINING.other: "koehler-soehne"}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the application answered to one request.

    Attributes:
        stage, until: what it said of them, if anything.
    """

    request: str
    status: int
    stage: str | None
    until: str | None
    body: Any


class Visitor:
    """Somebody's browser, which keeps the cookie that it was given, and a note they had open."""

    def __init__(self, address: str, *, known_as: Mapping[str, str], media_type: str) -> None:
        """Know where the application is, and what to type into its form for signing in."""
        self._host = urlsplit(address).netloc
        self._known_as = known_as
        self._media_type = media_type
        self._cookie: str | None = None
        self.note: str | None = None

    def sign_in(self) -> Reply:
        """Sign in."""
        return self.ask("sign in", "POST", "/sign-in", sent=self._known_as)

    def ask(
        self, request: str, method: str, path: str, *, sent: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request by its name, and read the answer."""
        headers = {"Accept": JSON}
        headers |= {} if self._cookie is None else {"Cookie": self._cookie}
        headers |= {} if sent is None else {"Content-Type": self._media_type}
        connection = HTTPConnection(self._host, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request(method, path, body=self._written(sent), headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if (cookie := answer.getheader("Set-Cookie")) is not None:
            self._cookie = cookie.partition(";")[0]
        body = json.loads(content) if content else None
        said = body if isinstance(body, dict) else {}
        return Reply(
            request=request,
            status=answer.status,
            stage=said.get("stage"),
            until=said.get("until"),
            body=body,
        )

    def _written(self, sent: Mapping[str, str] | None) -> str | None:
        if sent is None:
            return None
        return json.dumps(sent) if self._media_type == JSON else urlencode(sent)


@dataclass(kw_only=True)
class Product:
    """The application, as the people of the play reach it, and Offramp's own address."""

    vendor: Vendor
    address: str
    offramp: str
    guard: Guard
    _visitors: dict[str, Visitor] = field(default_factory=dict)

    def visit(self, member: Member, *, company: str, writes: bool) -> tuple[Reply, ...]:
        """Let somebody try everything that the application offers them.

        Args:
            company: the name of their organization.
            writes: whether what they try may leave something behind.
        """
        if member.id not in self._visitors:
            self._visitors[member.id] = self._visitor(member, company)
        visitor = self._visitors[member.id]
        is_training = self.vendor is TRAINING
        return tuple(_at_lessons(visitor) if is_training else _at_notes(visitor, writes=writes))

    def hear(self, events: Iterable[OutboxEvent]) -> None:
        """Fetch the snapshots of organizations that something has happened to."""
        concerned = {event.organization for event in events if event.organization is not None}
        for organization in filter(self.guard.holds, concerned):
            self.guard.refresh(organization)

    def _visitor(self, member: Member, company: str) -> Visitor:
        if self.vendor is TRAINING:
            known_as = {"company": COMPANIES[company], "email": member.email}
            return Visitor(self.address, known_as=known_as, media_type=FORM)
        return Visitor(self.address, known_as={"email": member.email}, media_type=JSON)


def _at_lessons(visitor: Visitor) -> Iterator[Reply]:
    yield visitor.sign_in()
    yield visitor.ask("open", "GET", "/courses")
    yield visitor.ask("achievements", "GET", "/earned")


def _at_notes(visitor: Visitor, *, writes: bool) -> Iterator[Reply]:
    yield visitor.sign_in()
    opened = visitor.ask("open", "GET", "/notes")
    yield opened
    if opened.status == HTTPStatus.OK:
        visitor.note = next(iter(opened.body), visitor.note)
    if writes:
        minutes = {"title": "Minutes", "body": "None were taken."}
        yield visitor.ask("create", "POST", "/notes", sent=minutes)
        path = f"/notes/{visitor.note}"
        yield visitor.ask("edit", "PUT", path, sent={"body": "Some were taken."})
    yield visitor.ask("export", "GET", "/export")
    yield visitor.ask("console", "GET", "/console/people")


@contextmanager
def open_product(
    vendor: Vendor,
    database_url: str,
    *,
    context: Context,
    key: str,
    portal: PortalPages | None,
) -> Iterator[Product]:
    """Serve Offramp and the vendor's application for as long as the block runs.

    Args:
        key: what the application shows to Offramp; nobody may guess it.

    Raises:
        SampleFailed: the application needs a package that is not installed.
    """
    with ExitStack() as stack:
        offramp = stack.enter_context(
            serving(create_app(context, access_keys=AccessKeys.parse(key), portal=portal))
        )
        guard = Guard(
            offramp, key, fail_open=False, fresh_seconds=FRESH_SECONDS, clock=context.clock.now
        )
        application, database = _modules(vendor)
        engine = database.open_engine(database_url)
        stack.callback(engine.dispose)
        if vendor is TRAINING:
            app = application.create_app(engine, guard=guard)
            address = stack.enter_context(_serving_wsgi(app))
        else:
            app = application.create_app(
                engine,
                guard=guard,
                secret=key.encode(),
                now=lambda: context.clock.now().to_stdlib(),
            )
            address = stack.enter_context(serving(app))
        yield Product(vendor=vendor, address=address, offramp=offramp, guard=guard)


def _modules(vendor: Vendor) -> list[Any]:
    """Import the application and its database, which are no packages of ours."""
    root = str(samples_root())
    sys.path.insert(0, root)
    try:
        names = (f"examples.{vendor.package}.{name}" for name in ("app", "database"))
        return [importlib.import_module(name) for name in names]
    except ModuleNotFoundError as error:
        raise SampleFailed(
            package=vendor.package,
            reason=f"{error.name} is not installed",
            hint="pip install 'offramp[demo]'",
        ) from error
    finally:
        sys.path.remove(root)


class _Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet: what was answered is told by the play."""


@contextmanager
def _serving_wsgi(app: WSGIApplication) -> Iterator[str]:
    with make_server(HOST, 0, app, handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
