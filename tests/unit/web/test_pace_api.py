"""How often a key may ask: as often as was said, and a little later again."""

from dataclasses import replace

import pytest

from offramp.web.api.pace import AskedTooOften, Pace
from tests.unit.web.acme import acme
from tests.unit.web.api_client import ADMIN, KEY, client_of

POOLS = "/v1/organizations/acme/pools"


class Watch:
    """A clock that only runs when it is told to."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


def test_a_full_bucket_gives_all_it_has_and_then_fills_slowly(watch):
    pace = Pace(per_minute=3, elapsed=watch)
    left = [pace.take("sync")["RateLimit"] for _ in range(3)]

    with pytest.raises(AskedTooOften) as refused:
        pace.take("sync")
    watch.seconds = 20.0
    again = pace.take("sync")
    with pytest.raises(AskedTooOften):
        pace.take("sync")

    assert left == ['"key";r=2;t=20', '"key";r=1;t=40', '"key";r=0;t=60']
    assert refused.value.headers["Retry-After"] == "20"
    assert again["RateLimit-Policy"] == '"key";q=3;w=60'


def test_a_bucket_never_holds_more_than_a_minute(watch):
    pace = Pace(per_minute=2, elapsed=watch)
    pace.take("sync")
    watch.seconds = 3600.0

    assert pace.take("sync")["RateLimit"] == '"key";r=1;t=30'


def test_who_asks_too_often_is_told_when_to_come_again_and_nobody_else_is_kept_out(watch):
    context = replace(acme().context, elapsed=watch)
    client = client_of(context, ADMIN, requests_per_minute=2)[0]
    answers = [client.get(POOLS) for _ in range(3)]
    other = client.get(POOLS, headers={"Authorization": f"Bearer {KEY}"})
    watch.seconds = 30.0
    later = client.get(POOLS)

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit"] == '"key";r=1;t=30'
    told = answers[2].json()
    assert (told["code"], told["is_worth_another_try"]) == ("AskedTooOften", True)
    assert answers[2].headers["retry-after"] == "30"
    assert (other.status_code, later.status_code) == (200, 200)


def test_questions_about_access_are_not_counted(watch):
    context = replace(acme().context, elapsed=watch)
    client = client_of(context, requests_per_minute=1)
    question = {
        "subject": {"type": "user", "id": "ulf"},
        "action": {"name": "read"},
        "resource": {"type": "organization", "id": "acme"},
    }

    answers = [client.post("/access/v1/evaluation", json=question) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
