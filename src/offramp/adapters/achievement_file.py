"""What a member has earned, as files that stay valid after the platform has forgotten them.

For each achievement a credential, signed with the vendor's key, and a diploma to print with that
credential inside; one list of all; and one file that wallets and programs read. The same
achievements give the same bytes, so that a repeated mail carries what the first one did.

A diploma that cannot be printed does not keep the rest: its credential travels, and it is told.

Source: mission A3; lessons L13, L32; Open Badges 3.0 (its API's form of several credentials).
"""

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final
from unicodedata import category

from whenever import Date, Instant

from offramp.adapters.diploma import (
    Language,
    Paper,
    Printer,
    date_of,
    numbers_of,
    without_decorations,
)
from offramp.core.model import Achievement, Member, Organization
from offramp.data.credential.credential import Award, credential_of
from offramp.data.credential.issuer import Issuer
from offramp.data.credential.token import Signer
from offramp.data.proof.paper import LetterMissing
from offramp.ports import Attachment, Happening, Report

DATE_CHARACTERS: Final = 10  # 2024-08-30
TITLE_CHARACTERS_MAX: Final = 300
NAME_CHARACTERS_MAX: Final = 60  # of a file
LOOSE_FILES_MAX: Final = 3  # more diplomas travel in one zip
LOOSE_BYTES_MAX: Final = 2_000_000
DIPLOMAS_MAX: Final = 100  # of one member; beyond it the list holds every credential

PDF: Final = "application/pdf"
BADGES_FILE: Final = "open-badges.json"
CREDENTIAL_FILE: Final = "credential.jwt"
_BYTE_ORDER_MARK = "\ufeff"  # spreadsheets leave it in what they import
_INVISIBLE = frozenset({"Cc", "Cs"})  # control characters, and halves of letters
_UNFIT_FOR_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """Everything that the files of one member are made from."""

    achievements: Sequence[Achievement]
    member: Member
    organization: Organization
    at: Instant
    language: Language

    @property
    def holder(self) -> str:
        """The name of whoever earned it all."""
        return _clipped(self.member.name) or self.member.email

    @property
    def issued_on(self) -> Date:
        """The day of issue where the member is."""
        return self.at.to_tz(self.member.zone or self.organization.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementFiles:
    """Makes the files of one member after another, and keeps nothing of any.

    Attributes:
        issuer: the vendor, as credentials name it.
        signing_key: gives the vendor's private key, never an organization's: that one goes.
        printer: what papers are printed with.
        report: hears of diplomas that could not be printed.
        printed_at_once: papers of one member; printing leaves the interpreter to others.
    """

    issuer: Issuer
    signing_key: Callable[[], bytes]
    report: Report
    printer: Printer = field(default_factory=Printer)
    printed_at_once: int = 1

    def attach(
        self,
        achievements: Sequence[Achievement],
        *,
        member: Member,
        organization: Organization,
        at: Instant,
        language: Language,
    ) -> tuple[Attachment, ...]:
        """Write what a member has earned: the list, a diploma of each, and the credentials.

        Raises:
            PrinterMissing: the packages that print are not installed.
        """
        order = _Order(
            achievements=achievements,
            member=member,
            organization=organization,
            at=at,
            language=language,
        )
        signer = Signer(self.issuer, private_key=self.signing_key())
        awards = list(self._awards(order))
        tokens = [self._sign(signer, award, order) for award in awards]
        badges = _badges(tokens)
        pairs = list(zip(awards, tokens, strict=True)) if len(awards) <= DIPLOMAS_MAX else []
        papers = [self._summary(awards, order, badges), *self._diplomas(pairs, order)]
        summary, *diplomas = self._print(papers, order)
        names = [_file_name(number, award.title) for number, (award, _) in enumerate(pairs, 1)]
        printed = [
            Attachment(name=name, media_type=PDF, content=content)
            for name, content in zip(names, diplomas, strict=True)
            if content is not None
        ]
        head = language.phrase("file_of_all")
        listed = [] if summary is None else [(f"{head}.pdf", summary)]
        return (
            *(Attachment(name=name, media_type=PDF, content=content) for name, content in listed),
            *_packed(printed, name=f"{language.phrase('file_of_diplomas')}.zip"),
            Attachment(name=BADGES_FILE, media_type="application/json", content=badges),
        )

    def _awards(self, order: _Order) -> Iterator[Award]:
        seen: Counter[tuple[str, str, Date | str]] = Counter()
        phrase = order.language.phrase
        narrative = phrase(
            "narrative", vendor=self.issuer.name, organization=_name(order.organization)
        )
        for each in sorted(order.achievements, key=lambda each: each.at):
            title = _clipped(each.title) or phrase("what")
            holder = _clipped(each.holder or "") or order.holder
            earned_on = read_day(_clipped(each.at))
            seen[title, holder, earned_on] += 1
            yield Award(
                title=title,
                holder=holder,
                earned_on=earned_on,
                number=seen[title, holder, earned_on],
                narrative=narrative,
                language=order.language.tag,
            )

    def _sign(self, signer: Signer, award: Award, order: _Order) -> str:
        return signer.sign(
            credential_of(
                award,
                member=order.member,
                organization=order.organization,
                issuer=signer.profile,
                at=order.at,
            )
        )

    def _diplomas(self, pairs: Sequence[tuple[Award, str]], order: _Order) -> Iterator[Paper]:
        phrase = order.language.phrase
        words = {name: phrase(name) for name in ("heading", "to", "for", "attached")}
        words["proof"] = phrase("proof", file=CREDENTIAL_FILE)
        for award, token in pairs:
            content = {
                **self._shared(order),
                "document_title": phrase("title", title=award.title),
                "holder": award.holder,
                "title": award.title,
                "earned": phrase("earned", day=award.earned_on),
                "numbers": numbers_of(token),
                "words": words,
            }
            attached = token.encode()
            yield Paper(
                layout="diploma.typ", content=content, file=CREDENTIAL_FILE, attached=attached
            )

    def _summary(self, awards: Sequence[Award], order: _Order, badges: bytes) -> Paper:
        phrase = order.language.phrase
        words = {name: phrase(name) for name in ("what", "when", "attached")}
        words |= {
            "heading": phrase("heading_of_all"),
            "proof": phrase("proof", file=BADGES_FILE),
        }
        rows = [
            {
                "title": award.title,
                "holder": ""
                if award.holder == order.holder
                else phrase("earned_as", holder=award.holder),
                "earned": phrase("day", day=award.earned_on),
            }
            for award in awards
        ]
        content = {
            **self._shared(order),
            "document_title": phrase("title_of_all", name=order.holder),
            "holder": order.holder,
            "rows": rows,
            "numbers": numbers_of(badges.decode()),
            "words": words,
        }
        return Paper(layout="summary.typ", content=content, file=BADGES_FILE, attached=badges)

    def _shared(self, order: _Order) -> dict[str, object]:
        issued = order.language.phrase("issued", vendor=self.issuer.name, issued_on=order.issued_on)
        return {
            "language": order.language.tag.partition("-")[0],
            "vendor": self.issuer.name,
            "organization": _name(order.organization),
            "issued": issued,
            "date": date_of(order.issued_on),
        }

    def _print(self, papers: Sequence[Paper], order: _Order) -> list[bytes | None]:
        """Print papers side by side; none stands for one that no font has every letter of."""
        with ThreadPoolExecutor(self.printed_at_once) as threads:
            printed = list(threads.map(self._try_print, papers))
        failed = sum(content is None for content in printed)
        if failed:
            told = {"organization": order.organization.id, "papers": failed}
            self.report(Happening.UNPRINTED, {**told, "error": LetterMissing.__name__})
        return printed

    def _try_print(self, paper: Paper) -> bytes | None:
        try:
            return self.printer.print(paper)
        except LetterMissing:
            return None


def read_day(text: str) -> Date | str:
    """Read the day of a date or time as a database writes it, or give the text back."""
    try:
        return Date.parse_iso(text[:DATE_CHARACTERS])
    except ValueError:
        return text


def _badges(tokens: Sequence[str]) -> bytes:
    """Write credentials as programs exchange several of them."""
    document = {"credential": [], "compactJwsString": list(tokens)}
    return json.dumps(document, indent=2).encode() + b"\n"


def _packed(diplomas: Sequence[Attachment], *, name: str) -> tuple[Attachment, ...]:
    """Put diplomas into one zip where there are many of them, or large ones."""
    size = sum(len(diploma.content) for diploma in diplomas)
    if len(diplomas) <= LOOSE_FILES_MAX and size <= LOOSE_BYTES_MAX:
        return tuple(diplomas)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for diploma in diplomas:
            # The time of an entry is left at its beginning: equal files give an equal zip.
            archive.writestr(zipfile.ZipInfo(diploma.name), diploma.content)
    return (Attachment(name=name, media_type="application/zip", content=packed.getvalue()),)


def _file_name(number: int, title: str) -> str:
    """Name a diploma after its title, with nothing in it that a disk could stumble over."""
    letters = without_decorations(_UNFIT_FOR_NAMES.sub(" ", title))
    plain = " ".join(letters.split())[:NAME_CHARACTERS_MAX]
    return " ".join(filter(None, (f"{number:02}", plain.strip(" .")))) + ".pdf"


def _clipped(text: str) -> str:
    """Keep a text to one line of a length that a paper can hold; empty where nothing is seen."""
    visible = (c for c in text if category(c) not in _INVISIBLE or c in "\n\t")
    line = " ".join("".join(visible).replace(_BYTE_ORDER_MARK, "").split())
    if not any(character.isprintable() for character in line):
        return ""
    return line if len(line) <= TITLE_CHARACTERS_MAX else line[: TITLE_CHARACTERS_MAX - 1] + "…"


def _name(organization: Organization) -> str:
    return _clipped(organization.name) or organization.id
