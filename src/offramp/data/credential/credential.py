"""What a credential says of one achievement, in the words of Open Badges 3.0.

Everything comes from the achievement, its holder and the instant of issue, and so does the id: it
is a digest of all the rest. Who is written to twice has the same credential twice.

A credential refers to nothing that could be shut down: it has no status to be asked for, and its
subject is an id of its own. The holder's address is in it as a salted hash, by which a wallet
recognizes its owner and which tells a reader nothing.

Source: mission A3; Open Badges 3.0 (AchievementCredential, context 3.0.3); VC Data Model 2.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import rfc8785
from whenever import Date, Instant

from offramp.core.model import Member, Organization

CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
TYPES = ("VerifiableCredential", "AchievementCredential")
_NAMESPACE = uuid5(NAMESPACE_URL, "https://purl.imsglobal.org/spec/ob/v3p0/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """One achievement, as it will be signed.

    Attributes:
        holder: the name that it was earned under.
        earned_on: the day, or what the vendor's database says instead of one.
        number: tells apart what is the same in everything else.
        narrative: how it was earned, in the holder's language.
    """

    title: str
    holder: str
    earned_on: Date | str
    number: int
    narrative: str
    language: str


def credential_of(
    award: Award,
    *,
    member: Member,
    organization: Organization,
    issuer: Mapping[str, Any],
    at: Instant,
) -> dict[str, Any]:
    """State an achievement.

    Args:
        award: what was earned.
        member: who earned it.
        organization: whose member that was.
        issuer: who says so.
        at: from when on it is said; the same at every attempt.
    """
    subject = _id(organization.id, member.id)
    achievement = {
        "type": ["Achievement"],
        "name": award.title,
        "description": award.narrative,
        "criteria": {"narrative": award.narrative},
        "inLanguage": award.language,
    }
    content: dict[str, Any] = {
        "@context": list(CONTEXTS),
        "type": list(TYPES),
        "name": award.title,
        "issuer": dict(issuer),
        "validFrom": _second(at),
        **_awarded(award.earned_on),
        "credentialSubject": {
            "id": subject,
            "type": ["AchievementSubject"],
            "identifier": list(_identifiers(award.holder, member.email, salt=subject)),
            "achievement": {"id": _id(issuer["id"], award.title), **achievement},
        },
    }
    return {"id": _id(rfc8785.dumps(content).hex(), str(award.number)), **content}


def _identifiers(name: str, email: str, *, salt: str) -> tuple[dict[str, Any], ...]:
    digest = sha256((email.strip().lower() + salt).encode()).hexdigest()
    shared = {"type": "IdentityObject"}
    return (
        {**shared, "identityType": "name", "identityHash": name, "hashed": False},
        {
            **shared,
            "identityType": "emailAddress",
            "identityHash": f"sha256${digest}",
            "hashed": True,
            "salt": salt,
        },
    )


def _awarded(earned_on: Date | str) -> dict[str, str]:
    """Say when it was earned, where that is known as a day."""
    if isinstance(earned_on, str):
        return {}
    return {"awardedDate": f"{earned_on.format_iso()}T00:00:00Z"}


def _second(at: Instant) -> str:
    return at.round("second", mode="floor").format_iso()


def _id(*parts: str) -> str:
    identity: UUID = uuid5(_NAMESPACE, "\0".join(parts))
    return f"urn:uuid:{identity}"
