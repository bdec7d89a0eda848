"""Rows of one table that need one another: whatever their keys, children go before parents."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.data.application import ONE, application, go_and_come_back, run
from tests.integration.data.leaving import leave

NODES = (
    "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
    "CREATE TABLE nodes (id INTEGER PRIMARY KEY,"
    " company_id INTEGER NOT NULL REFERENCES companies (id),"
    " is_top INTEGER NOT NULL, parent_id INTEGER REFERENCES nodes (id),"
    " CHECK (is_top = 1 OR parent_id IS NOT NULL))",
    "INSERT INTO companies VALUES (1), (2)",
)


def nodes(*parents, company=1, first=1):
    """Insert rows numbered from `first`, parents before children whatever their numbers."""
    left = dict(enumerate(parents, start=first))
    while left:
        ready = [number for number, parent in left.items() if parent not in left]
        for number in ready:
            parent = left.pop(number)
            values = (number, company, int(parent is None), parent or "NULL")
            yield f"INSERT INTO nodes VALUES ({', '.join(map(str, values))})"


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def whole_statement_url(request):
    """Give a database that checks references at the end of a statement, not row by row."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_parent_that_is_newer_than_its_child_goes_after_it(chunk, whole_statement_url, tmp_path):
    database_url = whole_statement_url
    rows = [*nodes(5, 1, 2, 6, None, 5), *nodes(None, 11, company=2, first=11)]
    with application(database_url, tmp_path, *NODES, *rows) as app:
        result = go_and_come_back(app, tmp_path, rows=chunk)

        assert result.tables == {"app.companies": 1, "app.nodes": 6}
        assert result.emptied == {}


@settings(
    max_examples=20, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data(), size=st.integers(1, 9), chunk=st.integers(1, 4))
def test_any_tree_goes_in_chunks_of_any_size(data, size, chunk, tmp_path_factory):
    names = data.draw(st.permutations(range(1, size + 1)))
    parents = dict.fromkeys(names)
    for place, name in enumerate(names[1:], start=1):
        parents[name] = data.draw(st.sampled_from([None, *names[:place]]))
    folder = tmp_path_factory.mktemp("tree")
    url = f"sqlite:///{folder / 'app.sqlite'}"
    rows = nodes(*(parents[name] for name in range(1, size + 1)))
    with application(url, folder, *NODES, *rows) as app:
        leave(app, ONE, rows=chunk)

        assert app.rows("SELECT id FROM nodes") == []


def test_a_check_that_lets_a_reference_be_empty_binds_nothing(database_url, tmp_path):
    free = NODES[1].replace("is_top = 1 OR parent_id IS NOT NULL", "parent_id <> id")
    rows = nodes(5, 1, 2, 6, None, 5)
    with application(database_url, tmp_path, NODES[0], free, NODES[2], *rows) as app:
        result = go_and_come_back(app, tmp_path, rows=2)

        assert result.tables == {"app.companies": 1, "app.nodes": 6}
        assert result.emptied["app.nodes"] > 0


def test_rows_in_a_ring_are_let_go_of_where_they_can_be(database_url, tmp_path):
    unchecked = NODES[1].replace(", CHECK (is_top = 1 OR parent_id IS NOT NULL)", "")
    rows = [*nodes(None, 1), "UPDATE nodes SET parent_id = 2 WHERE id = 1"]
    run(database_url, NODES[0], unchecked, NODES[2], *rows)
    with application(database_url, tmp_path) as app:
        leave(app, ONE, rows=1)

        assert app.rows("SELECT id FROM nodes") == []
