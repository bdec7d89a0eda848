"""Every foreign application goes its whole way once, and the tests look at what became of it."""

import pytest

from tests.integration.foreign.applications import FOREIGN
from tests.integration.foreign.journey import Journey
from tests.integration.foreign.server import running


@pytest.fixture(scope="session")
def server_with_extensions():
    with running() as host:
        yield host


@pytest.fixture(scope="session")
def travelled(server_with_extensions, tmp_path_factory):
    """Give a function that takes an application the whole way, at its first call."""
    made, failed = {}, {}

    def travel(name):
        if name in failed:
            raise failed[name]
        if name not in made:
            journey = Journey(FOREIGN[name], tmp_path_factory.mktemp(name))
            try:
                journey.travel(server_with_extensions)
            except BaseException as error:
                failed[name] = error
                raise
            made[name] = journey
        return made[name]

    yield travel
    for journey in made.values():
        journey.close()
