"""Keys that are the same in every run, so that digests in tests can be written down."""

from hashlib import sha256

from offramp.adapters.keys_folder import KeyDestroyed
from offramp.data.proof.certificate import public_key_of


class MemoryKeys:
    """Keys derived from what they are for. They protect nothing."""

    def __init__(self) -> None:
        """Begin without any organization's key."""
        self._made: set[str] = set()
        self._destroyed: set[str] = set()
        self._rotations = 0

    def organization_key(self, organization: str) -> bytes:
        """Give the key of an organization, made on first use.

        Raises:
            KeyDestroyed: there was one, and it was destroyed.
        """
        if organization in self._destroyed:
            raise KeyDestroyed(organization=organization)
        self._made.add(organization)
        return _derive(f"organization {organization}")

    def destroy(self, organization: str) -> bool:
        """Destroy an organization's key; false when there is none."""
        if not self.has_key(organization):
            return False
        self._made.remove(organization)
        self._destroyed.add(organization)
        return True

    def has_key(self, organization: str) -> bool:
        """Whether an organization's key still exists."""
        return organization in self._made

    def ledger_key(self) -> bytes:
        """Give the key that seals the ledger."""
        return _derive("ledger")

    def signing_key(self) -> bytes:
        """Give the vendor's private Ed25519 key."""
        return _derive(_signing(self._rotations))

    def public_keys(self) -> tuple[bytes, ...]:
        """Give the public half of the signing key, then of every one before it, newest first."""
        private = (_derive(_signing(number)) for number in range(self._rotations, -1, -1))
        return tuple(public_key_of(key) for key in private)

    def rotate_signing_key(self) -> None:
        """Sign with a new key from now on."""
        self._rotations += 1


def _signing(rotations: int) -> str:
    return f"signing {rotations}" if rotations else "signing"


def _derive(purpose: str) -> bytes:
    return sha256(purpose.encode()).digest()
