"""Questions about one snapshot are asked two at a time, where the database lets two read it."""

from threading import Barrier, get_ident

import pytest
import sqlalchemy as sa

from offramp.core.errors import OfframpError
from offramp.data.sources.abreast import ask_abreast
from tests.integration.data.application import run
from tests.integration.data.school import COMPANY
from tests.integration.data.test_erase import bury
from tests.integration.data.test_verify import look
from tests.integration.data.trusting import COMPANIES, built, opened

COUNT = sa.text("SELECT count(*) FROM companies")
SECONDS_MAX = 30


@pytest.fixture
def shop(postgres_url):
    with built(postgres_url, COMPANIES, rules={"app.companies": {}}, set_checks=False) as shop:
        yield shop


def count(connection, _question):
    return connection.execute(COUNT).scalar_one()


def test_two_are_asked_at_the_same_time_each_once_and_answered_in_their_order(shop):
    source, meeting, threads = shop.sources["app"], Barrier(2), set()

    def ask(_connection, question):
        if question < 2:
            meeting.wait(SECONDS_MAX)  # alone, nobody would ever come
        threads.add(get_ident())
        return question * 10

    with source.snapshot() as connection:
        answers = ask_abreast(source, connection, range(50), ask)

    assert answers == [question * 10 for question in range(50)]
    assert len(threads) == 2


def test_both_read_the_same_state(shop):
    source, meeting = shop.sources["app"], Barrier(2)

    def ask(connection, question):
        meeting.wait(SECONDS_MAX)
        return count(connection, question), connection.connection.driver_connection

    with source.snapshot() as connection:
        before = count(connection, 0)
        run(shop.url, "INSERT INTO companies VALUES (7)")
        (one, here), (other, there) = ask_abreast(source, connection, range(2), ask)

    assert here is not there
    assert (one, other) == (before, before)


def test_whatever_fails_is_told_and_the_rest_is_not_asked(shop):
    source, asked = shop.sources["app"], []

    def ask(connection, question):
        asked.append(question)
        return connection.execute(sa.text("SELECT 1 / 0" if question == 0 else "SELECT 1"))

    with (
        pytest.raises((OfframpError, sa.exc.DataError)),
        source.snapshot() as connection,
    ):
        ask_abreast(source, connection, range(1_000), ask)

    assert len(asked) < 1_000


def test_all_is_asked_on_one_connection_where_there_is_no_second(shop):
    run(
        shop.url,
        "CREATE ROLE lonely LOGIN CONNECTION LIMIT 1",
        "GRANT SELECT ON companies TO lonely",
    )
    lonely = sa.make_url(shop.url).set(username="lonely")
    try:
        with opened(lonely, rules={"app.companies": {}}, set_checks=False) as theirs:
            source = theirs.sources["app"]
            with source.snapshot() as connection:
                answers = ask_abreast(source, connection, range(3), count)
    finally:
        run(shop.url, "DROP OWNED BY lonely", "DROP ROLE lonely")

    assert answers == [0, 0, 0]


def test_a_verification_finds_the_same_as_of_one_table_after_the_other(school, monkeypatch):
    tombstone = bury(school, COMPANY)
    two = look(school, COMPANY, tombstone)
    monkeypatch.setattr(type(school.sources["app"].driver), "share_snapshot", None)

    one = look(school, COMPANY, tombstone)

    assert two == one
    assert sum(one.counts.values()) > 0
    assert list(two.checked) == sorted(two.checked)
