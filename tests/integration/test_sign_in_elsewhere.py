"""A whole way through a provider that somebody else wrote, and in a real browser."""

import importlib
import warnings

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from offramp.adapters.clock import SystemClock
from offramp.bootstrap import identity_provider
from offramp.config import load_settings
from offramp.core.operator import OperatorRole
from offramp.engine.operators import add_operator
from offramp.ports import Challenge, IdentityUnavailable, IdentityUnproven
from offramp.web.address import open_listener, url_of
from tests.unit.web.office import Office, listening

ADDRESS = "sam@vendor.example"
CHALLENGE = Challenge(state="a state", nonce="a nonce", verifier="v" * 43)


@pytest.fixture(scope="module")
def issuer():
    """Run a provider that knows Sam, and believes whoever says that they are Sam."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses a part of its library that is to go
        mock = importlib.import_module("oidc_provider_mock")
        sam = mock.User(sub="sub-1", claims={"email": ADDRESS, "email_verified": True})
        with mock.run_server_in_thread(user_claims=[sam]) as server:
            yield f"http://localhost:{server.server_port}"


def open_provider(issuer, public_address="http://localhost:8080"):
    return identity_provider(
        load_settings(
            oidc_issuer=issuer,
            oidc_client_id="offramp",
            oidc_client_secret="a secret",
            public_address=public_address,
        )
    )


def show(address, subject):
    """Say who somebody is on the page of the provider, and give the code."""
    answer = httpx2.post(address, data={"sub": subject})
    return httpx2.URL(answer.headers["location"]).params["code"]


@pytest.mark.filterwarnings("ignore")  # of that part, on the threads of the server
def test_a_real_provider_is_understood_and_its_code_is_good_once(issuer):
    provider, now = open_provider(issuer), SystemClock().now()
    code = show(provider.address_for(CHALLENGE), "sub-1")

    found = provider.identify(code, CHALLENGE, now=now)
    with pytest.raises(IdentityUnproven):
        provider.identify(code, CHALLENGE, now=now)

    assert (found.issuer, found.subject, found.address) == (issuer, "sub-1", ADDRESS)


@pytest.mark.filterwarnings("ignore")
def test_an_address_that_a_real_provider_does_not_vouch_for_is_none(issuer):
    provider = open_provider(issuer)
    code = show(provider.address_for(CHALLENGE), "somebody@vendor.example")

    assert provider.identify(code, CHALLENGE, now=SystemClock().now()).address is None


def test_a_provider_that_is_not_there_is_told_as_such():
    with open_listener("127.0.0.1:0") as listener:
        nobody = url_of(listener)

    with pytest.raises(IdentityUnavailable, match="ConnectError"):
        open_provider(nobody).address_for(CHALLENGE)


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore")
def test_a_browser_goes_there_and_comes_back_under_the_policy_of_our_pages(issuer, browser):
    with open_listener("localhost:0") as listener:
        url = url_of(listener).replace("127.0.0.1", "localhost")
        provider = open_provider(issuer, url)
        office = Office(public_address=url, start=SystemClock().now(), provider=provider)
        add_operator(office.context, name="Sam", address=ADDRESS, role=OperatorRole.VIEWER)
        with listening(office.app, listener):
            page, troubles = browser.new_page(), []
            page.on("console", lambda message: troubles.append(message.text))
            page.goto(f"{url}/console/health")
            violations = Axe().run(page).response["violations"]
            page.get_by_role("link", name="Sign in with your company's account").click()
            page.get_by_role("button", name="sub-1").click()
            expect(page.get_by_role("heading", name="Health")).to_be_visible()
            kept = {cookie["name"] for cookie in page.context.cookies(url)}
            page.close()

    assert violations == []
    assert "offramp-console-way" not in kept
    assert [each for each in troubles if "Content Security" in each] == []
