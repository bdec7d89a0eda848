"""The banners of a play, on a page that needs nothing else: the shipped element shows them.

Source: docs/banner.md.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from offramp.demo.play import ZONE, Probe
from offramp.web.element import element_script

PAGE = "banners.html"


def write_banners(probes: Sequence[Probe], folder: Path) -> None:
    """Write the page, each banner once, below whose it was and when; none where there is none."""
    shown = {(probe.at, probe.who): probe for probe in probes if probe.banner is not None}
    if not shown:
        return
    environment = Environment(
        loader=PackageLoader("offramp.demo"), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template(f"{PAGE}.j2").render(
        script=Markup(element_script().decode()),  # noqa: S704 (our own file)
        sights=[
            {
                "who": probe.who,
                "at": f"{probe.at.to_tz(ZONE).to_stdlib():%Y-%m-%d %H:%M}",
                "answer": Markup(_inside_script({"banner": probe.banner, "changes_at": None})),  # noqa: S704 (escaped)
            }
            for probe in shown.values()
        ],
    )
    (folder / PAGE).write_text(page, encoding="utf-8")


def _inside_script(document: object) -> str:
    """Write a document so that nothing in it can end the script that it stands in."""
    return json.dumps(document).replace("<", "\\u003c")
