import pytest

from tests.simulation.shop import open_shop


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """Give a vendor's database; every story fills it anew."""
    return open_shop(tmp_path_factory.mktemp("shop"))
