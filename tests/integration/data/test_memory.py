"""A hundred thousand rows take as little memory as a few: they stream, out, away and back."""

import pytest

from offramp.adapters.keys_folder import FolderKeys
from tests.integration.data.school import build_school
from tests.integration.data.supervisor import WORKS, Place, Supervisor

ROWS = 100_000
MORE_BYTES_MAX = 12 * 1024 * 1024  # the document is larger: who held it would be found
NUMBERS = {
    "sqlite": (
        "WITH RECURSIVE numbers (n) AS"
        f" (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})"
    ),
    "postgresql": f"WITH numbers (n) AS (SELECT generate_series(1, {ROWS}))",
}
FILL = """
INSERT INTO audit (id, company_id, payload)
{numbers} SELECT 1000 + n, 100,
 '{{"seen": "a page of the handbook, and then another one, and after that the whole chapter"}}'
FROM numbers
"""


@pytest.fixture
def supervisor():
    supervisor = Supervisor()
    yield supervisor
    supervisor.close()


def way_out_and_back(supervisor, place):
    """Give the peak of the memory of each part, each in a process of its own."""
    FolderKeys(place.folder / "keys").signing_key()
    limits = {"rows_max": 5_000}
    told = {work: supervisor.order(work, place, limits=limits) for work in WORKS}
    return {work: told[work]["peak_bytes"] for work in WORKS}


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_hundred_thousand_rows_take_hardly_more_memory_than_a_few(
    supervisor, request, kind, tmp_path
):
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[kind])
    school = build_school(url, size=2)
    few = way_out_and_back(supervisor, Place(url, tmp_path / "few"))
    numbers = NUMBERS[kind]
    with school.engine.begin() as connection:
        connection.exec_driver_sql(FILL.format(numbers=numbers))

    many = way_out_and_back(supervisor, Place(url, tmp_path / "many"))

    exported = (tmp_path / "many" / "vault" / "out.json").stat().st_size
    school.sources["app"].close()
    school.engine.dispose()
    assert exported > MORE_BYTES_MAX
    assert {work for work in WORKS if many[work] - few[work] > MORE_BYTES_MAX} == set()
