"""Notices in words: templates decide what is said, catalogs in which language, facts what is true.

A notice is one template in three frames: subject line, plain text, HTML; a banner is one in a
frame of JSON. Dates are days of the reader's own calendar; a reader outside of the organization's
time zone is told which one it is, and the time of day at which something ends.

A vendor's folder may hold templates and catalogs of the same names; they are looked at first.

Source: mission A3, A5, A6, A8, B8, B10; policy language N1; lesson L7;
docs/decisions/024-messages.md.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader
from whenever import Instant

from offramp.adapters.achievement_file import AchievementFiles
from offramp.adapters.diploma import Language as DiplomaLanguage
from offramp.adapters.message.brand import Brand
from offramp.adapters.message.check import BANNERS, check_templates
from offramp.adapters.message.form import BLANK, FORMS_KEPT, Occasion, Words, is_form
from offramp.adapters.message.frame import FrameLoader
from offramp.adapters.message.language import SOURCE_LANGUAGE, Languages
from offramp.adapters.message.trial import Trial
from offramp.adapters.message.vocabulary import Company, File, Person
from offramp.core.banner import Banner
from offramp.core.link import Download, Entrance
from offramp.core.model import Achievement, Member, Organization
from offramp.core.notice import NoticeFacts
from offramp.ports import Attachment, BannerWords, LinkWords, Message

_NOTICES = "notices/"
_SUBJECT, _TEXT, _HTML = "subject.txt", "body.txt", "body.mjml"
_BANNERS = f"{BANNERS}/"
_GENERIC = "generic.jinja"
_EMPTY_LINES = re.compile(r"\n{3,}")
_BLANKS = re.compile(r"[ \n]+")  # others are meant: a number and its unit stay on one line


class JinjaComposer:
    """Writes every message from templates."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        brand: Brand | None = None,
        achievement_files: AchievementFiles | None = None,
    ) -> None:
        """Prepare to write.

        Args:
            folder: the vendor's own templates and, in `translations/`, catalogs.
            brand: what the vendor's customers know it by.
            achievement_files: makes what farewells carry; none where nobody is sent any.
        """
        self._folder = folder
        self._brand = brand or Brand()
        self._achievement_files = achievement_files
        self._loader = _loader(folder)
        self._languages = (
            _shipped_languages() if folder is None else Languages(self._loader, folder=folder)
        )
        self._form = lru_cache(maxsize=FORMS_KEPT)(self._render_form)
        self._is_form = lru_cache(maxsize=FORMS_KEPT)(self._may_be_form)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that messages can be written in."""
        return self._languages.names

    @property
    def notices(self) -> tuple[str, ...]:
        """The notices that have words of their own."""
        return self._names_in(_NOTICES)

    @property
    def banners(self) -> tuple[str, ...]:
        """The stages whose banners have words of their own, and the words for all others."""
        return self._names_in(_BANNERS)

    def check(self) -> None:
        """Refuse mistakes in the vendor's own templates now, and not when a message is due.

        Raises:
            TemplatesMissing: the folder does not exist.
            TemplateInvalid: a template or a catalog in it is wrong.
        """
        if self._folder is None:
            return
        check_templates(self._folder, environment=self._languages.open(SOURCE_LANGUAGE).html)
        trial = Trial(composer=self, languages=self.languages, folder=self._folder)
        trial.write_notices(self.notices)
        trial.write_banners(self.banners)

    def compose(
        self,
        facts: NoticeFacts,
        *,
        message_id: str,
        member: Member,
        organization: Organization,
        about: Member | None = None,
        attachments: tuple[Attachment, ...] = (),
        download: Download | None = None,
        entrance: Entrance | None = None,
        answer: str | None = None,
        reply_to: str | None = None,
        is_optional: bool = False,
    ) -> Message:
        """Write the message for one reader; ``about`` is the member where only one leaves."""
        occasion = self._occasion(
            facts,
            member=member,
            organization=organization,
            locale=member.locale or organization.locale,
            about=_person(about) if about is not None and about.id != member.id else None,
            attachments=tuple(
                File(name=each.name, size_bytes=len(each.content)) for each in attachments
            ),
            download=download,
            entrance=entrance,
            answer=answer,
        )
        words = self._write(occasion, _person(member))
        return Message(
            id=message_id,
            to=member.email,
            to_name=member.name,
            subject=" ".join(words.subject.split()),
            text=_EMPTY_LINES.sub("\n\n", words.text).strip() + "\n",
            html=words.html,
            is_optional=is_optional,
            reply_to=reply_to,
            attachments=attachments,
            images=(self._brand.logo,) if self._brand.logo else (),
        )

    def write_banner(
        self, banner: Banner, *, member: Member, organization: Organization, locale: str = ""
    ) -> BannerWords:
        """Write what a page shows to one reader, by the same rules as a message to them."""
        occasion = self._occasion(
            banner.facts,
            member=member,
            organization=organization,
            locale=locale or member.locale or organization.locale,
        )
        language = self._languages.open(occasion.locale)
        names = [f"{_BANNERS}{banner.facts.stage}.jinja", f"{_BANNERS}{_GENERIC}"]
        variables = {**self._variables(occasion, _person(member)), "banner": banner}
        written = json.loads(
            language.text.select_template(names).render(variables, frame="banner.json")
        )
        links = written.pop("links")
        return BannerWords(
            language=language.variables["language"],
            direction=language.variables["direction"],
            links=tuple(LinkWords(label=label, address=address) for label, address in links),
            **{part: _BLANKS.sub(" ", words).strip() for part, words in written.items()},
        )

    def attach_achievements(
        self,
        achievements: Sequence[Achievement],
        *,
        member: Member,
        organization: Organization,
        at: Instant,
    ) -> tuple[Attachment, ...]:
        """Write what a member has earned into signed files that stay valid without the platform."""
        if not achievements:
            return ()
        assert self._achievement_files is not None, "who writes farewells can make what they carry"
        language = self._languages.open(member.locale or organization.locale)
        return self._achievement_files.attach(
            achievements,
            member=member,
            organization=organization,
            at=at,
            language=DiplomaLanguage(environment=language.text, tag=language.variables["language"]),
        )

    def _names_in(self, folder: str) -> tuple[str, ...]:
        files = (name for name in self._loader.list_templates() if name.startswith(folder))
        return tuple(sorted(Path(file).stem for file in files if file.endswith(".jinja")))

    def _write(self, occasion: Occasion, reader: Person) -> Words:
        """Fill a form in where there can be one, and else render the message by itself."""
        told = occasion.facts
        if not occasion.is_personal and self._is_form(told.notice, told.words):
            return self._form(occasion).for_name(reader.name)
        return self._render(occasion, reader)

    def _render(self, occasion: Occasion, reader: Person) -> Words:
        told, language = occasion.facts, self._languages.open(occasion.locale)
        names = _templates(told.notice, told.words)
        variables = self._variables(occasion, reader)
        text, html = language.text.select_template(names), language.html.select_template(names)
        return Words(
            subject=text.render(variables, frame=_SUBJECT),
            text=text.render(variables, frame=_TEXT),
            html=html.render(variables, frame=_HTML),
        )

    def _render_form(self, occasion: Occasion) -> Words:
        name = BLANK if occasion.is_named else ""
        return self._render(occasion, Person(id="", name=name, email=""))

    def _may_be_form(self, notice: str, words: str) -> bool:
        environment = self._languages.open(SOURCE_LANGUAGE).html
        name = environment.select_template(_templates(notice, words)).name
        assert name is not None, "what was found has a name"
        return all(
            is_form(environment, notice=name, frame=frame) for frame in (_SUBJECT, _TEXT, _HTML)
        )

    def _occasion(
        self,
        facts: NoticeFacts,
        *,
        member: Member,
        organization: Organization,
        locale: str,
        about: Person | None = None,
        attachments: tuple[File, ...] = (),
        download: Download | None = None,
        entrance: Entrance | None = None,
        answer: str | None = None,
    ) -> Occasion:
        told = self._told(facts, member, zone=member.zone or organization.zone)
        return Occasion(
            locale=locale,
            facts=told,
            about=about,
            organization=_company(organization),
            place=_place(facts, organization),
            zone=told.zone if told.zone != organization.zone else None,
            attachments=attachments,
            download=download,
            entrance=entrance,
            answer=answer,
            is_named=bool(member.name),
        )

    def _variables(self, occasion: Occasion, reader: Person) -> dict[str, Any]:
        """Give what every template is told, whatever it is about."""
        return {
            **self._languages.open(occasion.locale).variables,
            "facts": occasion.facts,
            "member": reader,
            "about": occasion.about,
            "organization": occasion.organization,
            "place": occasion.place,
            "zone": occasion.zone,
            "attachments": occasion.attachments,
            "download": occasion.download,
            "entrance": occasion.entrance,
            "answer": occasion.answer,
            "brand": self._brand,
        }

    def _told(self, facts: NoticeFacts, member: Member, *, zone: str) -> NoticeFacts:
        """State the facts for a reader; the brand's links go before the policy's."""
        brand = self._brand
        return replace(
            facts.for_reader(member.roles, zone=zone),
            agreement=brand.agreement or facts.agreement,
            information=brand.information or facts.information,
            support=brand.support_link or facts.support,
        )


def _loader(folder: Path | None) -> FrameLoader:
    shipped = PackageLoader("offramp.presets", "messages")
    if folder is None:
        return FrameLoader(shipped)
    return FrameLoader(ChoiceLoader([FileSystemLoader(folder), shipped]))


@cache  # what is shipped stays the same, so that its templates are compiled once in a process
def _shipped_languages() -> Languages:
    return Languages(_loader(None))


def _templates(notice: str, words: str) -> list[str]:
    """Name the templates of a notice, the one of its own first."""
    return [f"{_NOTICES}{name}.jinja" for name in (notice, words)]


def _person(member: Member) -> Person:
    return Person(id=member.id, name=member.name, email=member.email)


def _company(organization: Organization) -> Company:
    return Company(id=organization.id, name=organization.name or organization.id)


def _place(facts: NoticeFacts, organization: Organization) -> str:
    name = organization.name or organization.id
    return f"{facts.product} ({name})" if facts.product else name
