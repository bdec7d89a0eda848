"""The pages for people: what a link leads to, that it leads nowhere, unsubscribing, asking again.

They fetch nothing, run nothing, and their one style is named by its digest, so that a browser can
be told to take no other. The logo of the brand is written into them.

Source: lessons L12, L14; CSP Level 3, section 2.3.1 (hash-source); WCAG 2.2.
"""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from babel import negotiate_locale
from markupsafe import Markup

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.language import Language, languages_of_pages
from offramp.core.link import Download

Wish = Literal["none", "again"]  # which optional messages a reader wants from now on

_LINK, _UNSUBSCRIBE, _AGAIN, _STYLE = "link.html", "unsubscribe.html", "again.html", "style.css"
_WANTED_MAX = 64  # languages that one browser may want
_WANTED = re.compile(
    r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*"
)


class BrandPages:
    """What pages with the vendor's brand have in common: languages, and one style."""

    styles: tuple[str, ...] = (_STYLE,)

    def __init__(self, brand: Brand, *, folder: Path | None = None) -> None:
        """Prepare to write.

        Args:
            brand: what the vendor's customers know it by.
            folder: the vendor's own templates, whose catalogs are looked at first.
        """
        self._brand = brand
        self._languages = languages_of_pages(folder)
        text = self._languages.open("en").text
        style = "".join(text.get_template(name).render(brand=brand) for name in self.styles)
        self._style = Markup(style)  # noqa: S704 (our own file, and colors that the settings check)

    @property
    def sources(self) -> str:
        """What a policy for browsers lets the pages show: their one style, and a logo in them."""
        digest = b64encode(sha256(self._style.encode()).digest()).decode()
        image = "; img-src data:" if self._brand.logo else ""
        return f"default-src 'none'; style-src 'sha256-{digest}'{image}"

    def _wanted(self, wanted: str) -> Language:
        return self._languages.open(_choose(wanted, spoken=self._languages.names))

    def _write(
        self,
        name: str,
        language: Language,
        /,
        **given: Any,  # noqa: ANN401 (words of a template)
    ) -> str:
        template = language.html.get_template(name)
        return template.render(
            {**language.variables, "brand": self._brand, "style": self._style, **given}
        )


class LinkPages(BrandPages):
    """Writes these pages."""

    def leading(
        self,
        download: Download,
        *,
        locale: str,
        organization: str,
        is_one_member: bool,
        is_own: bool,
        zone: str | None,
        support: str | None,
    ) -> str:
        """Write the page of a link that leads to a file.

        Args:
            download: the file, with its address as the page is to name it.
            locale: the reader's.
            organization: the name of whose data it is.
            is_one_member: whether it is the data of one member alone.
            is_own: whether that member is the reader.
            zone: the reader's, where it is not the organization's.
            support: of the policy; the brand's goes first.
        """
        return self._write(
            _LINK,
            self._languages.open(locale),
            download=download,
            organization=organization,
            is_one_member=is_one_member,
            is_own=is_own,
            zone=zone,
            support=self._brand.support_link or support,
        )

    def dead(self, *, wanted: str) -> str:
        """Write the page of every other link, in a language that a browser says it wants.

        It is the same page whatever the link is, and says nothing about anybody.
        """
        support = self._brand.support_link
        return self._write(_LINK, self._wanted(wanted), download=None, support=support)

    def unsubscribing(self, *, wanted: str, wish: Wish | None = None) -> str:
        """Write the page that asks whether to unsubscribe, or says what was noted.

        It is the same page whoever asks, in a language that a browser says it wants.
        """
        support = self._brand.support_link
        return self._write(_UNSUBSCRIBE, self._wanted(wanted), wish=wish or "", support=support)

    def asking_again(self, *, wanted: str, is_done: bool) -> str:
        """Write the page on which a person asks for their messages again, or what comes of it.

        It is the same page whoever asks, in a language that a browser says it wants.
        """
        support = self._brand.support_link
        return self._write(_AGAIN, self._wanted(wanted), is_done=is_done, support=support)


def _choose(wanted: str, *, spoken: tuple[str, ...]) -> str:
    """Choose a language by the header ``Accept-Language`` (RFC 9110, section 12.5.4)."""
    parts = (_WANTED.fullmatch(part) for part in wanted.split(",")[:_WANTED_MAX])
    weighed = [(float(part[2] or 1), part[1]) for part in parts if part]
    weighed.sort(key=lambda pair: -pair[0])
    return negotiate_locale([tag for _, tag in weighed], spoken, sep="-") or spoken[0]
