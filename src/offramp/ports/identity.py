"""Who somebody is, as a provider of identities elsewhere says it.

Source: OpenID Connect Core 1.0; docs/console.md, "Signing in elsewhere".
"""

from dataclasses import dataclass, field
from typing import Protocol

from whenever import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who has shown a provider who they are.

    Attributes:
        issuer, subject: the provider, and its name for them, which it never gives to another.
        address: their mail address, if the provider vouches for it.
    """

    issuer: str
    subject: str
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What ties an answer of the provider to the browser that was sent there.

    Attributes:
        state: comes back with the browser.
        nonce: comes back in what the provider signs.
        verifier: is shown by us when its answer is fetched, and its digest before.
    """

    state: str
    nonce: str
    verifier: str = field(repr=False)


class IdentityProvider(Protocol):
    """Lets people show who they are, and tells us."""

    @property
    def name(self) -> str:
        """What people call it."""

    def address_for(self, challenge: Challenge) -> str:
        """Give the address to which a browser is sent.

        Raises `IdentityUnavailable`.
        """

    def identify(self, code: str, challenge: Challenge, *, now: Instant) -> Identity:
        """Say who came back with a code.

        Raises `IdentityUnavailable` or `IdentityUnproven`.
        """
