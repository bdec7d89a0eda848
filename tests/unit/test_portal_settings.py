"""The portal is there where it is wanted, and only where the links in its mails lead to it."""

import pytest

from offramp.bootstrap import PortalUnreachable, brand_of, portal_pages
from offramp.config import SettingInvalid, load_settings

PUBLIC = "https://leaving.vendor.example"


def test_there_is_no_portal_unless_it_is_wanted():
    assert portal_pages(load_settings(public_address=PUBLIC)) is None
    assert portal_pages(load_settings(public_address=PUBLIC, portal=True)) is not None


def test_a_portal_that_no_mail_can_lead_to_is_refused():
    with pytest.raises(PortalUnreachable, match="needs an address"):
        portal_pages(load_settings(portal=True))


@pytest.mark.parametrize("address", [PUBLIC, f"{PUBLIC}/"])
def test_banners_lead_to_the_portal_however_its_address_ends(address):
    settings = load_settings(portal=True, public_address=address)

    assert brand_of(settings).portal == f"{PUBLIC}/portal"


@pytest.mark.parametrize(
    ("renewal", "link"),
    [
        ("https://vendor.example/renew", "https://vendor.example/renew"),
        ("sales@vendor.example", "mailto:sales@vendor.example"),
        (None, None),
    ],
)
def test_whoever_renews_is_led_to_an_address_of_the_web_or_of_mail(renewal, link):
    settings = load_settings(portal=True, public_address=PUBLIC, brand_renewal=renewal)

    assert portal_pages(settings).renewal == link


@pytest.mark.parametrize("renewal", ["javascript:alert(1)", "renew", "//evil.example"])
def test_nobody_is_led_anywhere_else(renewal):
    with pytest.raises(SettingInvalid):
        load_settings(brand_renewal=renewal)
