"""What the vendor writes down about the endpoints that are told of events.

Source: docs/webhooks.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from offramp.core.event_kind import EventKind
from offramp.data.source_spec import FromEnvironment, Part

EVENT_SOURCE = "/offramp"

EndpointName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]


# What a security event can say: the others mean nothing to whoever keeps sessions and accounts.
SECURITY_EVENTS = (EventKind.SESSIONS_REVOKED, EventKind.REACTIVATED, EventKind.ERASED)


class Format(StrEnum):
    """The envelope in which an endpoint takes events."""

    CLOUDEVENTS = "cloudevents"
    SECURITY_EVENTS = "security-events"


class EndpointSpec(Part):
    """One endpoint: its address, the variable that holds its secret, and what it wants.

    The secret of an endpoint for security events is the token that it lets us in with; there the
    events are signed, for the audience that it expects.
    """

    url: str
    secret: FromEnvironment
    events: tuple[EventKind, ...] = Field(default=(), min_length=1)
    format: Format = Format.CLOUDEVENTS
    audience: str | None = Field(default=None, min_length=1, max_length=200)

    @property
    def kinds(self) -> frozenset[EventKind]:
        """What it is told of: without `events` everything that its envelope can say."""
        is_set = self.format is Format.SECURITY_EVENTS
        return frozenset(self.events or (SECURITY_EVENTS if is_set else EventKind))

    @model_validator(mode="after")
    def _fit_the_envelope(self) -> Self:
        if self.format is Format.CLOUDEVENTS:
            if self.audience is not None:
                raise ValueError("`audience` is for `format: security-events`")
            return self
        if self.audience is None:
            raise ValueError("`format: security-events` needs the `audience` that is expected")
        strange = [kind for kind in self.events if kind not in SECURITY_EVENTS]
        if strange:
            raise ValueError(
                f"no security event says `{strange[0]}`: it is one of {', '.join(SECURITY_EVENTS)}"
            )
        return self


class WebhookFile(Part):
    """Every endpoint, and what the events say they come from.

    Security events name it as their issuer, which has to be an address.
    """

    source: str = Field(default=EVENT_SOURCE, min_length=1, max_length=200)
    endpoints: Mapping[EndpointName, EndpointSpec]

    @model_validator(mode="after")
    def _name_the_issuer(self) -> Self:
        formats = {spec.format for spec in self.endpoints.values()}
        if Format.SECURITY_EVENTS in formats and not self.source.startswith("https://"):
            raise ValueError("with `format: security-events` the `source` is an https address")
        return self
