"""Processes that are really killed, by SIGKILL, in the middle of an export, erasure or restore.

Started by ``test_kill.py``: ``python -m tests.integration.data.doomed``. Everything is imported
once; each line of JSON that comes in is one piece of work, done in a process of its own that is
forked for it, and answered with one line. When it dies is said in one of three ways: at a point
(before or after a statement, a commit, a write to a file, a change in a folder), at a boundary of
a chunk, or by a clock from outside.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from whenever import Instant

from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.vault_folder import FolderVault
from offramp.data.erasure.job import Job, run
from offramp.data.handover.export import export
from offramp.data.proof.certificate import sign_certificate
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.restore import restore
from offramp.data.sources.sql import open_sources
from tests.integration.data.school import COMPANY, no_progress, school_map

NOW = Instant.from_utc(2024, 9, 22)
DOCUMENT, CERTIFICATE = "out.json", "certificate.json"
CHUNK_ROWS_MAX = 3  # a table of more goes in chunks, of which the first has one row
SEED = bytes(32)
FILE_DEEDS = ("open", "os.rename", "os.remove", "os.link", "os.mkdir")


@dataclass(kw_only=True)
class Death:
    """Counts the moments at which a process can die, and dies at one of them."""

    at_point: int | None = None
    at_boundary: int | None = None
    points: int = 0
    boundaries: int = 0

    def point(self, *_):
        self.points += 1
        if self.points == self.at_point:
            os.kill(os.getpid(), signal.SIGKILL)

    def boundary(self):
        self.boundaries += 1
        if self.boundaries == self.at_boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine):
        """Count around every statement, and around what keeps it."""
        for moment in ("before_cursor_execute", "after_cursor_execute", "commit", "rollback"):
            sa.event.listen(engine, moment, self.point)
        sys.addaudithook(lambda name, _: self.point() if name in FILE_DEEDS else None)


@dataclass(frozen=True, kw_only=True)
class FolderDesk:
    """Keeps the proofs of one erasure in a folder, and dies at the boundaries of its chunks."""

    folder: Path
    death: Death
    counts: dict = field(default_factory=dict)

    @property
    def vault(self):
        return FolderVault(self.folder / "vault")

    @property
    def keys(self):
        return FolderKeys(self.folder / "keys")

    def now(self):
        return NOW

    def probe(self, _point):
        self.death.point()

    def read(self, proof, model):
        if self.vault.size(f"{proof}.json") is None:
            return None
        with self.vault.read(f"{proof}.json") as source:
            return model.model_validate_json(source.read())

    def write(self, proof, value):
        with self.vault.write(f"{proof}.json") as sink:
            sink.write(value.model_dump_json().encode())

    def key(self):
        return self.keys.organization_key(COMPANY.organization)

    def destroy_key(self):
        self.keys.destroy(COMPANY.organization)
        return True

    def erased_rows(self):
        return self.counts

    def fence(self):
        return self

    @contextmanager
    def chunk(self, _table):
        self.death.boundary()
        yield self
        self.death.boundary()

    def keep(self):
        self.death.boundary()

    def record(self, *, rows, table=None):
        self.death.boundary()

    def require_handed_over(self, _digests):
        return ()

    def facts(self):
        return {}

    def is_certified(self):
        return self.vault.size(CERTIFICATE) is not None

    def certify(self, content):
        with self.vault.write(CERTIFICATE) as sink:
            sink.write(sign_certificate(content, private_key=self.keys.signing_key()))


def hand_over(datamap, sources, folder, death, **_):
    with FolderVault(folder / "vault").write(DOCUMENT) as sink:
        plain, sink.write = sink.write, lambda content: (death.point(), plain(content))[1]
        export(
            datamap,
            sources,
            COMPANY,
            sink,
            header={},
            taken_at=NOW,
            progress=lambda _table, _rows: death.point(),
        )


def erase(datamap, sources, folder, death, *, rows_max=CHUNK_ROWS_MAX):
    run(
        Job(
            datamap=datamap,
            sources=sources,
            scope=COMPANY,
            desk=FolderDesk(folder=folder, death=death),
            elapsed=time.monotonic,
            pause=time.sleep,
            progress=no_progress,
            chunk_rows_max=rows_max,
        )
    )


def take_back(datamap, sources, folder, death, **_):
    with open_document(folder / "vault" / DOCUMENT) as document:
        restore(datamap, sources, document, seed=SEED, progress=lambda *_: death.point())


WORKS = {"export": hand_over, "erase": erase, "restore": take_back}


def do(order, say):
    """Do one piece of work in this process, and say how far it came."""
    death = Death(at_point=order.get("at_point"), at_boundary=order.get("at_boundary"))
    datamap = school_map(order["url"])
    sources = open_sources(datamap, environment={})
    death.watch(sources["app"].engine)
    os.write(say, b"begun\n")
    began = time.monotonic()
    WORKS[order["work"]](datamap, sources, Path(order["folder"]), death, **order.get("limits", {}))
    seconds = time.monotonic() - began
    sources["app"].close()
    told = {
        "points": death.points,
        "boundaries": death.boundaries,
        "seconds": seconds,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    os.write(say, json.dumps(told).encode())


def answer(order):
    """Let a child do the work, kill it when its time has come, and say what became of it."""
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        try:
            do(order, say)
        except BaseException:  # noqa: BLE001 - whatever it was, the parent tells it
            os.write(say, json.dumps({"error": traceback.format_exc()}).encode())
        os._exit(0)
    os.close(say)
    with os.fdopen(hear) as said:
        said.readline()
        if "after_seconds" in order:
            time.sleep(order["after_seconds"])
            os.kill(child, signal.SIGKILL)
        told = said.read()
    _, status = os.waitpid(child, 0)
    is_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"is_killed": is_killed, **json.loads(told or "{}")}


def main():
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
