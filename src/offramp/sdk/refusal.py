"""What is answered to whoever may not: a document for programs, a page for people.

Source: RFC 9457; RFC 9110, section 12.5.1 (Accept); WCAG 2.2.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from offramp.core.access import Decision
from offramp.core.policy import Capability

STATUS = HTTPStatus.FORBIDDEN
PROBLEM = "application/problem+json"
PAGE = "text/html; charset=utf-8"
_DOCUMENTS = ("application/json", PROBLEM)
_DOING: Mapping[Capability, str] = {
    Capability.READ: "open what exists",
    Capability.CREATE: "create",
    Capability.UPDATE: "edit",
    Capability.DELETE: "delete",
    Capability.COPY: "copy",
    Capability.EXPORT: "export",
    Capability.INVITE: "invite people",
    Capability.MANAGE: "manage the organization",
    Capability.BILL: "pay",
}
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>This is not possible at present</title>
</head>
<body>
<main>
<h1>This is not possible at present</h1>
<p>{said}</p>
<p>If you want to go on, ask an administrator of your organization.</p>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One answer, for a framework to send as it is."""

    body: bytes
    media_type: str
    status: int = STATUS.value

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What goes with it: another request may have another answer."""
        return (
            ("Content-Type", self.media_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
            ("Vary", "Accept, Cookie, Authorization"),
            ("X-Content-Type-Options", "nosniff"),
        )


def refuse(
    decision: Decision, capability: Capability, *, accept: str, page: str | None = None
) -> Refusal:
    """Say no to a program, or to a person where the request asks for a page."""
    if _wants_page(accept):
        said = page if page is not None else _PAGE.format(said=escape(_said(decision)))
        return Refusal(body=said.encode(), media_type=PAGE)
    problem = {
        "type": "about:blank",
        "title": STATUS.phrase,
        "status": STATUS.value,
        "code": "AccessDenied",
        "detail": f"The stage {decision.stage} does not allow it: {capability}.",
        "capability": capability,
        "allowed": [each for each in Capability if each in decision.capabilities],
        "stage": decision.stage,
        "level": decision.level,
        "voter": decision.voter,
        "until": None if decision.until is None else decision.until.format_iso(),
    }
    return Refusal(body=json.dumps(problem).encode(), media_type=PROBLEM)


def _wants_page(accept: str) -> bool:
    """Whether pages are asked for by name and documents are not: browsers do so."""
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return "text/html" in kinds and kinds.isdisjoint(_DOCUMENTS)


def _said(decision: Decision) -> str:
    left = [doing for each, doing in _DOING.items() if each in decision.capabilities]
    if not left:
        return "Your access has ended."
    listed = " and ".join([", ".join(left[:-1]), left[-1]] if len(left) > 1 else left)
    return f"You can still {listed}, but not what you just tried."
