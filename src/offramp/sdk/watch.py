"""Hearing of changes at once: a question that is answered when something has changed.

A thread says what is at hand, waits for the answer, and has fetched what is not true any more. It
adds nothing but speed: whatever happens to it, snapshots are asked for anew when they get old.

Source: docs/sdk.md; docs/decisions/034-revisions.md.
"""

import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import Event, Thread
from typing import Protocol

from offramp.core.errors import OfframpError
from offramp.sdk.transport import Answer, OfframpSilent

RETRY_SECONDS = 5  # after a question that was not answered
PAUSE_SECONDS = 1  # after one that was
WATCHED_MAX = 500  # organizations, those that were asked about last

_log = logging.getLogger("offramp.sdk")


class Changes(Protocol):
    """Asks which of several revisions are not true any more, and waits until one is not."""

    def __call__(self, revisions: Mapping[str, str], /) -> Answer:
        """Ask (`OfframpSilent`)."""


class Watch:
    """The thread that waits; it ends with the process, or when it is told to."""

    def __init__(
        self,
        ask: Changes,
        *,
        held: Callable[[], Mapping[str, str]],
        fetch: Callable[[str], bool],
        retry_seconds: float = RETRY_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """Begin to wait.

        Args:
            ask: asks what has changed.
            held: gives the revisions at hand.
            fetch: has the snapshot of an organization fetched; says whether that went well.
            retry_seconds: the pause after what went wrong.
            pause_seconds: the pause after every other answer.
        """
        self._ask = ask
        self._held = held
        self._fetch = fetch
        self._retry_seconds = retry_seconds
        self._pause_seconds = pause_seconds
        self._is_over = Event()
        self._thread = Thread(target=self._run, name="offramp-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for no more changes."""
        self._is_over.set()

    def _run(self) -> None:
        seconds: float = 0
        while not self._is_over.wait(seconds):
            seconds = self._pause_seconds if self._look() else self._retry_seconds

    def _look(self) -> bool:
        """Wait for one answer and act on it; false where something went wrong."""
        held = self._held()
        if not held:
            return True
        try:
            changed = _changed(self._ask(held))
        except OfframpError as error:
            _log.warning("waiting for changes: %s", error)
            return False
        return all([self._fetch(each) for each in changed if each in held])


def _changed(answer: Answer) -> list[str]:
    if answer.status != HTTPStatus.OK:
        raise OfframpSilent(reason=f"it answered {answer.status}")
    try:
        document = json.loads(answer.body)
    except ValueError as error:
        raise OfframpSilent(reason="the answer cannot be read") from error
    found = document.get("organizations") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise OfframpSilent(reason="the answer cannot be read")
    return [each for each in found if isinstance(each, str)]
