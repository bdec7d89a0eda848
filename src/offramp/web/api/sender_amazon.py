"""Amazon SNS signs its letters: with a key whose certificate lies on a host of its own.

Anybody with an account there has letters signed, so only those of the topics in the settings are
read; the host follows from the topic, and no letter can send us to another one. We ask one question
at a time, and none at once after one that was not answered.

Source: Amazon SNS, "Verifying the signatures of Amazon SNS messages" and "HTTP/HTTPS subscription
confirmation JSON format".
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate
from pydantic import BaseModel, Field, ValidationError
from whenever import Instant

from offramp.core.errors import Invalid, Unavailable
from offramp.documents.returned_event import EventsUnreadable
from offramp.web.api.sender import require_recent, stranger

VERSION = "2"  # with SHA-256; the first one had SHA-1
REFETCH_SECONDS = 60.0  # after a question that was not answered
CERTIFICATES_MAX = 8
_ARN = re.compile(r"arn:aws(?P<partition>|-cn|-us-gov):sns:(?P<region>[a-z0-9-]+):\d{12}:[\w.-]+")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-\w+\.pem", re.ASCII)

_SIGNED_NEWS = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_QUESTION = (*_SIGNED_NEWS[:2], "SubscribeURL", "Timestamp", "Token", *_SIGNED_NEWS[4:])

Fetch = Callable[[str, str], bytes]  # by host, and by path and query


class TopicUnreadable(Invalid):
    """What the setting {path} holds is no topic of Amazon SNS."""


class CertificateUnavailable(Unavailable):
    """The certificate of Amazon SNS was not to be had a moment ago."""


class Letter(BaseModel):
    """What SNS sends, whatever it is about."""

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"] = Field(
        alias="Type"
    )
    message_id: str = Field(alias="MessageId")
    topic_arn: str = Field(alias="TopicArn")
    message: str = Field(alias="Message")
    timestamp: str = Field(alias="Timestamp")
    signature_version: str = Field(alias="SignatureVersion")
    signature: str = Field(alias="Signature")
    signing_cert_url: str = Field(alias="SigningCertURL")
    subject: str | None = Field(default=None, alias="Subject")
    token: str | None = Field(default=None, alias="Token")
    subscribe_url: str | None = Field(default=None, alias="SubscribeURL")

    @property
    def signed(self) -> bytes:
        """What the signature stands for: some of the fields, with their names, in this order."""
        said = self.model_dump(by_alias=True)
        names = _SIGNED_NEWS if self.type == "Notification" else _SIGNED_QUESTION
        lines = (f"{name}\n{said[name]}\n" for name in names if said[name] is not None)
        return "".join(lines).encode()


@dataclass(slots=True, kw_only=True)
class Amazon:
    """Amazon SNS, as far as it writes about our topics.

    Attributes:
        hosts: the topic -> the host of its region.
        fetch: gives what is at a path and query of a host.
        elapsed: seconds on a clock that only runs forward.
    """

    hosts: dict[str, str]
    fetch: Fetch
    elapsed: Callable[[], float]
    _certificates: dict[tuple[str, str], Certificate] = field(default_factory=dict)
    _failed_at: float = float("-inf")
    _turn: Lock = field(default_factory=Lock)

    @classmethod
    def parse(cls, text: str, *, path: str, fetch: Fetch, elapsed: Callable[[], float]) -> "Amazon":
        """Read the topics, apart by blanks.

        Raises:
            TopicUnreadable: one of them is none.
        """
        hosts = {}
        for arn in text.split():
            found = _ARN.fullmatch(arn)
            if found is None:
                hint = "such as arn:aws:sns:eu-west-1:123456789012:bounces"
                raise TopicUnreadable(path=path, hint=hint)
            ending = "amazonaws.com.cn" if found["partition"] == "-cn" else "amazonaws.com"
            hosts[arn] = f"sns.{found['region']}.{ending}"
        return cls(hosts=hosts, fetch=fetch, elapsed=elapsed)

    def open(self, body: bytes, *, now: Instant) -> Letter:
        """Read a letter, and refuse one that SNS has not signed for a topic of ours, or not lately.

        Raises:
            EventsUnreadable: it is no letter.
            CertificateUnavailable, DocumentUnavailable: the certificate cannot be looked at now.
        """
        try:
            letter = Letter.model_validate_json(body)
            sent_at = Instant.parse_iso(letter.timestamp)
        except (ValidationError, ValueError) as error:
            raise EventsUnreadable(provider="Amazon SNS") from error
        if letter.topic_arn not in self.hosts:
            raise stranger("It is about a topic that is not ours.")
        if letter.signature_version != VERSION:
            raise stranger(f"Set the attribute SignatureVersion of the topic to {VERSION}.")
        require_recent(sent_at, now=now)
        certificate = self._certificate_of(letter)
        if not _has_signed(certificate, letter, now=now):
            raise stranger("Amazon SNS has not signed this.")
        return letter

    def confirm(self, letter: Letter) -> None:
        """Say yes to a subscription that was asked for.

        Raises:
            DocumentUnavailable: it did not hear us.
        """
        self.fetch(self.hosts[letter.topic_arn], self._target(letter, letter.subscribe_url or ""))

    def _certificate_of(self, letter: Letter) -> Certificate:
        target = self._target(letter, letter.signing_cert_url)
        if not _CERTIFICATE.fullmatch(target):
            raise stranger("Its certificate is not where those of Amazon SNS are.")
        place = (self.hosts[letter.topic_arn], target)
        certificate = self._certificates.get(place)
        if certificate is not None:
            return certificate
        with self._turn:
            return self._certificates.get(place) or self._fetch_certificate(place)

    def _fetch_certificate(self, place: tuple[str, str]) -> Certificate:
        if self.elapsed() - self._failed_at < REFETCH_SECONDS:
            raise CertificateUnavailable
        self._failed_at = self.elapsed()
        document = self.fetch(*place)
        try:
            certificate = load_pem_x509_certificate(document)
        except ValueError as error:
            raise CertificateUnavailable from error
        self._failed_at = float("-inf")
        if len(self._certificates) >= CERTIFICATES_MAX:
            self._certificates.clear()
        self._certificates[place] = certificate
        return certificate

    def _target(self, letter: Letter, url: str) -> str:
        """Give the path and query of an address, which has to be on the host of the topic."""
        host = f"https://{self.hosts[letter.topic_arn]}/"
        if not url.startswith(host) or not url.isascii() or not url.isprintable() or " " in url:
            raise stranger("It names an address that is not one of Amazon SNS.")
        parts = urlsplit(url)
        return parts.path + (f"?{parts.query}" if parts.query else "")


def _has_signed(certificate: Certificate, letter: Letter, *, now: Instant) -> bool:
    key, at = certificate.public_key(), now.to_stdlib()
    is_valid = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    if not is_valid or not isinstance(key, RSAPublicKey):
        return False
    try:
        signature = b64decode(letter.signature, validate=True)
        key.verify(signature, letter.signed, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
