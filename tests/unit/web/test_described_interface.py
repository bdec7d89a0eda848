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
from offramp.core.operator import OperatorRole
from offramp.engine.api_keys import create_key
from offramp.web.api import access_snapshot
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.simulation import shop
from tests.simulation.stories import open_world

AFTER_THE_END = Instant.from_utc(2024, 9, 5)
PEOPLE = tuple(member.id for member in shop.members("acme"))
EXAMPLES, STEPS = 5, 4
OF_PEOPLE_WHO_ARE_THERE = {
    "GET /v1/organizations/{organization}/access-snapshot",
    "GET /v1/organizations/{organization}/members/{member}/banner",
    "GET /v1/organizations/{organization}/pools",
    "GET /v1/organizations",
    "GET /v1/organizations/{organization}",
    "GET /v1/organizations/{organization}/members",
    "GET /v1/organizations/{organization}/offboardings",
    "GET /v1/organizations/{organization}/holds",
    "GET /v1/events",
    "GET /v1/policies",
    "POST /v1/organizations/{organization}/members/{member}/export",
    "POST /access/v1/evaluation",
}
MAY_FIT_AND_BE_WRONG = (
    "POST /v1/policies",
    "POST /v1/imports",
    "PUT /v1/organizations/{organization}",
    "PUT /v1/organizations/{organization}/pools/{pool}",
    "POST /v1/organizations/{organization}/holds",
    "POST /v1/webhooks/replay",
)
"""Documents with rules that no schema can say: names of zones, what a step may have."""
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]


def settings(key):
    """Say how much is made up, and what counts as a failure."""
    wrong = {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "412", "422"]}}
    return {
        "seed": 7,
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
        "headers": {"Authorization": f"Bearer {key}"},
        "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        "phases": {"stateful": {"max-steps": STEPS}},
        "operations": [{"include-name": name, "checks": wrong} for name in MAY_FIT_AND_BE_WRONG],
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
    key = create_key(world.context, "schemathesis", role=OperatorRole.ADMIN).secret
    schema = schemathesis.openapi.from_asgi(
        "/v1/openapi.json",
        create_app(world.context, access_keys=AccessKeys()),
        config=SchemathesisConfig.from_dict(settings(key)),
    )

    @schema.hook
    def map_path_parameters(context, path_parameters):
        return known(path_parameters) if path_parameters else path_parameters

    @schema.hook
    def map_body(context, body):
        if not isinstance(body, dict):
            return body
        # A token stands for the rest of a list, and nobody can make one up.
        page = body.get("page")
        if isinstance(page, dict) and isinstance(page.get("token"), str):
            del page["token"]
        # Nobody may be named twice in one request, which no schema can say.
        if isinstance(body.get("members"), list):
            people = body["members"]
            body["members"] = [*map(somebody, people, PEOPLE), *people[len(PEOPLE) :]]
        return body

    yield schema
    app.engine.dispose()
    app.data.sources["app"].close()


def test_every_answer_is_one_that_is_described(schema):
    wrong, granted, followed = [], set(), 0

    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), event.info
        if isinstance(event, events.ScenarioFinished):
            followed += event.phase == "stateful"
            answers = (each.response for each in event.recorder.interactions.values())
            if any(answer is not None and answer.status_code == 200 for answer in answers):
                granted.add(event.label)
            wrong += [
                f"{event.label}: {check.failure_info.failure} {check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info
            ]

    assert followed, "an id of an answer leads on"
    assert not wrong, "\n\n".join(wrong)
    assert granted >= OF_PEOPLE_WHO_ARE_THERE
