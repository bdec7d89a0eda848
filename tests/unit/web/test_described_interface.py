"""What the interface's own description promises, held against every answer by schemathesis.

It makes up requests that fit the description and requests that do not, for an organization that is
there, with people who leave and mail that was sent, and for others that nobody knows. Nothing may
fail, be refused without a reason, or answer otherwise than described.

Source: /v1/openapi.json; mission A2, B11; AuthZEN 1.0.
"""

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from whenever import Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.web.api import access_snapshot
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.simulation import shop
from tests.simulation.stories import open_world

KEY = "k" * 32
AFTER_THE_END = Instant.from_utc(2024, 9, 5)
PEOPLE = tuple(member.id for member in shop.members("acme"))
EXAMPLES, STEPS = 8, 4
OF_PEOPLE_WHO_ARE_THERE = {
    "GET /v1/organizations/{organization}/access-snapshot",
    "GET /v1/organizations/{organization}/members/{member}/banner",
    "GET /v1/organizations/{organization}/pools",
    "POST /v1/organizations/{organization}/members/{member}/export",
    "POST /access/v1/evaluation",
}
SETTINGS = {
    "seed": 7,
    "headers": {"Authorization": f"Bearer {KEY}"},
    "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
    "phases": {"stateful": {"max-steps": STEPS}},
}


def known(places):
    """Lead every second path to somebody who is there."""
    if sum(len(str(value)) for value in places.values()) % 2:
        return places
    people = {name: PEOPLE[len(str(value)) // 2 % len(PEOPLE)] for name, value in places.items()}
    return {**people, **({"organization": "acme"} if "organization" in people else {})}


def somebody(said, member):
    """Put somebody who is there in place of whoever was made up."""
    is_one = isinstance(said, dict) and isinstance(said.get("member"), str)
    return {**said, "member": member} if is_one else said


@pytest.fixture
def schema(tmp_path, monkeypatch):
    """Describe an interface behind which an organization has left; who waits does so shortly."""
    monkeypatch.setattr(access_snapshot, "LOOKS", 0)
    app = shop.open_shop(tmp_path)
    world = open_world(app, "license-pool", composer=JinjaComposer())
    world.run_until(AFTER_THE_END)
    assert world.mail.sent, "there are deliveries"
    schema = schemathesis.openapi.from_asgi(
        "/v1/openapi.json",
        create_app(world.context, access_keys=AccessKeys.parse(KEY)),
        config=SchemathesisConfig.from_dict(SETTINGS),
    )

    @schema.hook
    def map_path_parameters(context, path_parameters):
        return known(path_parameters) if path_parameters else path_parameters

    @schema.hook
    def map_body(context, body):
        if not isinstance(body, dict):
            return body
        # A token stands for the rest of a list, and nobody can make one up.
        if isinstance(body.get("page"), dict):
            body["page"].pop("token", None)
        # Nobody may be named twice in one request, which no schema can say.
        if isinstance(body.get("members"), list):
            body["members"] = list(map(somebody, body["members"], PEOPLE))
        return body

    yield schema
    app.engine.dispose()
    app.data.sources["app"].close()


def test_every_answer_is_one_that_is_described(schema):
    wrong, granted = [], set()

    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event.info
        if isinstance(event, events.ScenarioFinished):
            answers = (each.response for each in event.recorder.interactions.values())
            if any(answer is not None and answer.status_code == 200 for answer in answers):
                granted.add(event.label)
            wrong += [
                f"{event.label}: {check.failure_info.failure} {check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info
            ]

    assert not wrong, "\n\n".join(wrong)
    assert granted >= OF_PEOPLE_WHO_ARE_THERE
