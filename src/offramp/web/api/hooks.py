"""Where programs of others hand in what came back: mail servers, and providers of mail.

What nobody has set up is not there. The answer says how many reports were news, known already, of
nobody here, or none at all; never whose.

Source: docs/returned-mail.md; docs/decisions/029-returned-mail.md.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from offramp.adapters.document_https import fetch_document
from offramp.config import Settings
from offramp.documents.returned_event import read_amazon, read_sendgrid
from offramp.documents.returned_mail import read_returned
from offramp.engine.bounces import take_back
from offramp.engine.context import Context
from offramp.ports import Returned
from offramp.web.api.access_key import AccessKeys, require_key_or_password
from offramp.web.api.form import Body
from offramp.web.api.sender_amazon import Amazon
from offramp.web.api.sender_sendgrid import SendGrid

REPORT_BYTES_MAX = 4 * 1024 * 1024
EVENTS_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Who may hand something in; without any of them nobody may."""

    keys: AccessKeys = field(default_factory=AccessKeys)
    sendgrid: SendGrid | None = None
    amazon: Amazon | None = None

    @classmethod
    def parse(cls, settings: Settings) -> "Hooks":
        """Read who is set up.

        Raises:
            AccessKeyWeak, SendGridKeyUnreadable, TopicUnreadable: a setting is wrong.
        """
        sendgrid, amazon = settings.returns_sendgrid_keys, settings.returns_amazon_topics
        return cls(
            keys=AccessKeys.parse(settings.returns_keys.get_secret_value()),
            sendgrid=SendGrid.parse(sendgrid, path="returns_sendgrid_keys") if sendgrid else None,
            amazon=Amazon.parse(
                amazon,
                path="returns_amazon_topics",
                fetch=fetch_document,
                elapsed=time.monotonic,
            )
            if amazon
            else None,
        )


class Taken(BaseModel):
    """How many reports there were of each kind."""

    noted: int = 0
    known: int = 0
    nobodys: int = 0
    other: int = 0


def hook_routes(context: Context, hooks: Hooks) -> APIRouter:
    """Give the routes of those who are set up."""
    routes = APIRouter(prefix="/hooks/mail", include_in_schema=False)
    if hooks.keys.digests:
        _take_reports(routes, context, hooks.keys)
    if hooks.sendgrid is not None:
        _take_sendgrid(routes, context, hooks.sendgrid)
    if hooks.amazon is not None:
        _take_amazon(routes, context, hooks.amazon)
    return routes


def _take_reports(routes: APIRouter, context: Context, keys: AccessKeys) -> None:
    may_ask = [Depends(require_key_or_password(keys))]

    @routes.post("/returned", dependencies=may_ask, max_body_size=REPORT_BYTES_MAX)
    def take_report(body: Body) -> Taken:
        return _take(context, [read_returned(body)])


def _take_sendgrid(routes: APIRouter, context: Context, sendgrid: SendGrid) -> None:
    @routes.post("/sendgrid", max_body_size=EVENTS_BYTES_MAX)
    def take_events(request: Request, body: Body) -> Taken:
        sendgrid.require_signed(body, request.headers, now=context.clock.now())
        return _take(context, read_sendgrid(body))


def _take_amazon(routes: APIRouter, context: Context, amazon: Amazon) -> None:
    @routes.post("/amazon", max_body_size=EVENTS_BYTES_MAX)
    def take_letter(body: Body) -> Taken:
        letter = amazon.open(body, now=context.clock.now())
        if letter.type == "SubscriptionConfirmation":
            amazon.confirm(letter)
        is_news = letter.type == "Notification"
        return _take(context, [read_amazon(letter.message) if is_news else None])


def _take(context: Context, reports: Iterable[Returned | None]) -> Taken:
    """Note every report; where one cannot be noted now, whoever sent them tries again."""
    counts = Counter(
        "other" if report is None else take_back(context, report).value for report in reports
    )
    return Taken(**counts)
