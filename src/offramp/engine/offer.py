"""What a message leads to because it is too large to come along: a link of each reader's own.

The secret of a link is worked out from the id of its message, with the organization's key: a
message that goes out twice carries the same link twice, and once the key is destroyed nobody can
work it out again. The store has its digest alone. No part of an address names anybody.

Source: policy language E1; mission A8, B9; lessons L14, L30; docs/decisions/026-links.md.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from whenever import Instant

from offramp.core.link import Download, last_day_of, link_ends_at
from offramp.engine.work import Work, issue_key
from offramp.ports import Delivery, Keys, Link

FILE_NAME = "data.json"
PATH = "links"  # below the public address
_PURPOSE = b"link to an export\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file in the vault to which each reader of a step is led.

    Attributes:
        address: what links begin with.
    """

    work: Work
    file: str
    size_bytes: int
    address: str

    def make(
        self,
        delivery: Delivery,
        *,
        message: str,
        zone: str,
        erases_at: Instant | None,
        now: Instant,
    ) -> Download:
        """Note the link that a message brings, and say how long its reader can be sure of it.

        It is noted before the mail goes: a reader may be faster than the answer of a server.
        """
        context, secret = self.work.context, self._secret(message)
        ends_at = link_ends_at(now, days=context.limits.link_days, zone=zone)
        link = Link(
            digest=digest_of(secret),
            offboarding=delivery.offboarding,
            step=delivery.step,
            member=delivery.member,
            round=delivery.round,
            file=self.file,
            mailed_at=now,
            expires_at=ends_at,
        )
        with context.store.transaction() as transaction:
            transaction.put_link(link)
        context.probe("link noted")
        return Download(
            address=f"{self.address}/{PATH}/{secret}",
            name=FILE_NAME,
            size_bytes=self.size_bytes,
            until_on=last_day_of(ends_at, erases_at=erases_at, zone=zone, now=now),
        )

    def replace_earlier(self, delivery: Delivery, *, at: Instant) -> None:
        """End the links that a reader had before the message that was just accepted.

        Those of earlier issues too: what they lead to is out of date.
        """
        assert delivery.message is not None, "what was accepted has its id"
        row = self.work.row
        with self.work.context.store.transaction() as transaction:
            transaction.revoke_links(
                delivery.offboarding,
                steps=[issue_key(row.key, issue) for issue in range(1, row.issue + 1)],
                member=delivery.member,
                spared=digest_of(self._secret(delivery.message)),
                at=at,
            )
        self.work.context.probe("link replaced")

    def _secret(self, message: str) -> str:
        return secret_of(self.work.context.keys, self.work.claimed.subject.organization, message)


def secret_of(keys: Keys, organization: str, message: str) -> str:
    """Work out the secret of a link from what brings it, with the organization's key."""
    mac = hmac.digest(keys.organization_key(organization), _PURPOSE + message.encode(), "sha256")
    return urlsafe_b64encode(mac).rstrip(b"=").decode()


def digest_of(secret: str) -> str:
    """Give what the store knows of a link's secret."""
    return sha256(secret.encode()).hexdigest()
