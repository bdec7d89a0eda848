"""What the route of the banner answers, how long it may be kept, and who is told nothing."""

import pytest
from fastapi.testclient import TestClient
from whenever import Date, Instant

from offramp.documents.banner import BannerAnswer
from offramp.engine import offboarding as deeds
from offramp.engine.people import Person, end_members
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.element import element_script
from tests.unit.web.acme import EXPIRED, acme

KEY = "k" * 32
HEADERS = {"Authorization": f"Bearer {KEY}"}
BANNER = "/v1/organizations/acme/members/{}/banner"
SCRIPT = "/static/offramp-banner.js"


@pytest.fixture
def world():
    return acme()


@pytest.fixture
def ask(world):
    """Ask for somebody's banner, at an instant."""
    client = TestClient(create_app(world.context, access_keys=AccessKeys.parse(KEY)))

    def asked(who="ulf", *, at=None, headers=(), path=BANNER, **query):
        if at is not None:
            world.clock.advance_to(at)
        return client.get(
            path.format(who),
            params={"product": "notes"} | query,
            headers=HEADERS | dict(headers),
        )

    return asked


def test_a_banner_is_answered_with_its_facts_and_its_words_B7(ask):
    answer = ask("anna", at=EXPIRED)

    banner = answer.json()["banner"]
    assert (banner["stage"], banner["audience"], banner["days_left"]) == (
        ("expired", "administrator", 90)
    )
    assert banner["may"] == ["sign-in", "read", "update", "delete", "copy", "export"]
    assert banner["may_then"] == []
    assert banner["heading"] == "Pełny dostęp zakończył się"
    assert BannerAnswer.model_validate(answer.json())


def test_where_there_is_none_the_answer_says_until_when(ask):
    assert ask().json() == {"banner": None, "changes_at": "2024-08-30T23:00:00Z"}


def test_the_language_of_the_page_goes_before_that_of_the_member(ask):
    assert ask(at=EXPIRED, locale="fr").json()["banner"]["language"] == "fr"


def test_a_member_with_an_end_of_their_own_is_told_of_that_one_B1(world, ask):
    end_members(world.context, "acme", [Person(member="ulf", ends=Date(2024, 8, 20))])

    own = ask("ulf", at=Instant.from_utc(2024, 8, 21)).json()["banner"]

    assert (own["subject"], own["ends_on"]) == ("member", "2024-11-18")
    assert ask("anna").json()["banner"] is None


def test_a_renewal_takes_it_away_at_once(world, ask):
    before = ask(at=EXPIRED).json()["banner"]

    deeds.renew(world.context, "acme", until=Date(2025, 8, 30))

    assert before is not None
    assert ask().json()["banner"] is None


def test_nobody_is_named(ask):
    text = ask(at=EXPIRED).text

    for name in ("ulf", "Ulf", "acme", "Acme"):
        assert name not in text


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (EXPIRED, 60),
        (Instant.parse_iso("2024-11-28T23:59:40Z"), 20),
        (Instant.parse_iso("2024-11-28T23:59:59.9Z"), 0),
        (Instant.parse_iso("2024-11-29T00:00:00Z"), 60),
    ],
)
def test_no_answer_is_kept_beyond_its_end_nor_for_more_than_a_minute(ask, at, seconds):
    assert ask(at=at).headers["cache-control"] == f"private, max-age={seconds}"


def test_what_is_at_hand_already_is_not_sent_again(ask):
    first = ask(at=EXPIRED)

    again = ask(headers={"If-None-Match": first.headers["etag"]})
    listed = ask(headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    other = ask("anna", headers={"If-None-Match": first.headers["etag"]})

    for answer in (again, listed):
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["cache-control"] == "private, max-age=60"
        assert answer.headers["etag"] == first.headers["etag"]
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/organizations/acme/members/nobody/banner", "MemberUnknown"),
        ("/v1/organizations/nowhere/members/ulf/banner", "OrganizationUnknown"),
    ],
)
def test_for_somebody_unknown_there_is_no_answer(ask, path, code):
    answer = ask(path=path)

    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_without_a_key_nobody_is_told_anything(ask):
    assert ask(headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("locale", ["xx", "../../etc/passwd", "e" * 35, "\x00", "de; DROP"])
def test_a_language_that_nobody_speaks_is_english(ask, locale):
    assert ask(at=EXPIRED, locale=locale).json()["banner"]["language"] == "en"


def test_a_language_that_is_no_name_of_one_is_refused(ask):
    assert ask(locale="e" * 36).status_code == 422


def test_many_languages_do_not_fill_the_memory(ask, world):
    for number in range(100):
        ask(at=EXPIRED, locale=f"x{number}")

    assert world.context.composer._languages._open.cache_info().currsize <= 64


def test_another_surface_is_another_answer(ask):
    assert ask("anna", at=EXPIRED, surface="console").json()["banner"]["may"] == []


def test_a_product_that_was_never_bought_has_no_banner(ask):
    assert ask(at=EXPIRED, product="recordings").json()["banner"] is None


def test_the_answer_is_described_with_all_its_fields(ask):
    described = ask(path="/v1/openapi.json").json()

    path = described["paths"]["/v1/organizations/{organization}/members/{member}/banner"]
    fields = described["components"]["schemas"]["BannerDocument"]["properties"]
    assert path["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(fields) >= {"stage", "heading", "until", "advice", "links", "may"}


def test_the_element_is_served_to_pages_of_any_site_and_kept_for_an_hour(ask):
    answer = ask(path=SCRIPT, headers={"Authorization": ""})
    again = ask(path=SCRIPT, headers={"If-None-Match": answer.headers["etag"]})

    assert answer.content == element_script()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert again.status_code == 304
