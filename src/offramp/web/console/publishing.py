"""Publishing a policy: read and checked, looked at with all that it does, and then meant.

What was looked at is what is published, or nothing is: its digest comes back with the form.

Source: docs/console.md, "Publishing a policy"; policy language S4; `engine.publication`.
"""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from offramp.core.advice import warnings
from offramp.core.dates import civil_date
from offramp.core.errors import Invalid, OfframpError, Refused
from offramp.core.operator import OperatorRole
from offramp.core.policy import Policy
from offramp.core.publication import Fate
from offramp.documents.policy import PRESETS, find_policy, parse_policy_text
from offramp.documents.timeline.drawing import draw_band
from offramp.documents.timeline.rows import timeline_rows
from offramp.documents.yaml import dotted
from offramp.engine.policies import Draft, Sample, look_at_draft
from offramp.engine.publication import Publication, list_published, preview, publish
from offramp.web.api.form import field_of
from offramp.web.console.acts import FieldInvalid, reason_of
from offramp.web.console.door import ROOT, Admission, Door, Visitor
from offramp.web.console.draft import WORD_CHARACTERS_MAX, pack, unpack
from offramp.web.console.organization import badge_numbers, picture
from offramp.web.console.page import ConsolePages
from offramp.web.console.policies import PATH as POLICIES
from offramp.web.console.route import route_class
from offramp.web.console.upload import Upload, UploadAdmission

PATH = f"{ROOT}/publish"
TEXT_BYTES_MAX = 65_536
FORM_BYTES_MAX = 262_144  # with every letter of it escaped


def publishing_routes(door: Door, pages: ConsolePages) -> APIRouter:
    """Give the pages on which a policy is published."""
    routes = APIRouter(prefix=PATH, route_class=route_class(door, pages))
    admission = Admission(door=door, role=OperatorRole.ADMIN)
    admin = Annotated[Visitor, Depends(admission)]
    upload = Annotated[Upload, Depends(UploadAdmission(admission=admission, field="file"))]

    @routes.get("")
    def begin(visitor: admin) -> Response:
        return _ask(pages, visitor)

    @routes.post("/look", max_body_size=FORM_BYTES_MAX)
    def look(visitor: admin) -> Response:
        text = field_of(visitor.body, "text")  # not stripped, or its lines would have other numbers
        return _look_at(pages, visitor, text, preset=visitor.said("preset"))

    @routes.post("/file", max_body_size=FORM_BYTES_MAX)
    def look_into_file(sent: upload) -> Response:
        content = sent.file.read(TEXT_BYTES_MAX + 1)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FieldInvalid(path="file", problem="it is no text") from error
        if len(content) > TEXT_BYTES_MAX:
            raise FieldInvalid(path="file", problem=f"at most {TEXT_BYTES_MAX} bytes are asked")
        return _look_at(pages, sent.visitor, text)

    @routes.get("/drawing.svg")
    def drawing(visitor: admin, draft: str = "") -> Response:
        return picture(draw_band(_draft(visitor, unpack(draft)).timeline, now=None))

    @routes.post("", max_body_size=FORM_BYTES_MAX)
    def carry_out(request: Request, visitor: admin) -> Response:
        policy, seen = unpack(visitor.said("draft")), visitor.said("digest")
        publish(visitor.context, policy, seen=seen, reason=reason_of(visitor))
        return pages.lead(request, f"{POLICIES}/{quote(policy.policy)}?done=policy-published")

    return routes


def _ask(
    pages: ConsolePages, visitor: Visitor, text: str = "", error: OfframpError | None = None
) -> Response:
    """Ask for a policy, and say what was wrong with the last one."""
    known = {each.policy for each in list_published(visitor.context)}
    return pages.answer(
        "publish",
        visitor=visitor,
        status=error.http_status if error else HTTPStatus.OK,
        text=text,
        error=error,
        presets=[name for name in PRESETS if name not in known],
    )


def _look_at(pages: ConsolePages, visitor: Visitor, text: str, *, preset: str = "") -> Response:
    try:
        policy = find_policy(preset) if preset in PRESETS else parse_policy_text(text)
        publication = preview(visitor.context, policy)
    except (Invalid, Refused) as error:
        return _ask(pages, visitor, text, error)
    return _show(pages, visitor, publication)


def _show(pages: ConsolePages, visitor: Visitor, publication: Publication) -> Response:
    draft, word = _draft(visitor, publication.policy), pack(publication.policy)
    rows = timeline_rows(draft.timeline)
    words = {row.planned.key: row.what for row in rows}
    effect = publication.effect
    return pages.answer(
        "publish-look",
        visitor=visitor,
        publication=publication,
        draft=draft,
        word=word,
        is_drawn=len(word) <= WORD_CHARACTERS_MAX,
        rows=rows,
        numbers=badge_numbers(draft.timeline),
        moves=[(words.get(move.key, move.key), move) for move in draft.moves],
        warnings=[(dotted(each.path), each) for each in warnings(publication.policy)],
        fates=[(effect.fates[fate], fate.value) for fate in Fate if effect.fates[fate]],
        steps=[(words.get(each.key, each.key), each) for each in effect.steps()],
    )


def _draft(visitor: Visitor, policy: Policy) -> Draft:
    """Date a policy for an end today, where whoever looks is."""
    zone = visitor.signed_in.operator.zone
    ends = civil_date(visitor.context.clock.now(), zone=zone)
    return look_at_draft(visitor.context, policy, sample=Sample(ends=ends, zone=zone))
