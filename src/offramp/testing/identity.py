"""A provider of identities that believes whatever it is told.

Source: ``ports.IdentityProvider``.
"""

from urllib.parse import urlencode

from whenever import Instant

from offramp.ports import Challenge, Identity, IdentityUnavailable, IdentityUnproven

PLACE = "https://accounts.vendor.example"


class MemoryIdentities:
    """Says of everybody what they are said to be; a code is good once, for who was sent there.

    Attributes:
        is_down: whether nobody can ask it.
        asked: how often it was asked who came back.
    """

    name = "Vendor Accounts"

    def __init__(self) -> None:
        """Begin with nobody."""
        self.is_down = False
        self.asked = 0
        self._sent: dict[str, Challenge] = {}
        self._codes: dict[str, tuple[Challenge, Identity]] = {}

    def address_for(self, challenge: Challenge) -> str:
        """Give the address to which a browser is sent."""
        self._require_up()
        self._sent[challenge.state] = challenge
        return f"{PLACE}/authorize?{urlencode({'state': challenge.state})}"

    def let(self, state: str, subject: str, address: str | None) -> str:
        """Let somebody show who they are after they were sent there, and give the code."""
        code = f"code {len(self._codes)}"
        identity = Identity(issuer=PLACE, subject=subject, address=address)
        self._codes[code] = self._sent[state], identity
        return code

    def identify(self, code: str, challenge: Challenge, *, now: Instant) -> Identity:
        """Say who came back with a code."""
        self._require_up()
        self.asked += 1
        sent, identity = self._codes.pop(code, (None, None))
        if identity is None or sent != challenge:
            raise IdentityUnproven(reason="the code is not good")
        return identity

    def _require_up(self) -> None:
        if self.is_down:
            raise IdentityUnavailable(reason="it was taken away")
