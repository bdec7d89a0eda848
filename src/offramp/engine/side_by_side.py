"""Calls that are made side by side, on a few threads of this process.

For work that mostly waits for somebody else's answer, or that leaves the interpreter. Whoever takes
the results keeps the only pen: nothing of ours is written on these threads.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Result = TypeVar("Result")


def side_by_side(calls: Iterable[Callable[[], Result]], *, at_once: int) -> Iterator[Result]:
    """Make so many calls at once, and give what they return as it comes.

    A call is asked for only when a thread is free for it, and always by the caller's own thread;
    one at a time is made there as well. The first error is raised when everything that had begun
    has ended, and what that returned was given.
    """
    if at_once == 1:
        for call in calls:
            yield call()
        return
    source, running = iter(calls), set[Future[Result]]()
    with ThreadPoolExecutor(at_once) as pool:
        error: BaseException | None = None
        while True:
            if error is None:
                free = at_once - len(running)
                running |= {pool.submit(call) for call in islice(source, free)}
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                error = error or each.exception()
            yield from (each.result() for each in done if each.exception() is None)
    if error is not None:
        raise error
