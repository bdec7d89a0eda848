"""What every test gets: databases that are really there, and no network where none is needed."""

import importlib
import socket
from pathlib import Path

import pytest

from offramp.cli.late import keep_imported, seldom_collect
from offramp.testing import mariadb
from offramp.testing.postgres import fresh_database, running_postgres

TESTS = Path(__file__).parent
LAYERS = ("unit", "property", "contract", "simulation", "docs", "integration", "acceptance")
WITHOUT_SOCKETS = frozenset(LAYERS[:5])


def layer_of(path):
    """Name the folder right under tests/ that a test lives in."""
    return path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(items):
    """Keep layers together, the fast ones first; inside a layer the random order stays."""
    items.sort(key=lambda item: LAYERS.index(layer_of(item.path)))


def pytest_collection_finish():
    """Search for garbage as seldom as the command does: it took a fifth of the time."""
    seldom_collect()
    keep_imported()


def is_on_this_machine(address):
    """Tell a socket file or a loopback address from the rest of the world."""
    return isinstance(address, str | bytes) or address[0] in ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def _network_as_far_as_the_layer_allows(request, monkeypatch):
    """Fail a test at its first connection: any in a fast layer, one that leaves us elsewhere."""
    layer = layer_of(request.path)

    def guarded(plain):
        def connect(self, address, *rest):
            allowed = layer not in WITHOUT_SOCKETS and is_on_this_machine(address)
            assert allowed, f"the {layer} layer does not connect to {address}"
            return plain(self, address, *rest)

        return connect

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))


@pytest.fixture(scope="session")
def postgres_server():
    """Run one PostgreSQL server per test process, started by the first test that asks."""
    with running_postgres() as base_url:
        yield base_url


@pytest.fixture
def postgres_url(postgres_server):
    """Give a fresh, empty PostgreSQL database."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_server():
    """Run one MariaDB server per test process; a test that asks carries the mark `mariadb`."""
    with mariadb.running_mariadb() as base_url:
        yield base_url


@pytest.fixture
def mariadb_url(mariadb_server):
    """Give a fresh, empty MariaDB database."""
    with mariadb.fresh_database(mariadb_server) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    """Start a browser once; only a test that asks needs the package."""
    with importlib.import_module("tests.browser").open_browser() as started:
        yield started


@pytest.fixture
def sqlite_url(tmp_path):
    """Give the URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'fresh.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """Give a fresh, empty database of each kind in turn."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return request.getfixturevalue(fixture)
