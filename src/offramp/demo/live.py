"""A play with the console open: its clock stands still until somebody moves it on.

The engine does what falls due. People of the story leave it to whoever looks on to renew, extend
or hold; all that happens by itself is that one mailbox refuses its mail for a while.

Source: docs/index.md, "Watch it"; lesson L6.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from fastapi import FastAPI
from whenever import Instant

from offramp.adapters.passwords_argon2 import Argon2Passwords
from offramp.core.dates import Period, effect, shift
from offramp.demo.play import ZONE, Play, Scene, perform
from offramp.demo.show import prepared
from offramp.demo.stage import lose_a_mailbox, opened
from offramp.demo.story import Tell
from offramp.demo.vendor import TRAINING, Vendor
from offramp.engine.operators import Invitation, invite_first
from offramp.ports import Passwords
from offramp.web.address import open_listener, url_of
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.serving import serve
from offramp.web.console.routes import include_console


@dataclass(slots=True, kw_only=True)
class PlayMachine:
    """Moves the clock of a play, one move after the other."""

    play: Play
    scenes: Sequence[Scene]
    _turn: Lock = field(default_factory=Lock)

    def advance(self, days: int) -> None:
        """Move on by so many days."""
        with self._turn:
            until = shift(self.play.now, Period(days=days), zone=ZONE)
            self._go_on(until=effect(until, zone=ZONE))

    def advance_to_next(self) -> None:
        """Move on to the next instant at which something falls due, or somebody does something."""
        with self._turn:
            with self.play.context.store.reading() as transaction:
                due_at = transaction.next_due_at()
            coming = [scene.at for scene in self.scenes] + ([due_at] if due_at else [])
            if coming:
                self._go_on(until=max(min(coming), self.play.now))

    def _go_on(self, *, until: Instant) -> None:
        acted = [scene for scene in self.scenes if scene.at <= until]
        self.scenes = [scene for scene in self.scenes if scene.at > until]
        perform(self.play, acted, until=until)


def serve_demo(
    out: Path,
    *,
    server: str | None,
    vendor: Vendor,
    listen: str,
    tell: Tell,
    announce: Callable[[str, Invitation], None],
    stopping: Callable[[], None],
) -> None:
    """Open the console on a play that has not begun, until stopped.

    Args:
        announce: hears where it listens, and of the way in.
        stopping: hears of an interrupt or a termination, which has to be listened for.

    Raises:
        FolderNotOurs, SamplesMissing, SampleFailed, DatabaseUnfit, StoreUnavailable: as `show`.
        ListenAddressInvalid, ListenAddressUnavailable: it cannot listen there.
    """
    with (
        prepared(out, server=server, vendors=(vendor,)) as (_, (stage,)),
        opened(stage, tell=tell) as (play, post),
        open_listener(listen) as listener,
    ):
        scenes = (lose_a_mailbox(play, post),) if vendor is TRAINING else ()
        app = live_app(play, scenes, passwords=Argon2Passwords())
        invitation = invite_first(play.context)
        assert invitation is not None, "nobody works in a new demo"
        announce(url_of(listener), invitation)
        serve(app, listener, stopping=stopping)


def live_app(play: Play, scenes: Sequence[Scene], *, passwords: Passwords) -> FastAPI:
    """Make the application whose console moves the clock."""
    app = create_app(play.context, access_keys=AccessKeys())
    machine = PlayMachine(play=play, scenes=scenes)
    include_console(app, play.context, passwords, machine=machine)
    return app
