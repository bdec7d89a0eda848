"""Every notice and banner is written on trial, with all that may be known and with very little.

Reading finds words that nobody knows; writing finds the fact that may be none and is taken for
granted, the sum of a date and a number, the loop over what is no list.

Source: docs/messages.md.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from jinja2 import TemplateError
from whenever import Date, Instant

from offramp.adapters.message.check import TemplateInvalid
from offramp.core.banner import Banner
from offramp.core.link import Download, Entrance
from offramp.core.model import Member, Organization, Role
from offramp.core.notice import NoticeFacts
from offramp.core.policy import LEVELS
from offramp.ports import Attachment, Composer

_MISUSES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
_FULL = NoticeFacts(
    notice="generic",
    issue=2,
    product="notes",
    stage="active",
    stage_title="Active",
    zone="Europe/Dublin",
    stated_at=Instant.from_utc(2024, 8, 16, 8),
    stage_ends_at=Instant.from_utc(2024, 8, 30, 23),
    access_ends_at=Instant.from_utc(2024, 8, 30, 23),
    exports_at=Instant.from_utc(2024, 9, 22, 8),
    exports_to=frozenset({Role.ADMIN}),
    erases_at=Instant.from_utc(2024, 9, 29, 2),
    erases_before=Instant.from_utc(2024, 12, 29, 23),
    days_left=15,
    agreement="https://vendor.example/agreement",
    information="https://vendor.example/leaving",
    support="https://vendor.example/support",
)
_SCARCE = replace(
    _FULL,
    issue=1,
    product=None,
    stage_ends_at=None,
    access_ends_at=None,
    exports_at=None,
    erases_at=None,
    erases_before=None,
    days_left=None,
    agreement=None,
    information=None,
    support=None,
)
_EDIT_ONLY = LEVELS["edit-only"]
_BANNERS = (
    Banner(
        facts=_FULL,
        is_for_administrator=True,
        allowed=_EDIT_ONLY,
        lost=LEVELS["full"] - _EDIT_ONLY,
        allowed_next=LEVELS["read-only"],
        opened_until=Instant.from_utc(2024, 8, 17, 8),
        may_renew=True,
        returns_by=frozenset({"admin", "support"}),
        returns_whole=True,
        may_request=True,
    ),
    Banner(
        facts=_SCARCE,
        is_for_administrator=False,
        allowed=LEVELS["none"],
        lost=LEVELS["none"],
        allowed_next=None,
        opened_until=None,
        may_renew=False,
        returns_by=frozenset(),
        returns_whole=False,
        may_request=False,
    ),
)
_COMPANY = Organization(id="trial", name="Trial", zone="Europe/Dublin", locale="en", policy="trial")
_READER = Member(
    id="1",
    organization="trial",
    email="reader@vendor.example",
    name="Reader",
    roles=frozenset({Role.ADMIN}),
    locale="",
    zone="Pacific/Auckland",
)
_FILE = Attachment(name="data.json", media_type="application/json", content=b"{}")
_DOWNLOAD = Download(
    address="https://vendor.example/links/trial",
    name="data.json",
    size_bytes=40_000_000,
    until_on=Date(2024, 9, 28),
)
_ANSWER = "We have looked into it.\n\nIt is mended now."
_ENTRANCE = Entrance(address="https://vendor.example/portal/enter/trial", minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Whose templates are tried, and in which languages."""

    composer: Composer
    languages: Sequence[str]
    folder: Path

    def write_notices(self, notices: Sequence[str]) -> None:
        """Write each notice in each language, in every way that a template has to deal with.

        Raises:
            TemplateInvalid: one of them could not be written.
        """
        carried = (((_FILE,), None), ((), None), ((), _DOWNLOAD))
        ways = product((_FULL, _SCARCE), carried, (None, replace(_READER, id="2")))
        tried = product(ways, notices, self.languages)
        for (facts, (attachments, download), about), name, language in tried:
            with self._naming(f"the notice {name}"):
                self.composer.compose(
                    replace(facts, notice=name),
                    message_id="trial",
                    member=replace(_READER, locale=language),
                    organization=_COMPANY,
                    about=about,
                    attachments=attachments,
                    download=download,
                    entrance=_ENTRANCE if facts is _FULL else None,
                    answer=_ANSWER if facts is _FULL else None,
                )

    def write_banners(self, banners: Sequence[str]) -> None:
        """Write each banner in the same ways.

        Raises:
            TemplateInvalid: one of them could not be written.
        """
        for banner, name, language in product(_BANNERS, banners, self.languages):
            with self._naming(f"the banner {name}"):
                self.composer.write_banner(
                    replace(banner, facts=replace(banner.facts, stage=name)),
                    member=_READER,
                    organization=_COMPANY,
                    locale=language,
                )

    @contextmanager
    def _naming(self, what: str) -> Iterator[None]:
        """Say what could not be written, and where the mistake is."""
        try:
            yield
        except _MISUSES as error:
            file, line = _place_of(error, folder=self.folder)
            raise TemplateInvalid(
                file=str(file),
                line=line,
                problem=f"{what} cannot be written: {str(error).rstrip('.')}",
                hint="a fact may be none; ask first: {% if facts.erases_on %} … {% endif %}",
            ) from error


def _place_of(error: Exception, *, folder: Path) -> tuple[Path, int]:
    """Find the innermost line of the folder's templates that an error came through."""
    found, line, trace = folder, 1, error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(folder):
            found, line = file, trace.tb_lineno
        trace = trace.tb_next
    return found, line
