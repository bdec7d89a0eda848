"""Operators sign in elsewhere where the settings say so, all of it."""

import pytest

from offramp.bootstrap import SignInIncomplete, identity_provider
from offramp.config import SettingInvalid, load_settings

COMPLETE = {
    "oidc_issuer": "https://accounts.vendor.example",
    "oidc_client_id": "offramp",
    "public_address": "https://offramp.vendor.example/leaving/",
}


def test_nobody_is_asked_unless_a_provider_is_named():
    assert identity_provider(load_settings()) is None
    assert identity_provider(load_settings(**COMPLETE)).name == "your company's account"


@pytest.mark.parametrize("missing", ["oidc_client_id", "public_address"])
def test_what_is_missing_for_signing_in_elsewhere_is_named(missing):
    given = {name: value for name, value in COMPLETE.items() if name != missing}

    with pytest.raises(SignInIncomplete, match=missing):
        identity_provider(load_settings(**given))


def test_passwords_are_not_taken_away_where_there_is_no_other_way_in():
    with pytest.raises(SignInIncomplete, match="oidc_issuer"):
        identity_provider(load_settings(oidc_only=True))


@pytest.mark.parametrize("issuer", ["http://accounts.vendor.example", "accounts", "ftp://x"])
def test_a_provider_is_asked_by_https_alone(issuer):
    with pytest.raises(SettingInvalid):
        load_settings(**COMPLETE | {"oidc_issuer": issuer})
