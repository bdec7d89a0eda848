"""What may be declared of an endpoint, and what its envelope can say."""

import pytest
from pydantic import ValidationError

from offramp.core.event_kind import EventKind
from offramp.data.endpoint_spec import SECURITY_EVENTS, EndpointSpec, WebhookFile

URL, SECRET = "https://id.example/push", "env:TOKEN"
SET = {"url": URL, "secret": SECRET, "format": "security-events", "audience": "https://id.example"}


def test_an_endpoint_that_names_no_events_gets_all_that_its_envelope_can_say():
    plain, security = EndpointSpec(url=URL, secret=SECRET), EndpointSpec(**SET)

    assert plain.kinds == frozenset(EventKind)
    assert security.kinds == frozenset(SECURITY_EVENTS)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"audience": None}, "needs the `audience`"),
        ({"format": "cloudevents"}, "is for `format: security-events`"),
        ({"events": ["stage-changed"]}, "no security event says `stage-changed`"),
        ({"events": []}, "at least 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, problem):
    with pytest.raises(ValidationError, match=problem):
        EndpointSpec(**SET | change)


def test_the_issuer_of_security_events_is_an_address():
    with pytest.raises(ValidationError, match="`source` is an https address"):
        WebhookFile(endpoints={"identity": EndpointSpec(**SET)})

    assert WebhookFile(source="https://a.example", endpoints={"identity": EndpointSpec(**SET)})
