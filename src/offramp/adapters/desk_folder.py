"""An erasure without an installation: everything that outlives a crash lies in one private folder.

The folder stands beside the certificate and holds the organization's key, the proofs, and the
counts of every chunk. It is there from the first moment of an erasure until its certificate is;
then its keys are overwritten and it is removed, so that what stays is the certificate alone.

Source: docs/data-engine.md; lessons L23, L28, L32.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from whenever import Instant

from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.vault_folder import FolderVault
from offramp.core.errors import Missing, Refused
from offramp.data.erasure.fence import ChunkRecord, Fence
from offramp.data.handover.hand_over import HandedOver, require_equal
from offramp.data.manifest import Manifest, TableDigest
from offramp.data.proof.certificate import public_key_of, sign_certificate
from offramp.data.proof.signing_key import write_public_key
from offramp.data.scope import Scope, described

_Proof = TypeVar("_Proof", bound=BaseModel)


class SubjectMissing(Missing):
    """There is not one row of {subject}, so there is nothing that could be certified."""


class DeskTaken(Refused):
    """The folder {folder} holds the unfinished erasure of somebody else."""


class CertificateTaken(Refused):
    """The file {file} is there already and is no certificate of this erasure."""


class Assignment(BaseModel):
    """What a folder was opened for; nothing else is ever done in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    organization: str
    member: str | None
    replay_of: str | None


class Counts(BaseModel):
    """How many rows all runs have changed so far, per table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody says of an erasure beside whose rows go."""

    version: str
    export: Manifest | None = None  # none where it was said that nothing is compared
    export_file: str = ""
    signing_key: bytes | None = None  # none to make one for this certificate alone
    replay_of: str | None = None  # SHA-256 of the certificate whose erasure is done again


@dataclass(kw_only=True)
class FolderDesk:
    """One erasure, kept in the folder ``CERTIFICATE.work`` until it is certified."""

    certificate: Path
    scope: Scope
    given: Given
    clock: Callable[[], Instant]
    guard: Callable[[], AbstractContextManager[None]] = nullcontext  # around every chunk
    on_point: Callable[[str], None] = field(default=lambda _point: None)
    _counts: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        """Open the folder, or go on in it.

        Raises:
            DeskTaken: it is at work on another erasure.
            CertificateTaken: the certificate would replace something else.
        """
        self._require_own_certificate()
        assignment = Assignment(
            organization=self.scope.organization,
            member=self.scope.member,
            replay_of=self.given.replay_of,
        )
        found = self.read("assignment", Assignment)
        if found is None and not self.is_certified():
            self.write("assignment", assignment)
        elif found is not None and found != assignment:
            raise DeskTaken(folder=str(self.folder), hint="name another certificate")
        counts = self.read("counts", Counts) or Counts()
        self._counts = Counter(counts.rows)

    @property
    def folder(self) -> Path:
        """The private folder; it is gone once the certificate is there."""
        return self.certificate.with_name(f"{self.certificate.name}.work")

    def now(self) -> Instant:
        """Give the present instant."""
        return self.clock()

    def probe(self, point: str) -> None:
        """Hear of a point at which the process may die."""
        self.on_point(point)

    def read(self, proof: str, model: type[_Proof]) -> _Proof | None:
        """Read a proof back; none while it is not there, whole."""
        if self._vault.size(f"{proof}.json") is None:
            return None
        with self._vault.read(f"{proof}.json") as source:
            return model.model_validate_json(source.read())

    def write(self, proof: str, value: BaseModel) -> None:
        """Keep a proof; it exists whole or not at all."""
        with self._vault.write(f"{proof}.json") as sink:
            sink.write(json.dumps(value.model_dump(mode="json"), sort_keys=True).encode())

    def key(self) -> bytes:
        """Give the key of this erasure's hashes, made on first use."""
        return self._keys.organization_key(self.scope.organization)

    def destroy_key(self) -> bool:
        """Destroy the key in every copy; it belongs to this erasure alone."""
        self._keys.destroy(self.scope.organization)
        return True

    def erased_rows(self) -> Mapping[str, int]:
        """Give the rows that all runs have counted, per table."""
        return dict(self._counts)

    def fence(self) -> Fence:
        """Give what every chunk is wrapped in."""
        return _FolderFence(desk=self)

    def require_handed_over(self, digests: Mapping[str, TableDigest]) -> tuple[HandedOver, ...]:
        """Hold the export against the live rows, if there is to be one.

        Raises:
            SubjectMissing: there are no rows at all.
            ExportOfAnother, ChangedSinceExport: they are not what was handed over.
        """
        if not any(table.rows for table in digests.values()):
            hint = "is the id right, and has it been erased already?"
            raise SubjectMissing(subject=described(self.scope), hint=hint)
        if self.given.export is None:
            return ()
        return (
            require_equal(
                self.given.export,
                digests,
                self.scope,
                file=self.given.export_file,
                compared_at=self.now(),
            ),
        )

    def facts(self) -> Mapping[str, Any]:
        """Say, for the certificate, what this erasure belongs to."""
        original = self.given.replay_of
        again = {"certificate": "replay", "replay_of": original} if original else {}
        kind = "organization" if self.scope.member is None else "member"
        return {"offramp": self.given.version, "subject": kind, **again}

    def is_certified(self) -> bool:
        """Say whether the certificate is there."""
        return self.certificate.exists()

    def certify(self, content: Mapping[str, Any]) -> None:
        """Sign the certificate; where its key is its own, the public half is written first."""
        private_key = self.given.signing_key or self._keys.signing_key()
        beside = FolderVault(self.certificate.parent)
        if self.given.signing_key is None:
            with beside.write(public_key_file(self.certificate).name) as sink:
                sink.write(write_public_key(public_key_of(private_key)))
        with beside.write(self.certificate.name) as sink:
            sink.write(sign_certificate(content, private_key=private_key))

    def close(self) -> None:
        """Destroy every key that is left and remove the folder, once the certificate is there."""
        assert self.is_certified(), "the folder is all there is of an unfinished erasure"
        self._keys.destroy_all()
        FolderVault(self.folder.parent).delete(self.folder.name)

    def count(self, rows: Mapping[str, int]) -> None:
        """Add the rows of a chunk, table by table, to what was counted before."""
        self._counts.update(rows)
        self.write("counts", Counts(rows=self._counts))

    @property
    def _vault(self) -> FolderVault:
        return FolderVault(self.folder)

    @property
    def _keys(self) -> FolderKeys:
        return FolderKeys(self.folder / "keys")

    def _require_own_certificate(self) -> None:
        if not self.certificate.exists():
            return
        try:
            content = json.loads(self.certificate.read_bytes())["certificate"]
            found = (content["organization"], content["member"], content.get("replay_of"))
        except (OSError, ValueError, KeyError, TypeError):
            found = None
        if found != (self.scope.organization, self.scope.member, self.given.replay_of):
            raise CertificateTaken(file=str(self.certificate), hint="name another file")


def public_key_file(certificate: Path) -> Path:
    """Say where the public key of a certificate with a key of its own is written."""
    return certificate.with_name(f"{certificate.name}.pub")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FolderFence:
    desk: FolderDesk

    @contextmanager
    def chunk(self, table: str) -> Iterator[ChunkRecord]:
        recorder = _Recorder(table=table)
        with self.desk.guard():
            self.desk.probe("chunk fenced")
            yield recorder
            self.desk.probe("chunk committed")
        self.desk.count(recorder.rows)
        self.desk.probe("chunk recorded")


@dataclass(slots=True, kw_only=True)
class _Recorder:
    table: str
    rows: Counter[str] = field(default_factory=Counter)

    def keep(self) -> None:
        """Hold: nobody else has this folder while the work goes on."""

    def record(self, *, rows: int, table: str | None = None) -> None:
        self.rows[table or self.table] += rows
