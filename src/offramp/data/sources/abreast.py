"""Questions about one snapshot that do not depend on one another, asked two at a time.

The law: each question is asked once, by one thread on a connection of its own, and both connections
read the same state. The second one is a courtesy: where the database gives none, or cannot let two
read one state, all is asked on the first. What goes wrong is told when no question is under way.

Source: PostgreSQL, "Snapshot Synchronization Functions".
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TypeVar

import sqlalchemy as sa

from offramp.core.errors import OfframpError
from offramp.data.sources.sql import SqlSource

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def ask_abreast(
    source: SqlSource,
    connection: sa.Connection,
    questions: Iterable[Question],
    ask: Callable[[sa.Connection, Question], Answer],
) -> list[Answer]:
    """Ask every question, and give the answers in their order.

    Args:
        source: which database; it is asked for a second connection.
        connection: the one that reads the snapshot.
        questions: whatever tells one from another.
        ask: asks one of them on a connection, in any thread.
    """
    waiting = deque(enumerate(questions))
    answers: dict[int, Answer] = {}

    def ask_on(connection: sa.Connection) -> None:
        try:
            for place, question in _taken(waiting):
                answers[place] = ask(connection, question)
        finally:
            waiting.clear()  # the other one stops as well, where this one has failed

    with ExitStack() as stack:
        second = _beside(source, connection, stack) if len(waiting) > 1 else None
        if second is None:
            ask_on(connection)
        else:
            pool = stack.enter_context(ThreadPoolExecutor(max_workers=1))
            beside = pool.submit(ask_on, second)
            ask_on(connection)
            beside.result()
    return [answers[place] for place in sorted(answers)]


def _beside(source: SqlSource, connection: sa.Connection, stack: ExitStack) -> sa.Connection | None:
    share = source.driver.share_snapshot
    if share is None:
        return None
    with suppress(OfframpError), ExitStack() as trial:
        second = trial.enter_context(source.snapshot())
        share(connection, second)
        stack.push(trial.pop_all())
        return second
    return None


def _taken(waiting: deque[tuple[int, Question]]) -> Iterator[tuple[int, Question]]:
    """Take one after the other; what two threads take from a deque is never the same."""
    while True:
        try:
            taken = waiting.popleft()
        except IndexError:
            return
        yield taken
