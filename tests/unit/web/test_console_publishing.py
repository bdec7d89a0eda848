"""Publishing a policy in the console: read, looked at, and published as it was looked at."""

import re
from html import unescape
from importlib.resources import files

import pytest
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.offboarding import register
from offramp.web.console.acts import FieldInvalid
from offramp.web.console.draft import DRAFT_BYTES_MAX, WORD_CHARACTERS_MAX, pack, unpack
from offramp.web.console.publishing import TEXT_BYTES_MAX
from tests.simulation import shop
from tests.unit.test_example_policies import FILES
from tests.unit.web.office import PUBLIC, Office, filled_office

LONGEST = str(max(FILES, key=lambda file: file.stat().st_size))
PAGE = "/console/publish"
ONE = "/console/policies/license-pool"
TEXT = (files("offramp.presets") / "license-pool.yaml").read_text("utf-8")
SECOND = re.sub(r"^version: 1$", "version: 2", TEXT, flags=re.MULTILINE).replace("P30D", "P40D")


@pytest.fixture
def office():
    return filled_office("acme", "beta")


@pytest.fixture
def browser(office):
    return office.signed_in()


@pytest.fixture(scope="module")
def bystander():
    """Somebody in an office where nothing is published any more."""
    return filled_office("acme").signed_in()


def look(browser, text=SECOND):
    return browser.post(f"{PAGE}/look", {"text": text})


def shown(page):
    form = page.text.partition('action="/console/publish"')[2].partition("</form>")[0]
    return {
        name: unescape(value)
        for name, value in re.findall(r'name="(draft|digest)" value="([^"]*)"', form)
    }


def publish(browser, page, **changes):
    return browser.post(PAGE, {**shown(page), "reason": "a longer grace", **changes})


def newest(office):
    with office.world.store.transaction() as transaction:
        return transaction.policy("license-pool").version


def test_what_is_wrong_is_told_with_its_line_and_what_was_expected(office, browser):
    wrong = "\n\n" + TEXT.replace("notify", "notfy", 1).replace("version: 1", "versoin: 1", 1)

    answer = look(browser, wrong)

    line = next(n for n, each in enumerate(wrong.splitlines(), start=1) if "versoin" in each)
    assert answer.status_code == 422
    assert f"line {line}: versoin" in answer.text
    assert "Expected: one of" in answer.text
    assert "Everything that is wrong:" in answer.text
    assert "Hint: did you mean version?" in answer.text
    assert "versoin: 1" in answer.text.partition("<textarea")[2]
    assert newest(office) == 1


@pytest.mark.parametrize("text", ["", "- a\n- b", "a: [", "&a [*a]", "[" * 1000, "a: \x00"])
def test_what_is_no_policy_at_all_is_told(bystander, text):
    assert look(bystander, text).status_code == 422


def test_a_few_words_that_stand_for_very_many_are_not_unfolded(bystander):
    lines = [
        "a0: &a0 [x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)),
    ]

    answer = look(bystander, "\n".join(lines))

    assert answer.status_code == 422
    assert "it holds too much" in answer.text


def test_what_a_version_says_and_does_is_shown_and_nothing_is_published(office, browser):
    page = look(browser).text

    assert "<strong>2</strong>: nothing was announced, so it takes the version over" in page
    assert "What differs from version 1" in page
    assert ">later<" in page
    assert newest(office) == 1
    assert office.ledger("policy-published")[1:] == []


def test_its_drawing_is_of_what_is_looked_at(browser):
    address = re.search(r'src="(/console/publish/drawing[^"]*)"', look(browser).text)[1]

    drawing = browser.get(unescape(address))

    assert drawing.headers["content-type"] == "image/svg+xml"
    assert "10 Sep 2024" in drawing.text  # forty days after today


def test_what_should_be_thought_about_again_is_named(browser):
    page = look(browser).text

    think = page.partition("What to think about again")[2].partition("</section>")[0]
    assert ">W1<" in think


def test_what_was_looked_at_is_published_with_who_and_why(office, browser):
    office.world.run_until(Instant.from_utc(2024, 8, 20))  # so that both were told a date
    browser = office.signed_in()

    answer = publish(browser, look(browser))
    page = browser.get(answer.headers["location"]).text

    assert (answer.status_code, newest(office)) == (303, 2)
    assert "Published: whoever comes" in page
    (event,) = [e for e in office.ledger("policy-published") if e.detail["version"] == 2]
    assert event.actor.startswith("operator:")
    assert (event.detail["moved"], event.detail["kept"]) == (0, 2)
    when = page.partition("When it was published")[2].partition("</section>")[0]
    assert ">Admin<" in when
    assert "a longer grace" in when
    assert "grace" not in repr(event)


def test_a_version_that_would_do_something_else_by_now_is_not_published(office, browser):
    page = look(browser)
    register(
        office.context,
        organizations=[shop.organization("core")],
        pools=[shop.pool("core")],
        members=shop.members("core"),
    )

    answer = publish(browser, page)

    assert answer.status_code == 409
    assert "has changed since it was looked at" in answer.text
    assert newest(office) == 1
    assert publish(browser, look(browser)).status_code == 303


def test_another_draft_than_was_looked_at_is_not_published(office, browser):
    other = pack(find_policy("edit-only-grace"))

    assert publish(browser, look(browser), draft=other).status_code == 409
    assert publish(browser, look(browser), reason="").status_code == 422
    assert publish(browser, look(browser), digest="").status_code == 409
    assert newest(office) == 1


def test_what_is_published_already_is_told_so(browser):
    page = look(browser, TEXT)

    assert "published already" in page.text
    assert "Publish version" not in page.text


def test_what_cannot_be_published_is_told_with_the_text_in_hand(office, browser):
    changed = TEXT.replace("P30D", "P40D")

    answer = look(browser, changed)

    assert answer.status_code == 409
    assert "says something else" in answer.text
    assert "P40D" in answer.text


def test_a_preset_is_published_where_it_is_not_yet():
    office = Office()
    browser = office.signed_in()
    offered = browser.get(PAGE).text

    page = browser.post(f"{PAGE}/look", {"preset": "license-pool"})
    publish(browser, page)

    assert all(f"<option>{name}</option>" in offered for name in PRESETS)
    assert newest(office) == 1
    assert "<option>license-pool</option>" not in browser.get(PAGE).text


def send(browser, content):
    return browser.client.post(
        f"{PAGE}/file",
        data={"token": browser.token()},
        files={"file": ("policy.yaml", content)},
        headers={"Origin": PUBLIC},
    )


def test_a_file_is_looked_at_as_a_text_is(browser):
    page = send(browser, b"\xef\xbb\xbf" + SECOND.encode())

    assert "What differs from version 1" in page.text
    assert "not published yet" in page.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"#" * (TEXT_BYTES_MAX + 1)])
def test_a_file_that_is_none_is_refused(bystander, content):
    assert send(bystander, content).status_code == 422


@pytest.mark.parametrize("policy", [*PRESETS, LONGEST])
def test_a_draft_is_what_was_packed_and_an_address_holds_it(policy):
    known = find_policy(policy)

    word = pack(known)

    assert unpack(word) == known
    assert len(word) <= WORD_CHARACTERS_MAX


@pytest.mark.parametrize("word", ["", "x", "eJw=", "!!!", pack(find_policy("license-pool"))[:-40]])
def test_a_draft_that_is_none_is_refused(bystander, word):
    with pytest.raises(FieldInvalid):
        unpack(word)
    assert bystander.get(f"{PAGE}/drawing.svg", params={"draft": word}).status_code == 422


def test_a_draft_that_grows_too_large_is_not_unpacked():
    grown = find_policy("license-pool").model_copy(update={"title": "x" * DRAFT_BYTES_MAX})

    with pytest.raises(FieldInvalid, match="too much"):
        unpack(pack(grown))


def test_only_an_admin_is_offered_to_publish(office):
    viewer, admin = (office.signed_in(OperatorRole(role)) for role in ("viewer", "admin"))

    assert PAGE not in viewer.get("/console/policies").text
    assert PAGE in admin.get("/console/policies").text
