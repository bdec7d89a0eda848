"""The portals of two vendors, whose databases are filled."""

import pytest

from tests.simulation import shop
from tests.unit.web.lobby import Composer, Lobby


@pytest.fixture
def shop_data(tmp_path):
    opened = shop.open_shop(tmp_path)
    opened.fill("acme", "beta")
    return opened.data


@pytest.fixture
def training(shop_data):
    return Lobby("license-pool", data=shop_data, composer=Composer())


@pytest.fixture
def notes(shop_data):
    return Lobby("edit-only-grace", data=shop_data, composer=Composer())
