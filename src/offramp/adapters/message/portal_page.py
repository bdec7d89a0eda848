"""The pages of the portal, in the language of whoever reads them.

They fetch nothing and run nothing, as the pages behind links; see `page.py`.

Source: docs/portal.md; docs/decisions/036-portal.md.
"""

from collections.abc import Mapping

from offramp.adapters.message.page import BrandPages


class PortalPages(BrandPages):
    """Writes these pages."""

    styles = ("style.css", "portal.css")

    @property
    def renewal(self) -> str | None:
        """Where administrators renew, as a link."""
        return self._brand.renewal_link

    def write(
        self, page: str, *, locale: str | None, wanted: str, given: Mapping[str, object]
    ) -> str:
        """Write a page with what its template is given.

        Args:
            locale: of whoever is signed in; without one, what a browser says it wants.
        """
        language = self._wanted(wanted) if locale is None else self._languages.open(locale)
        support = self._brand.support_link
        return self._write(f"portal/{page}.html", language, support=support, **given)
