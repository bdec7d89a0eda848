"""Calls that are made side by side, on a few threads of this process.

For work that mostly waits for somebody else's answer, or that leaves the interpreter. Whoever takes
the results keeps the only pen: nothing of ours is written on these threads.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

# How long a thread that computes keeps those waiting that have an answer. The default is 5 ms,
# which a mail would wait for at each of its replies.
TURN_SECONDS_MAX = 0.0005

Result = TypeVar("Result")
Call = Callable[[], Result]
More = Callable[[], Iterable[Call[Result]]]


def side_by_side(more: More[Result], *, at_once: int) -> Iterator[Result]:
    """Make so many calls at once, and give what they return as it comes.

    More calls are asked for by the caller's own thread, at first and after each result, until
    there are none and all have returned; they wait for a free thread. One at a time is made by the
    caller's thread as well. After an error no further call is made; it is raised when what had
    begun has ended, and what that returned was given.
    """
    return _one_by_one(more) if at_once == 1 else _on_threads(more, at_once=at_once)


def _one_by_one(more: More[Result]) -> Iterator[Result]:
    waiting = deque(more())
    while waiting:
        yield waiting.popleft()()
        waiting.extend(more())


def _on_threads(more: More[Result], *, at_once: int) -> Iterator[Result]:
    """The threads of this process take shorter turns from then on."""
    sys.setswitchinterval(min(sys.getswitchinterval(), TURN_SECONDS_MAX))
    ended, running = SimpleQueue[Future[Result]](), set[Future[Result]]()
    pool = ThreadPoolExecutor(at_once)
    try:
        while True:
            for call in more():
                future = pool.submit(call)
                running.add(future)
                future.add_done_callback(ended.put)
            if not running:
                return
            future = ended.get()
            running.remove(future)
            error = future.exception()
            if error is not None:
                pool.shutdown(cancel_futures=True)
                yield from (each.result() for each in running if _has_returned(each))
                raise error
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _has_returned(future: Future[Result]) -> bool:
    return not future.cancelled() and future.exception() is None
