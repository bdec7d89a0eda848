"""The flow that asks what other organizations notice: each phase while they are at work.

Every phase lasts long enough for the slowest hundredth to mean something. Reading is repeated;
hashing and deleting go on to the next organizations of the database.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from benchmarks.flow import Flow, Place, Step
from benchmarks.load import FIRST_SMALL, LARGE
from benchmarks.server import clone, connect
from benchmarks.traffic import Traffic, traffic, write_script
from benchmarks.work import Work, open_work
from offramp.data.scope import Scope

WARMING_SECONDS = 1.0
PHASES = ("export", "proof", "hash", "delete", "verify")
_SHORTEST = 20.0  # milliseconds that everybody may wait, however fast an idle server is
_IDLE_TIMES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A copy of the database, two ways of erasing, and others who work there."""

    place: Place
    url: str
    hashing: Work
    deleting: Work
    traffic: Traffic
    folder: Path

    def run(self) -> None:
        """Go through the phases, one after the other."""
        sleep(WARMING_SECONDS)
        self._phase("idle", cycle([lambda: sleep(self.place.phase_seconds)]))
        work = self.deleting
        self._phase("export", cycle([lambda: work.export(self.folder)]))
        self._phase("proof", cycle([work.digest]))
        tombstone = work.prepare()
        deletions = _one_by_one(self.deleting)
        self._phase("hash", iter(_one_by_one(self.hashing)))
        self._phase("delete", iter(deletions))
        self._phase("verify", cycle([lambda: work.verify(tombstone)]))
        samples = self.place.samples
        idle = samples.numbers["p99 idle"][-1]
        samples.note("p99 allowed", max(_SHORTEST, _IDLE_TIMES * idle))

    def _phase(self, name: str, parts: Iterator[Callable[[], object]]) -> None:
        """Do part after part until the phase has lasted long enough, and ask the others."""
        began, until = self.traffic.now(), monotonic() + self.place.phase_seconds
        for part in parts:
            part()
            if monotonic() >= until:
                break
        waits = self.traffic.between(began, self.traffic.now())
        self.place.samples.note(f"p50 {name}", waits.middle)
        self.place.samples.note(f"p99 {name}", waits.p99)
        self.place.samples.note(f"max {name}", waits.longest)


def _one_by_one(work: Work) -> list[Callable[[], object]]:
    """Erase the large organization, and then those that are smaller but not at work.

    Their rows are counted before, as those of every organization are by then.
    """
    ones = [
        replace(work, scope=Scope(organization=str(each))) for each in range(LARGE, FIRST_SMALL)
    ]
    return [partial(one.erase, one.prepare()) for one in ones]


@contextmanager
def _ground(place: Place) -> Iterator[Ground]:
    with (
        TemporaryDirectory(dir=place.folder) as folder,
        clone(place.base_url, place.template) as url,
        open_work(url, store_url=place.base_url, keeps_everything=True) as hashing,
        open_work(url, store_url=place.base_url) as deleting,
    ):
        with connect(url) as connection:
            write_script(connection, Path(folder) / "script.sql")
        with traffic(url, Path(folder)) as others:
            yield Ground(
                place=place,
                url=url,
                hashing=hashing,
                deleting=deleting,
                traffic=others,
                folder=place.folder,
            )


FLOWS = (
    Flow(
        ground=_ground,
        steps=(Step(run=Ground.run, gives=("p99 allowed", *(f"p99 {phase}" for phase in PHASES))),),
    ),
)
