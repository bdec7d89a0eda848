"""Subscriptions: what a billing system says of them, and what somebody says that they pay for.

Stripe signs the instant and the body, byte for byte, with a secret of its own for each address.
Several are good at once, so that one can take over from another.

Source: docs/billing.md; Stripe, "Webhook signatures".
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field
from whenever import Instant

from offramp.core.errors import Invalid
from offramp.core.operator import OperatorRole
from offramp.documents.stripe_event import read_stripe
from offramp.engine.billing import Outcome, assign, list_subscriptions, take_word
from offramp.engine.context import Context
from offramp.engine.pages import PAGE_ROWS_MAX
from offramp.ports import Subscription
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Limit, Part, time_of
from offramp.web.api.form import Body
from offramp.web.api.repeatable import repeatable
from offramp.web.api.sender import stranger

EVENT_BYTES_MAX = 1024 * 1024
AGE_SECONDS_MAX = 300  # each attempt is signed anew
SIGNATURE = "Stripe-Signature"
SECRET_CHARACTERS_MIN = 16
_SIGNATURES_MAX = 16
_DIGITS_MAX = 11  # of seconds since 1970


class StripeSecretWeak(Invalid):
    """A signing secret of Stripe has {characters} characters or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripe:
    """Stripe, as the secrets of our address there show it."""

    secrets: tuple[bytes, ...]

    @classmethod
    def parse(cls, text: str) -> "Stripe":
        """Read the secrets, apart by blanks.

        Raises:
            StripeSecretWeak: one of them is none.
        """
        words = text.split()
        if any(len(word) < SECRET_CHARACTERS_MIN for word in words):
            raise StripeSecretWeak(characters=SECRET_CHARACTERS_MIN, hint="it begins with whsec_")
        return cls(secrets=tuple(word.encode() for word in words))

    def require_signed(self, body: bytes, header: str, *, now: Instant) -> None:
        """Refuse a body that Stripe has not signed for us, or not lately."""
        parts = [part.strip().partition("=") for part in header.split(",")]
        written = next((value for name, _, value in parts if name == "t"), "")
        shown = [value for name, _, value in parts if name == "v1"][:_SIGNATURES_MAX]
        if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS_MAX):
            raise stranger("It does not say when it was signed.")
        signed = written.encode() + b"." + body
        digests = [hmac.new(secret, signed, sha256).hexdigest() for secret in self.secrets]
        pairs = [(one.encode(), digest.encode()) for one in shown for digest in digests]
        if not any([hmac.compare_digest(one, digest) for one, digest in pairs]):
            raise stranger("No secret of ours has signed this.")
        if abs(int(written) - now.timestamp()) > AGE_SECONDS_MAX:
            raise stranger("It was signed too long ago, or our clocks differ.")


class AssignedFacts(Part):
    """Which pool a subscription pays for."""

    organization: str
    pool: str


class SubscriptionDocument(Part):
    """One subscription, and what is known of it."""

    subscription: str
    organization: str | None
    pool: str | None
    is_assigned: Annotated[bool, Field(description="Whether somebody here said what it pays for.")]
    is_over: bool
    ends_at: Annotated[str | None, Field(description="None while it renews by itself.")]
    owed_since: Annotated[str | None, Field(description="None while everything is paid.")]
    told_at: str | None
    problem: Annotated[str | None, Field(description="What keeps it from counting.")]


class SubscriptionsDocument(Part):
    """One page of subscriptions, by id."""

    subscriptions: tuple[SubscriptionDocument, ...]
    after: Annotated[
        str | None, Field(description="Where the next page begins; null where there is none.")
    ]


def stripe_routes(context: Context, stripe: Stripe) -> APIRouter:
    """Give the route for what Stripe says; its signature is all that it shows."""
    routes = APIRouter(prefix="/v1/billing", include_in_schema=False)

    @routes.post("/stripe", max_body_size=EVENT_BYTES_MAX)
    def take_event(request: Request, body: Body, response: Response) -> Mapping[str, str]:
        stripe.require_signed(body, request.headers.get(SIGNATURE, ""), now=context.clock.now())
        told = read_stripe(body)
        if told is None:
            return {"outcome": "ignored"}
        outcome = take_word(
            context,
            told.subscription,
            told.word,
            organization=told.organization,
            pool=told.pool,
            payment=told.payment,
        )
        if outcome is Outcome.KEPT:
            response.status_code = HTTPStatus.ACCEPTED
        return {"outcome": outcome.value}

    return routes


def billing_routes(gate: Gate) -> APIRouter:
    """Give the routes for subscriptions."""
    routes = APIRouter(
        route_class=repeatable(gate), prefix="/billing/subscriptions", tags=["billing"]
    )
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    operator = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.OPERATOR))]

    @routes.get("")
    def list_them(
        caller: viewer,
        after: Annotated[str, Query(description="The `after` of the page before.")] = "",
        limit: Limit = PAGE_ROWS_MAX,
    ) -> SubscriptionsDocument:
        """List subscriptions, with what keeps some of them from counting."""
        page = list_subscriptions(caller.context, after=after, limit=limit)
        return SubscriptionsDocument(
            subscriptions=tuple(map(_document, page.rows)),
            after=page.rows[-1].id if page.has_more else None,
        )

    @routes.put("/{subscription}")
    def say_what_it_pays_for(
        caller: operator,
        subscription: Annotated[str, Path(description="The id that the billing system gave it.")],
        told: AssignedFacts,
    ) -> SubscriptionDocument:
        """Say which pool a subscription pays for; whatever was said of it counts from now on."""
        assigned = assign(
            caller.context, subscription, organization=told.organization, pool=told.pool
        )
        return _document(assigned)

    return routes


def _document(subscription: Subscription) -> SubscriptionDocument:
    word = subscription.word
    return SubscriptionDocument(
        subscription=subscription.id,
        organization=subscription.organization,
        pool=subscription.pool,
        is_assigned=subscription.is_assigned,
        is_over=word is not None and word.is_over,
        ends_at=time_of(word.ends_at) if word else None,
        owed_since=time_of(subscription.payments.owed_since),
        told_at=time_of(word.at) if word else None,
        problem=subscription.problem,
    )
