"""What the vendor writes down about the endpoints that are told of events.

Source: docs/webhooks.md.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from offramp.core.event_kind import EventKind
from offramp.data.source_spec import FromEnvironment, Part

EVENT_SOURCE = "/offramp"

EndpointName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]


class EndpointSpec(Part):
    """One endpoint: its address, the variable that holds its secret, and what it wants."""

    url: str
    secret: FromEnvironment
    events: tuple[EventKind, ...] = Field(default=tuple(EventKind), min_length=1)


class WebhookFile(Part):
    """Every endpoint, and what the events say they come from."""

    source: str = Field(default=EVENT_SOURCE, min_length=1, max_length=200)
    endpoints: Mapping[EndpointName, EndpointSpec]
