"""Somebody at the portal while a play goes on: pages over HTTP, and the mails that lead into it.

They have no script and no session of the application: they type an address, open the mail that came
by SMTP, press its button, and send the forms that the pages show.

Source: docs/portal.md; mission A7, A12, B9, B11.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

from offramp.core.errors import Broken
from offramp.core.model import Member
from offramp.demo.product import ANSWER_SECONDS_MAX, FORM
from offramp.engine.context import Context
from offramp.engine.portal_entry import send_entrances
from offramp.testing.smtp import SmtpCatcher

ROOT = "/portal"
_TOKEN = re.compile(r'name="token" value="(\w+)"')


class PageUnexpected(Broken):
    """The portal answered {status} to {request}."""


@dataclass(kw_only=True)
class PortalVisitor:
    """One browser, in which a member is signed in.

    Attributes:
        address: where the server listens; people know it by the context's public address.
    """

    context: Context
    address: str
    post: SmtpCatcher
    _cookie: str = field(default="", repr=False)

    def sign_in(self, member: Member) -> None:
        """Come in by an address, a mail and a button, and choose the organization."""
        before = len(self.post.messages)
        self._send(f"{ROOT}/sign-in", {"address": member.email})
        send_entrances(self.context)
        path = urlsplit(self.link_in_mail(member, after=before, below=f"{ROOT}/enter")).path
        self._get(path)  # to look at it spends nothing
        self._send(path, {})
        theirs = {"organization": member.organization, "member": member.id}
        if f'name="member" value="{member.id}"' in self.read(ROOT):
            self.send(f"{ROOT}/place", theirs)

    def link_in_mail(self, member: Member, *, after: int, below: str) -> str:
        """Give the link of the one mail that a member was sent since then."""
        (mail,) = (m for m in self.post.messages[after:] if m.recipients == (member.email,))
        body = mail.message.get_body(preferencelist=("plain",))
        assert body is not None, "every message has a text"
        found = re.search(rf"{re.escape(self._public)}{below}/\S+", str(body.get_content()))
        assert found is not None, "the mail was asked for because of its link"
        return found[0]

    def read(self, path: str) -> str:
        """Open a page."""
        return self._get(path).decode()

    def fetch(self, link: str) -> bytes:
        """Fetch what a link of a mail leads to."""
        return self._get(urlsplit(link).path)

    def send(
        self,
        path: str,
        fields: Mapping[str, str | Sequence[str]] | None = None,
        *,
        page: str = f"{ROOT}/help",
    ) -> str:
        """Send a form as a page of the portal would, and open the page that it leads to."""
        token = _TOKEN.search(self.read(page))
        assert token is not None, "every page for whoever is signed in has a form to sign out"
        return self.read(self._send(path, {**(fields or {}), "token": token[1]}))

    @property
    def _public(self) -> str:
        assert self.context.public_address is not None, "a portal has one"
        return self.context.public_address

    def _get(self, path: str) -> bytes:
        status, content, location = self._ask("GET", path)
        if status == HTTPStatus.SEE_OTHER:
            return self._get(location)
        if status != HTTPStatus.OK:
            raise PageUnexpected(status=status, request=f"GET {path.partition('?')[0]}")
        return content

    def _send(self, path: str, fields: Mapping[str, str | Sequence[str]]) -> str:
        """Send a form, and give the path that it leads to."""
        status, _, location = self._ask("POST", path, sent=urlencode(fields, doseq=True))
        if status not in (HTTPStatus.OK, HTTPStatus.SEE_OTHER):
            raise PageUnexpected(status=status, request=f"POST {path}")
        return location

    def _ask(self, method: str, path: str, *, sent: str | None = None) -> tuple[int, bytes, str]:
        headers = {"Cookie": self._cookie, "Origin": self._public, "Content-Type": FORM}
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self._keep_cookie(answer)
        return answer.status, content, answer.getheader("Location", path)

    def _keep_cookie(self, answer: HTTPResponse) -> None:
        if (cookie := answer.getheader("Set-Cookie")) is not None:
            self._cookie = cookie.partition(";")[0]
