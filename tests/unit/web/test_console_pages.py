"""What operators see: today, the organizations, and one of them."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.engine import directory
from offramp.engine.brake import place_hold
from offramp.engine.offboarding import register
from tests.simulation import shop
from tests.unit.web.office import Office, filled_office

LIST = "/console/organizations"


@pytest.fixture
def office():
    office = filled_office("acme", "beta", "gamma")
    customers = [
        replace(shop.organization("acme"), name="Acme & Sons"),
        replace(shop.organization("beta", zone="Asia/Tokyo"), name="acorn"),
        replace(shop.organization("gamma"), name="Zeta"),
    ]
    register(office.context, organizations=customers, pools=[shop.pool("gamma", ends=None)])
    return office


@pytest.fixture
def browser(office):
    return office.signed_in(OperatorRole.VIEWER)


def names(answer):
    """Give the organizations of a list, in their order."""
    return [part.partition('"')[0] for part in answer.text.split(f'class="who" href="{LIST}/')[1:]]


def test_an_empty_installation_says_how_to_begin():
    browser = Office().signed_in()

    assert "Nobody is leaving" in browser.get("/console").text
    assert "No organization was taken over yet" in browser.get(LIST).text


def test_today_shows_what_falls_due_until_midnight_in_the_operators_zone(office, browser):
    office.world.run_until(Instant.from_utc(2024, 8, 30, 9))
    dublin = office.signed_in(OperatorRole.SUPPORT)
    dublin.post("/console/account", {"zone": "Europe/Dublin"})
    utc = office.signed_in(OperatorRole.VIEWER)

    shown = dublin.get("/console").text

    assert "Stage: Access ended" in shown
    assert "Sat 31 Aug 2024, 00:00" in shown  # Dublin's midnight, where acme's access ends
    assert "Fri 30 Aug 2024, 23:00" in utc.get("/console").text
    assert "Sat 31 Aug 2024, 00:00 in Dublin" in utc.get("/console").text


def test_today_shows_what_is_in_the_way_with_its_reason(office):
    place_hold(office.context, "acme", owner="Olga", reason="dispute")
    office.world.run_until(Instant.from_utc(2024, 11, 1))

    shown = office.signed_in().get("/console").text

    assert "it was tried as often as allowed" in shown
    assert "given up" in shown
    assert "Acme &amp; Sons" in shown


def test_what_failed_is_also_where_it_is_tried_again(office):
    office.world.run_until(Instant.from_utc(2024, 8, 31, 12))

    shown = office.signed_in().get("/console").text

    trouble, _, coming = shown.partition(">Until midnight")
    assert "failing" in trouble
    assert "failing" in coming


def test_what_is_due_and_waits_is_late(office):
    office.world.lie_still_until(Instant.from_utc(2024, 8, 20))

    shown = office.signed_in().get("/console").text

    assert "Notice: Expiring soon" in shown.partition("Late")[2]


def test_organizations_are_listed_by_name_however_it_is_written(browser):
    assert names(browser.get(LIST)) == ["acme", "beta", "gamma"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ac", ["acme", "beta"]),
        ("ACO", ["beta"]),
        ("acme & sons", ["acme"]),
        ("sons", []),
        ("gamma", ["gamma"]),
        ("beta-nobody", []),
        ("user@acme.example", ["acme"]),
        ("USER@acme.example", ["acme"]),
        ("user@acme", []),
        ("%", []),
        ("' OR 1=1 --", []),
    ],
)
def test_an_organization_is_found_by_name_id_or_somebodys_address(browser, text, found):
    answer = browser.post(LIST, {"text": text})

    assert names(answer) == found
    assert bool(found) != ("Nothing fits" in answer.text)


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("leaving", ["acme", "beta"]),
        ("staying", ["gamma"]),
        ("held", ["beta"]),
        ("stopped", []),
        ("nonsense", ["acme", "beta", "gamma"]),
    ],
)
def test_organizations_are_found_by_where_they_stand(office, browser, state, found):
    place_hold(office.context, "beta", owner="Olga", reason="dispute")

    assert names(browser.get(f"{LIST}?state={state}")) == found


def test_organizations_are_found_by_their_stage(office):
    office.world.run_until(Instant.from_utc(2024, 9, 3))
    browser = office.signed_in()

    ended = browser.get(f"{LIST}?stage=expired")

    assert names(ended) == ["acme", "beta"]
    assert names(browser.get(f"{LIST}?stage=active")) == ["gamma"]
    assert "Access ended" in ended.text


@pytest.mark.parametrize("looked_at_max", [1, 2, 100])
def test_every_organization_is_on_one_page_and_only_one(office, monkeypatch, looked_at_max):
    monkeypatch.setattr(directory, "PAGE_ROWS", 1)
    monkeypatch.setattr(directory, "LOOKED_AT_MAX", looked_at_max)
    browser, seen, fields = office.signed_in(), [], {"stage": "active"}
    for _ in range(5):
        answer = browser.post(LIST, fields)
        seen += names(answer)
        after = [
            answer.text.partition(f'name="{name}" value="')[2].partition('"')[0]
            for name in ("after_name", "after")
        ]
        if not after[1]:
            break
        fields |= {"after_name": after[0].replace("&amp;", "&"), "after": after[1]}

    assert seen == ["acme", "beta", "gamma"]


@pytest.mark.parametrize("staying_max", [1, 2, 3, 100])
def test_whoever_does_not_leave_is_found_among_so_many_at_a_time(office, monkeypatch, staying_max):
    monkeypatch.setattr(directory, "STAYING_MAX", staying_max)
    browser, seen, fields = office.signed_in(), [], {"state": "staying"}
    for _ in range(5):
        answer = browser.post(LIST, fields)
        seen += names(answer)
        after = [
            answer.text.partition(f'name="{name}" value="')[2].partition('"')[0]
            for name in ("after_name", "after")
        ]
        if not after[1]:
            break
        fields |= {"after_name": after[0].replace("&amp;", "&"), "after": after[1]}

    assert seen == ["gamma"]
    assert not after[1]


def test_one_organization_shows_its_dates_in_both_zones(office, browser):
    page = browser.get(f"{LIST}/beta").text

    assert "What comes" in page
    assert "Erase" in page
    assert "in Tokyo" in page
    assert "user@beta.example" in page


def test_what_was_done_is_shown_with_its_proof(office):
    office.world.run_until(Instant.from_utc(2024, 8, 20))

    page = office.signed_in().get(f"{LIST}/acme").text

    done = page.partition("What was done")[2]
    assert "Notice: Expiring soon" in done
    assert "1 accepted" in done
    assert "Proof" in done
    assert "step-done" in page


def test_an_organization_without_an_end_says_what_will_be_here(browser):
    assert "Nothing of it has an end" in browser.get(f"{LIST}/gamma").text


def test_the_drawing_shows_the_stages_and_the_present_and_runs_nothing(office, browser):
    page = browser.get(f"{LIST}/acme").text
    address = page.partition('<img src="/console/organizations')[2].partition('"')[0]

    drawing = browser.get(f"/console/organizations{address}")

    assert drawing.headers["content-type"].startswith("image/svg+xml")
    assert ">now</text>" in drawing.text
    assert ">Access ended</text>" in drawing.text
    assert drawing.headers["content-security-policy"].startswith("default-src 'none'; style-src 's")


def test_a_drawing_of_another_organization_is_not_found(office, browser):
    with office.world.store.transaction() as transaction:
        (row,) = transaction.offboardings("beta")

    assert browser.get(f"{LIST}/acme/timelines/{row.id}.svg").status_code == 404
    assert browser.get(f"{LIST}/beta/timelines/{row.id}.svg").status_code == 200


def test_names_are_never_taken_for_markup(office, browser):
    evil = '<script>alert("x")</script>'
    register(
        office.context,
        organizations=[replace(shop.organization("acme"), name=evil)],
        members=[replace(member, name=evil) for member in shop.members("acme")],
    )

    for path in (LIST, f"{LIST}/acme"):
        answer = browser.get(path)
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert" in answer.text


def test_a_filter_is_kept_under_a_name_for_whoever_made_it(office, browser):
    saved = browser.post("/console/views", {"name": "At <rest>", "state": "staying", "stage": ""})
    page = browser.get(saved.headers["location"])

    assert names(page) == ["gamma"]
    assert 'state=staying&amp;stage="' in page.text
    assert "At &lt;rest&gt;" in page.text
    assert "At &lt;rest&gt;" not in office.signed_in(OperatorRole.SUPPORT).get(LIST).text

    browser.post("/console/views/forget", {"name": "At <rest>"})
    assert "At &lt;rest&gt;" not in browser.get(LIST).text
    assert browser.post("/console/views/forget", {"name": "At <rest>"}).status_code == 404


@pytest.mark.parametrize(
    "fields", [{"name": "", "state": "held"}, {"name": "all"}, {"name": "x" * 61, "state": "held"}]
)
def test_a_view_without_a_name_or_a_filter_is_not_kept(browser, fields):
    assert browser.post("/console/views", fields).status_code == 422
    assert "Saved views" not in browser.get(LIST).text


def test_nobody_keeps_more_views_than_a_page_shows(browser):
    answers = [
        browser.post("/console/views", {"name": f"view {number}", "state": "held"}).status_code
        for number in range(21)
    ]

    assert answers == [303] * 20 + [422]
