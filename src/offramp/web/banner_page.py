"""Several banners on one page that needs nothing else: the shipped element shows them.

Source: docs/banner.md.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from offramp.web.element import element_script

_PAGE = "banners.html.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One banner as a document, and what to say of whose it is."""

    title: str
    banner: object


def write_banner_page(heading: str, sights: Iterable[Sight]) -> str:
    """Write the page, each banner below its title."""
    environment = Environment(
        loader=PackageLoader("offramp.web"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(_PAGE).render(
        heading=heading,
        script=Markup(element_script().decode()),  # noqa: S704 (our own file)
        sights=[
            {
                "title": sight.title,
                "answer": Markup(_inside_script({"banner": sight.banner, "changes_at": None})),  # noqa: S704 (escaped)
            }
            for sight in sights
        ],
    )


def _inside_script(document: object) -> str:
    """Write a document so that nothing in it can end the script that it stands in."""
    return json.dumps(document).replace("<", "\\u003c")
