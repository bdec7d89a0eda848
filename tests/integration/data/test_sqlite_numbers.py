"""SQLite's own spelling of a number is taken only where it is the shortest that reads back."""

import json

import pytest
import sqlalchemy as sa

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.dialects import SQLITE
from offramp.data.sources.sqlite import SqliteDriver

NUMBERS = [
    *(0.0, -0.0, 0.1, -74.25, 1 / 3, 2 / 3 * 1e-3, 0.1 + 0.2, 1e-4, 5e-324, 1.5e-7),
    *(
        999_999_999_999_999.0,
        1e15,
        1e16,
        123_456_789_012_345.6,
        2.0**53,
        1e22,
        1.7976931348623157e308,
    ),
]


@pytest.fixture
def spell(tmp_path):
    """Render one number as a handed over row."""
    file = tmp_path / "numbers.sqlite"
    file.touch()
    driver = SqliteDriver()
    engine = sa.create_engine(driver.address(sa.make_url(f"sqlite:///{file}")))
    driver.prepare(engine)
    table = sa.table("numbers", sa.column("number", sa.types.NullType()))

    def render(number, kind):
        column = CatalogColumn(name="number", type=kind, nullable=True)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS numbers")
            connection.exec_driver_sql("CREATE TABLE numbers (number)")
            connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))
            (line,) = driver.blocks(connection, SQLITE.objects(table, [column]))
        return line.decode()

    yield render
    engine.dispose()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_spelled_as_shortly_as_it_can_be(spell, number):
    assert spell(number, sa.Double()) == f'{{"number":{number!r}}}\n'


@pytest.mark.parametrize("number", NUMBERS)
def test_a_decimal_is_text_of_the_same_digits(spell, number):
    assert spell(number, sa.Numeric(5, 2)) == f'{{"number":"{number!r}"}}\n'


@pytest.mark.parametrize("number", [0, -1, 2**53 - 1, -(2**53) + 1])
def test_a_whole_number_that_json_can_hold_is_a_number(spell, number):
    assert spell(number, sa.BigInteger()) == f'{{"number":{number}}}\n'


@pytest.mark.parametrize("number", [2**53, -(2**63)])
def test_a_whole_number_that_json_would_lose_is_text(spell, number):
    assert json.loads(spell(number, sa.BigInteger())) == {"number": str(number)}
