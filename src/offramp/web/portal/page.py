"""How a page of the portal is answered: with the vendor's brand, in the reader's language.

Source: Content Security Policy Level 3; docs/portal.md.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from offramp.adapters.message.portal_page import PortalPages
from offramp.engine.portal_people import may_manage
from offramp.web.own_page import PAGE_HEADERS
from offramp.web.portal.door import ROOT, Visit

_TOKEN = Markup('<input type="hidden" name="token" value="{}">')


class PortalAnswers:
    """Answers with every page of the portal, and leads from one to another."""

    def __init__(self, pages: PortalPages, *, public_address: str | None) -> None:
        """Know below which path people reach it."""
        self._pages = pages
        self.prefix = urlsplit(public_address or "").path.rstrip("/")
        policy = f"{pages.sources}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        self._headers = {"Content-Security-Policy": policy, **PAGE_HEADERS}

    @property
    def renewal(self) -> str | None:
        """Where administrators renew, as a link."""
        return self._pages.renewal

    def strange(
        self, page: str, *, wanted: str, status: int = HTTPStatus.OK, **facts: object
    ) -> Response:
        """Answer with a page for whoever is not signed in, in a language that the browser wants."""
        return self._answer(page, locale=None, wanted=wanted, status=status, **facts)

    def own(
        self, page: str, visit: Visit, *, status: int = HTTPStatus.OK, **facts: object
    ) -> Response:
        """Answer with a page for whoever is signed in, in their language."""
        member, organization = visit.guest.member, visit.guest.organization
        is_elsewhere = visit.zone != organization.zone
        return self._answer(
            page,
            locale=member.locale or organization.locale,
            wanted=visit.wanted,
            status=status,
            here=page,
            answers=visit.answers,
            manages=visit.answers and may_manage(visit.guest),
            token=_TOKEN.format(visit.guest.token),
            organization=organization.name or organization.id,
            zone=visit.zone if is_elsewhere else None,
            **facts,
        )

    def lead(self, path: str) -> Response:
        """Lead a browser on."""
        return RedirectResponse(f"{self.prefix}{path}", status_code=HTTPStatus.SEE_OTHER)

    def _answer(
        self, page: str, *, locale: str | None, wanted: str, status: int, **facts: object
    ) -> Response:
        given = {"root": f"{self.prefix}{ROOT}", **facts}
        text = self._pages.write(page, locale=locale, wanted=wanted, given=given)
        return HTMLResponse(text, status_code=status, headers=self._headers)
