"""Waiting for what other threads and processes do, and failing when they do not."""

import time
from concurrent.futures import ThreadPoolExecutor

SECONDS_MAX = 30.0


def eventually(is_so, *, seconds=SECONDS_MAX):
    """Look again and again until something is so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := is_so():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to that in time")


def in_threads(*works):
    """Do several things at once and collect what each gives."""
    with ThreadPoolExecutor(len(works)) as pool:
        begun = [pool.submit(work) for work in works]
        return [each.result(SECONDS_MAX) for each in begun]
