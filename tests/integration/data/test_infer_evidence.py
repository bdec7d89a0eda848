"""The rows decide where the catalog leaves a choice: only when they can, and with the reason."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.data.application import application, go_and_come_back, propose, run

COMPANIES = (
    "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
    "CREATE TABLE pools (id INTEGER PRIMARY KEY,"
    " company_id INTEGER NOT NULL REFERENCES companies (id))",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT,"
    " company_id INTEGER NOT NULL REFERENCES companies (id))",
    "INSERT INTO companies VALUES (1), (2)",
    "INSERT INTO pools VALUES (1, 1), (2, 2)",
    "INSERT INTO users VALUES (1, 'a@one.example', 1), (2, 'b@two.example', 2)",
)
SEATS = (
    *COMPANIES,
    "CREATE TABLE seats (id INTEGER PRIMARY KEY, pool_id INTEGER NOT NULL REFERENCES pools (id),"
    " user_id INTEGER NOT NULL REFERENCES users (id))",
)
TICKETS = (
    *COMPANIES,
    "CREATE TABLE tickets (id INTEGER PRIMARY KEY, company_id INTEGER REFERENCES companies (id),"
    " user_id INTEGER REFERENCES users (id))",
)
ADDRESSES = (
    *COMPANIES,
    "CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id),"
    " address_id INTEGER REFERENCES addresses (id))",
    "CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT,"
    " address_id INTEGER NOT NULL REFERENCES addresses (id))",
)


def value(number):
    return "NULL" if number is None else str(number)


def rows(table, *lines):
    """Insert rows that are numbered from 1."""
    return [
        f"INSERT INTO {table} VALUES ({number}, {', '.join(map(value, line))})"
        for number, line in enumerate(lines, start=1)
    ]


def test_ways_that_agree_in_every_row_are_decided_with_the_number_of_rows(database_url, tmp_path):
    seats = rows("seats", *[(1, 1), (2, 2)] * 6)
    with application(database_url, tmp_path, *SEATS, *seats) as app:
        assert app.undecided == {}
        assert app.tables["seats"].via == ("pool_id",)
        assert any("agree in all 12 rows" in reason for reason in app.tables["seats"].reasons)
        assert app.errors() == set()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([(1, 1), (2, 2)] * 6 + [(1, 2)], "they differ in 1 of 13 rows"),
        ([(1, 1)] * 20, "20 rows of 1 organizations are too few to tell"),
        ([(1, 1), (2, 2)] * 4, "8 rows of 2 organizations are too few to tell"),
        ([], "0 rows of 0 organizations are too few to tell"),
    ],
)
def test_rows_that_cannot_tell_decide_nothing(lines, problem, database_url):
    run(database_url, *SEATS, *rows("seats", *lines))

    proposal = propose(database_url)

    (undecided,) = proposal.undecided
    assert (undecided.subject, problem in undecided.problem) == ("seats", True), undecided.problem
    assert not {table.name: table for table in proposal.tables}["seats"].is_decided


@pytest.mark.parametrize(
    ("lines", "via", "also"),
    [
        ([(1, None), (None, 1), (2, None), (None, 2)] * 3, ("company_id",), (("user_id",),)),
        ([(1, 1), (1, None), (2, 2)] * 4, ("company_id",), ()),
        ([(1, 1), (None, 1), (2, 2)] * 4, ("user_id",), ()),
        ([(1, 1), (None, None), (2, 2)] * 5, ("company_id",), ()),
    ],
)
def test_as_many_ways_as_find_every_row_are_taken(lines, via, also, database_url):
    run(database_url, *TICKETS, *rows("tickets", *lines))

    proposal = propose(database_url)

    tickets = {table.name: table for table in proposal.tables}["tickets"]
    assert (tickets.via, tickets.also, tickets.is_decided) == (via, also, True)


def test_what_one_row_names_each_is_owned_by_it(database_url, tmp_path):
    """And what hangs on it leads to the root over it."""
    data = [
        *[f"INSERT INTO addresses VALUES ({n}, 'street {n}')" for n in range(1, 15)],
        *rows("orders", *[(1 + n % 2, n) for n in range(1, 13)]),
        *[f"INSERT INTO remarks VALUES ({n}, 'x', {n})" for n in range(1, 8)],
    ]
    with application(database_url, tmp_path, *ADDRESSES, *data) as app:
        addresses = app.tables["addresses"]
        assert app.undecided == {}
        assert addresses.owned_by == ("orders.address_id",)
        assert "rows: 12 of 14 are named by one row each, none by two" in addresses.reasons
        assert app.tables["remarks"].via == ("address_id",)
        assert app.errors() == set()
        result = go_and_come_back(app, tmp_path, rows=2)
        assert (result.tables["app.addresses"], result.tables["app.remarks"]) == (6, 3)


def test_what_several_organizations_name_belongs_to_none_of_them(database_url):
    data = [
        *[f"INSERT INTO addresses VALUES ({n}, 'street {n}')" for n in range(1, 15)],
        *rows("orders", (1, 1), (2, 1), (1, 2)),
    ]
    run(database_url, *ADDRESSES, *data)

    proposal = propose(database_url)

    addresses = {table.name: table for table in proposal.tables}["addresses"]
    assert "1 of 14 are named by several organizations" in addresses.shared


@pytest.mark.parametrize(
    "orders",
    [
        [(1 + n % 2, n) for n in range(1, 13)] + [(1, 2)],
        [(1, n) for n in range(1, 13)],
        [(1 + n % 2, n) for n in range(1, 5)],
    ],
    ids=["one is named twice", "of one organization only", "too few"],
)
def test_who_owns_rows_is_not_guessed(orders, database_url):
    data = [f"INSERT INTO addresses VALUES ({n}, 'street {n}')" for n in range(1, 15)]
    run(database_url, *ADDRESSES, *data, *rows("orders", *orders))

    proposal = propose(database_url)

    undecided = {each.subject: each.hint for each in proposal.undecided}
    assert "`owned_by` orders.address_id" in undecided["addresses"]


numbers = st.one_of(st.none(), st.integers(1, 2))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],
)
@given(lines=st.lists(st.tuples(numbers, numbers), min_size=10, max_size=30))
def test_whatever_the_rows_say_a_decision_finds_all_of_them_and_contradicts_none(
    lines, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("rows")
    url = f"sqlite:///{folder / 'app.sqlite'}"
    run(url, *TICKETS, *rows("tickets", *lines))

    tickets = {table.name: table for table in propose(url).tables}["tickets"]

    led = [(one, two) for one, two in lines if one or two]
    differs = any(one and two and one != two for one, two in led)
    is_telling = len(led) >= 10 and len({one or two for one, two in led}) == 2
    assert tickets.is_decided == (is_telling and not differs)
    if tickets.is_decided:
        chosen = {column for way in (tickets.via, *tickets.also) for column in way}
        for line in led:
            named = dict(zip(("company_id", "user_id"), line, strict=True))
            assert any(named[column] for column in chosen)
