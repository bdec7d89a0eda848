"""What a setting may be."""

import pytest

from offramp.config import SettingInvalid, load_settings

ADDRESS = "https://leaving.vendor.example"


@pytest.mark.parametrize(
    "address",
    [ADDRESS, f"{ADDRESS}/off/", "http://127.0.0.1:8080", "http://localhost/off", "http://[::1]"],
)
def test_links_lead_to_where_nobody_listens_in(address):
    assert load_settings(public_address=address).public_address == address


@pytest.mark.parametrize(
    "address",
    [
        "http://leaving.vendor.example",
        "http://localhost.vendor.example",
        "http://localhost:99999999",
        f"{ADDRESS}/?for=anna",
        f"{ADDRESS}/#anna",
        "https://anna@vendor.example",
        "https://",
        "leaving.vendor.example",
    ],
)
def test_links_are_not_sent_in_the_open_and_name_nobody(address):
    with pytest.raises(SettingInvalid) as caught:
        load_settings(public_address=address)

    assert "anna" not in str(caught.value)
