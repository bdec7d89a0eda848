"""A filled school on every database."""

import pytest

from tests.integration.data.school import build_school


@pytest.fixture
def school(database_url):
    school = build_school(database_url)
    yield school
    for source in school.sources.values():
        source.close()
    school.engine.dispose()
