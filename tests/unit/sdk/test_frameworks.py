"""One product in every framework: what passes before midnight, what does not after it."""

import json
from importlib import import_module
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.testclient import TestClient
from flask import Flask

from offramp.core.policy import Capability
from offramp.sdk.asgi import AGAINST_POLICY, AsgiAccess
from offramp.sdk.django import DjangoAccess
from offramp.sdk.flask import protect
from offramp.sdk.wsgi import WsgiAccess
from tests.unit.sdk.wire import BROWSER, Product
from tests.unit.web.acme import EXPIRED

DEACTIVATED = EXPIRED.add(hours=24 * 91)
COOKIE = {"Cookie": "session=ulf"}
PROBLEM, PAGE = "application/problem+json", "text/html; charset=utf-8"


@pytest.fixture
def product():
    return Product()


def in_fastapi(product):
    """Ask a product that was made with FastAPI."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PATCH"])
    def view(path: str):
        if path == "notes/7/text":
            product.guard.require("acme", "ulf", Capability.CREATE, product="notes")
        return {}

    app.add_middleware(AsgiAccess, gate=product.gate)
    client = TestClient(app)

    def ask(method, path, **headers):
        answer = client.request(method, path, headers=headers)
        return answer.status_code, answer.headers.get("Content-Type"), answer.content

    return ask


def in_wsgi(product):
    """Ask a product that is a bare function, and see that both sides keep to the standard."""

    def view(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    app = validator(WsgiAccess(validator(view), product.gate))

    def ask(method, path, **headers):
        environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        environ |= {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
        setup_testing_defaults(environ)
        environ["QUERY_STRING"] = ""
        told = []
        answer = app(environ, lambda status, headers, error=None: told.append((status, headers)))
        body = b"".join(answer)
        answer.close()
        ((status, headers),) = told
        return int(status[:3]), dict(headers)["Content-Type"], body

    return ask


def in_flask(product):
    """Ask a product that was made with Flask."""
    app = Flask("notes")

    @app.route("/<path:path>", methods=["GET", "POST", "PATCH"])
    def view(path):
        if path == "notes/7/text":
            product.guard.require("acme", "ulf", Capability.CREATE, product="notes")
        return {}

    protect(app, product.gate)
    client = app.test_client(use_cookies=False)

    def ask(method, path, **headers):
        answer = client.open(path, method=method, headers=headers)
        return answer.status_code, answer.headers["Content-Type"], answer.data

    return ask


def in_django(product):
    """Ask a product that was made with Django."""
    settings = import_module("django.conf").settings
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["testserver"])
    http, test = import_module("django.http"), import_module("django.test")

    class Access(DjangoAccess):
        gate = product.gate

    def view(request):
        if request.path == "/notes/7/text":
            product.guard.require("acme", "ulf", Capability.CREATE, product="notes")
        return http.HttpResponse()

    access = Access(lambda request: _as_django(access, view, request))

    def ask(method, path, **headers):
        request = test.RequestFactory().generic(method, path, headers=headers)
        answer = access(request)
        return answer.status_code, answer.headers["Content-Type"], answer.content

    return ask


def _as_django(access, view, request):
    try:
        return view(request)
    except Exception as error:
        answer = access.process_exception(request, error)
        if answer is None:
            raise
        return answer


FRAMEWORKS = [in_fastapi, in_wsgi, in_flask, in_django]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_edit_only_begins_at_the_first_instant_in_every_framework_A2_B3(product, framework):
    ask = framework(product)

    def statuses():
        return [ask(method, "/notes/7", **COOKIE)[0] for method in ("GET", "POST", "PATCH")]

    product.at(EXPIRED.subtract(nanoseconds=1))
    assert statuses() == [200, 200, 200]
    product.wire.is_cut = True
    product.at(EXPIRED)
    assert statuses() == [200, 403, 200]
    product.at(DEACTIVATED)
    assert statuses() == [403, 403, 403]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_program_and_a_person_are_answered_in_their_own_way(product, framework):
    ask = framework(product)
    product.at(EXPIRED)

    to_program = ask("POST", "/notes/7", **COOKIE)
    to_person = ask("POST", "/notes/7", Accept=BROWSER, **COOKIE)

    assert to_program[:2] == (403, PROBLEM)
    assert json.loads(to_program[2])["stage"] == "expired"
    assert to_person[:2] == (403, PAGE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_way_in_stays_open_and_nobody_is_asked_about_nobody(product, framework):
    ask = framework(product)
    product.at(DEACTIVATED)

    assert ask("POST", "/login", **COOKIE)[0] == 200
    assert ask("POST", "/notes/7")[0] == 200
    assert product.wire.asked == []


@pytest.mark.parametrize("framework", [in_fastapi, in_flask, in_django])
def test_what_a_view_is_denied_is_answered_alike(product, framework):
    ask = framework(product)
    assert ask("POST", "/notes/7/text", **COOKIE)[0] == 200

    product.at(EXPIRED)

    assert ask("POST", "/notes/7/text", **COOKIE)[:2] == (403, PROBLEM)


@pytest.mark.parametrize("framework", [in_fastapi, in_wsgi, in_flask])
def test_a_question_for_the_head_alone_is_answered_without_a_body(product, framework):
    ask = framework(product)
    product.at(DEACTIVATED)

    status, _, body = ask("HEAD", "/notes/7", **COOKIE)

    assert (status, body) == (403, b"")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_error_of_a_view_is_not_taken_for_a_refusal(product, framework, monkeypatch):
    ask = framework(product)

    class Surprise(Exception):
        pass

    def surprise(*_given, **_named):
        raise Surprise

    monkeypatch.setattr(product.guard, "may", surprise)
    if framework is in_flask:
        assert ask("GET", "/notes/7", **COOKIE)[0] == 500
    else:
        with pytest.raises(Surprise):
            ask("GET", "/notes/7", **COOKIE)


def conversation(product):
    app = FastAPI()
    ended = []

    @app.websocket("/notes/live")
    async def live(socket: WebSocket):
        await socket.accept()
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except WebSocketDisconnect as end:
            ended.append(end.code)

    app.add_middleware(AsgiAccess, gate=product.gate)
    return TestClient(app), ended


def test_an_open_conversation_ends_with_the_first_word_after_the_cut_A2(product):
    client, ended = conversation(product)

    with client.websocket_connect("/notes/live", headers=COOKIE) as socket:
        socket.send_text("before")
        assert socket.receive_text() == "before"
        product.at(DEACTIVATED)
        socket.send_text("after")
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_text()

    assert (end.value.code, ended) == (AGAINST_POLICY, [AGAINST_POLICY])


def test_nothing_is_said_any_more_in_an_open_conversation_after_the_cut_A2(product):
    app = FastAPI()

    @app.websocket("/notes/live")
    async def live(socket: WebSocket):
        await socket.accept()
        await socket.send_text("before")
        product.at(DEACTIVATED)
        await socket.send_text("after")
        await socket.send_text("long after")

    app.add_middleware(AsgiAccess, gate=product.gate)

    with TestClient(app).websocket_connect("/notes/live", headers=COOKIE) as socket:
        assert socket.receive_text() == "before"
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_text()

    assert end.value.code == AGAINST_POLICY


def test_no_conversation_begins_after_the_cut_A2(product):
    client, _ = conversation(product)
    product.at(DEACTIVATED)

    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/notes/live", headers=COOKIE),
    ):
        pass
