"""Export, erase, restore, export: the same document, whatever the schema and the data (A9).

Method: hypothesis draws a schema and its rows (`nation`); where it takes long to build a database,
a few are tried.
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from offramp.data.handover.export import digest
from offramp.data.scope import Scope
from offramp.testing import mariadb
from offramp.testing.postgres import fresh_database
from tests.integration.data.leaving import come_back, data_of, leave, take, totals
from tests.integration.data.nation import LEAVING, ROWS, STAYING, Nation, shapes

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
NOTHING = {"added": 0, "relinked": 0}
on_sqlite = settings(
    max_examples=15, deadline=None, suppress_health_check=SLOW, phases=[Phase.generate]
)
on_servers = settings(
    max_examples=5, deadline=None, suppress_health_check=SLOW, phases=[Phase.generate]
)


@contextmanager
def founded(url, drawn, data):
    with tempfile.TemporaryDirectory() as folder:
        nation = Nation(url or f"sqlite:///{folder}/nation.sqlite", drawn, data)
        try:
            yield nation, Path(folder)
        finally:
            nation.close()


def go_and_come_back(url, drawn, data):
    with founded(url, drawn, data) as (nation, folder):
        before = digest(nation.datamap, nation.sources, STAYING)
        take(nation, LEAVING, folder / "out.json")
        leave(nation, LEAVING, rows=100)

        come_back(nation, folder / "out.json")
        again = come_back(nation, folder / "out.json")

        take(nation, LEAVING, folder / "again.json")
        assert data_of(folder / "again.json") == data_of(folder / "out.json")
        assert digest(nation.datamap, nation.sources, STAYING) == before
        assert totals(again).items() >= (NOTHING | {"moved": 0}).items()


def come_back_to_taken_keys(url, drawn, data):
    with founded(url, drawn, data) as (nation, folder):
        places = [
            (number, row)
            for number, shape in enumerate(nation.drawn)
            if shape is None or shape.key != "several"
            for row in ((1,) if shape is None else range(10, 10 + ROWS))
        ]
        taken = data.draw(st.sets(st.sampled_from(places), min_size=1))
        take(nation, LEAVING, folder / "out.json")
        leave(nation, LEAVING, rows=100)
        for number, row in sorted(taken):
            nation.usurp(number, row)
        staying = [STAYING, *([LEAVING] if (0, 1) in taken else [])]
        before = [digest(nation.datamap, nation.sources, scope) for scope in staying]

        first = come_back(nation, folder / "out.json")
        again = come_back(nation, folder / "out.json")

        ours = Scope(organization=first.organization)
        take(nation, ours, folder / "again.json")
        told = nation.told_by_labels(folder / "out.json")
        assert nation.told_by_labels(folder / "again.json") == told
        assert [digest(nation.datamap, nation.sources, scope) for scope in staying] == before
        assert totals(first)["moved"] == totals(again)["moved"] == len(taken)
        assert totals(again).items() >= NOTHING.items()
        assert (first.organization == "1") == ((0, 1) not in taken)


@on_sqlite
@given(shapes(), st.data())
def test_what_left_comes_back_byte_identical(drawn, data):
    go_and_come_back(None, drawn, data)


@on_servers
@given(shapes(), st.data())
def test_what_left_comes_back_byte_identical_on_postgres(postgres_server, drawn, data):
    with fresh_database(postgres_server) as url:
        go_and_come_back(url, drawn, data)


@pytest.mark.mariadb
@on_servers
@given(shapes(), st.data())
def test_what_left_comes_back_byte_identical_on_mariadb(mariadb_server, drawn, data):
    with mariadb.fresh_database(mariadb_server) as url:
        go_and_come_back(url, drawn, data)


@on_sqlite
@given(shapes(), st.data())
def test_what_left_comes_back_the_same_under_other_keys(drawn, data):
    come_back_to_taken_keys(None, drawn, data)


@on_servers
@given(shapes(), st.data())
def test_what_left_comes_back_the_same_under_other_keys_on_postgres(postgres_server, drawn, data):
    with fresh_database(postgres_server) as url:
        come_back_to_taken_keys(url, drawn, data)


@pytest.mark.mariadb
@on_servers
@given(shapes(), st.data())
def test_what_left_comes_back_the_same_under_other_keys_on_mariadb(mariadb_server, drawn, data):
    with mariadb.fresh_database(mariadb_server) as url:
        come_back_to_taken_keys(url, drawn, data)
