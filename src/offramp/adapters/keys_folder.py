"""Secret keys as files in one private folder. Every key that Offramp keeps itself lives here.

A file is named after the digest of the organization's id, so that a listing of the folder names
no customer. Destroying a key is what makes its hashes unguessable for good, so a destroyed key
leaves a tombstone and is never made again.

Source: lesson L23; NIST SP 800-88 Rev. 2 (cryptographic erase).
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from offramp.adapters.disk import room_for, sync_folder, write_and_sync
from offramp.core.errors import Broken, Refused
from offramp.data.proof.certificate import public_key_of

KEY_BYTES = 32
_DESTROYED = ".destroyed"
_SIGNING = "signing.key"
_RETIRED = ".public"  # a public key that signs no more


class KeyDestroyed(Refused):
    """The key of the organization {organization} was destroyed and is never made again."""


class KeyDamaged(Broken):
    """The key file {file} does not hold {expected_bytes} bytes."""


class FolderKeys:
    """One file per key, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        """Keep the keys in a folder, which is made on first use."""
        self._folder = folder

    def organization_key(self, organization: str) -> bytes:
        """Give the key of an organization, made on first use.

        Raises:
            KeyDestroyed: there was one, and it was destroyed.
        """
        name = _file_name(organization)
        self._refuse_destroyed(organization)
        try:
            return self._read_or_make(name)
        finally:
            # A destruction may have begun after the first look, and missed a key made since.
            if self._is_destroyed(organization):
                self._shred(name)
                self._refuse_destroyed(organization)

    def destroy(self, organization: str) -> bool:
        """Destroy an organization's key in every copy; false when there is none."""
        if not self.has_key(organization):
            return False
        name = _file_name(organization)
        # The tombstone goes first: after a crash in between nobody is given the key any more.
        self._write_new(name + _DESTROYED, b"")
        self._shred(name)
        return True

    def has_key(self, organization: str) -> bool:
        """Whether an organization's key still exists."""
        return (self._folder / _file_name(organization)).exists()

    def ledger_key(self) -> bytes:
        """Give the key that seals the ledger, made on first use."""
        return self._read_or_make("ledger.key")

    def signing_key(self) -> bytes:
        """Give the vendor's private Ed25519 key (any 32 bytes are one), made on first use."""
        return self._read_or_make(_SIGNING)

    def public_keys(self) -> tuple[bytes, ...]:
        """Give the public half of the signing key, then of every one before it, newest first."""
        present = public_key_of(self.signing_key())
        files = sorted(self._folder.glob(f"*{_RETIRED}"), key=_age, reverse=True)
        retired = (self._read(file.name) for file in files)
        # After a crash in a rotation the present key has its file already.
        return (present, *(key for key in retired if key != present))

    def rotate_signing_key(self) -> None:
        """Sign with a new key from now on; of the old one the public half alone is kept."""
        old = public_key_of(self.signing_key())
        # What the old key has signed must be checkable whatever happens next.
        self._write_new(f"signing-{sha256(old).hexdigest()[:16]}{_RETIRED}", old)
        with self._draft(_SIGNING, secrets.token_bytes(KEY_BYTES)) as draft:
            # The old file is overwritten by its own descriptor, for its name is the new one's.
            descriptor = os.open(self._folder / _SIGNING, os.O_WRONLY)
            draft.replace(self._folder / _SIGNING)
            write_and_sync(descriptor, secrets.token_bytes(KEY_BYTES))
        sync_folder(self._folder)

    def destroy_all(self) -> None:
        """Destroy every key that is kept here, the one for signing too."""
        if self._folder.is_dir():
            self._shred("")

    def _is_destroyed(self, organization: str) -> bool:
        return (self._folder / (_file_name(organization) + _DESTROYED)).exists()

    def _refuse_destroyed(self, organization: str) -> None:
        if self._is_destroyed(organization):
            raise KeyDestroyed(
                organization=organization,
                hint="a customer who comes back is a new organization with an id of its own",
            )

    def _read_or_make(self, name: str) -> bytes:
        if not (self._folder / name).exists():
            self._write_new(name, secrets.token_bytes(KEY_BYTES))
        return self._read(name)

    def _read(self, name: str) -> bytes:
        key = (self._folder / name).read_bytes()
        if len(key) != KEY_BYTES:
            raise KeyDamaged(file=name, expected_bytes=KEY_BYTES)
        return key

    def _write_new(self, name: str, content: bytes) -> None:
        """Give a complete file its name, unless another process was faster."""
        with self._draft(name, content) as draft, suppress(FileExistsError):
            # Unlike a rename, a link does not replace the key that somebody else just made.
            os.link(draft, self._folder / name)
        sync_folder(self._folder)

    @contextmanager
    def _draft(self, name: str, content: bytes) -> Iterator[Path]:
        """Write a complete file under a name that nobody looks for, while the block lasts."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        draft = self._folder / f"{name}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with room_for(name):
                write_and_sync(descriptor, content)
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _shred(self, name: str) -> None:
        """Overwrite and remove a key and every draft of it that a crash has left."""
        for file in self._folder.glob(f"{name}*"):
            if file.name.startswith(name + _DESTROYED):
                continue
            # Whoever was told in the middle of a first use shreds too, and may be faster.
            with suppress(FileNotFoundError):
                descriptor = os.open(file, os.O_WRONLY)
                write_and_sync(descriptor, secrets.token_bytes(KEY_BYTES))
                file.unlink()
        sync_folder(self._folder)


def _age(file: Path) -> tuple[int, str]:
    return file.stat().st_mtime_ns, file.name


def _file_name(organization: str) -> str:
    assert organization.strip(), "a key belongs to an organization"
    return sha256(organization.encode()).hexdigest() + ".key"
