"""A filled school on every database."""

import pytest

from tests.integration.data.school import build_school

FIXTURES = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mariadb": "mariadb_url"}


@pytest.fixture(params=["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def database_url(request):
    """Give a fresh, empty database of each kind in turn."""
    return request.getfixturevalue(FIXTURES[request.param])


@pytest.fixture(params=["sqlite", "postgresql"])
def sample_url(request):
    """Give a database of each kind on which the sample applications run."""
    return request.getfixturevalue(FIXTURES[request.param])


@pytest.fixture
def late_url(sample_url):
    """Give a database that can look at a reference when a statement is over, as InnoDB cannot."""
    return sample_url


@pytest.fixture
def school(database_url):
    school = build_school(database_url)
    yield school
    for source in school.sources.values():
        source.close()
    school.engine.dispose()
