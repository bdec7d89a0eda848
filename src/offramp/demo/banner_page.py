"""The banners of a play on one page.

Source: docs/banner.md.
"""

from collections.abc import Sequence
from pathlib import Path

from offramp.demo.play import ZONE, Probe
from offramp.web.banner_page import Sight, write_banner_page

PAGE = "banners.html"


def write_banners(probes: Sequence[Probe], folder: Path) -> None:
    """Write the page, each banner once, below whose it was and when; none where there is none."""
    shown = {(probe.at, probe.who): probe for probe in probes if probe.banner is not None}
    if not shown:
        return
    sights = [
        Sight(
            title=f"{probe.who}, {probe.at.to_tz(ZONE).to_stdlib():%Y-%m-%d %H:%M}",
            banner=probe.banner,
        )
        for probe in shown.values()
    ]
    page = write_banner_page("What the product showed", sights)
    (folder / PAGE).write_text(page, encoding="utf-8")
