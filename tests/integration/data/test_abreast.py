"""Questions about one snapshot are asked two at a time, where the database lets two read it."""

from contextlib import closing, contextmanager
from threading import Barrier, Event, get_ident

import pytest
import sqlalchemy as sa

from offramp.core.errors import OfframpError
from offramp.data.sources.abreast import ask_abreast, stream_ahead
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


def test_an_answer_begins_while_the_one_before_is_read(shop):
    source, begun = shop.sources["app"], Event()

    @contextmanager
    def ask(_connection, question):
        if question == 1:
            begun.set()
        yield iter([b"first", b"second"])

    with (
        source.snapshot() as connection,
        closing(stream_ahead(source, connection, [0, 1], ask)) as answers,
    ):
        first = next(answers)
        assert begun.wait(SECONDS_MAX)
        assert list(first) == [b"first", b"second"]
        assert list(next(answers)) == [b"first", b"second"]


def test_answers_come_in_their_order_and_read_the_same_state(shop):
    source = shop.sources["app"]

    @contextmanager
    def ask(connection, question):
        yield iter([b"%d of %d" % (question, count(connection, question))])

    with source.snapshot() as connection:
        before = count(connection, 0)
        run(shop.url, "INSERT INTO companies VALUES (7)")
        with closing(stream_ahead(source, connection, range(5), ask)) as answers:
            texts = [b"".join(answer) for answer in answers]

    assert texts == [b"%d of %d" % (question, before) for question in range(5)]


def test_every_answer_that_has_begun_ends_with_whoever_reads(shop):
    source, ended = shop.sources["app"], []

    @contextmanager
    def ask(_connection, question):
        try:
            yield iter([b"first", b"second"])
        finally:
            ended.append(question)

    with (
        source.snapshot() as connection,
        closing(stream_ahead(source, connection, range(9), ask)) as answers,
    ):
        assert next(next(answers)) == b"first"

    assert sorted(ended) == [0, 1]


def test_an_answer_that_fails_to_begin_is_told_when_its_turn_comes(shop):
    source = shop.sources["app"]

    @contextmanager
    def ask(connection, question):
        text = "SELECT 1 / 0" if question == 1 else "SELECT 1"
        connection.execute(sa.text(text))
        yield iter([b"first"])

    with (
        source.snapshot() as connection,
        closing(stream_ahead(source, connection, range(9), ask)) as answers,
    ):
        assert list(next(answers)) == [b"first"]
        with pytest.raises((OfframpError, sa.exc.DataError)):
            next(answers)
