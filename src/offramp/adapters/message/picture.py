"""Messages as their readers see them: pictures by a Chromium, in light, in the dark, on a phone.

Needs the extra `preview`, and a Chromium on this machine. Nothing is fetched while a picture is
taken: every request is refused, and no script is run but that of our own element.

Source: docs/cli.md (`offramp message preview`).
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from offramp.core.errors import Unavailable

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS_MAX = 30
HEIGHT = 400  # at least; a picture is as high as its message


class BrowserMissing(Unavailable):
    """There is no Chromium on this machine that pictures can be taken with."""


class PictureNotTaken(Unavailable):
    """The browser took no picture within {seconds} seconds."""


class Light(NamedTuple):
    """How a message is looked at."""

    scheme: Literal["light", "dark"]
    width: int


LIGHTS = {
    "light": Light("light", 720),
    "dark": Light("dark", 720),
    "phone": Light("light", 375),
    "phone-dark": Light("dark", 375),
}


@contextmanager
def open_camera() -> Iterator[Callable[..., Mapping[str, bytes]]]:
    """Start a browser for as long as the block lasts; it makes pictures of HTML.

    Raises:
        BrowserMissing: there is none, or it does not start.
    """
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=find_browser(), chromium_sandbox=os.geteuid() != 0
            )
        except PlaywrightError as error:
            hint = "apt-get install chromium, or playwright install chromium"
            raise BrowserMissing(hint=hint) from error
        with browser:

            @cache
            def pages(runs_scripts: bool) -> Mapping[str, Page]:
                return {
                    name: _open_page(browser, light, runs_scripts=runs_scripts)
                    for name, light in LIGHTS.items()
                }

            def take(html: str, *, runs_scripts: bool = False) -> Mapping[str, bytes]:
                return {name: _take(page, html) for name, page in pages(runs_scripts).items()}

            yield take


def _open_page(browser: Browser, light: Light, *, runs_scripts: bool) -> Page:
    """Open what all messages are shown in, one after the other: a new one takes far longer."""
    context = browser.new_context(
        viewport={"width": light.width, "height": HEIGHT},
        device_scale_factor=2,
        color_scheme=light.scheme,
        java_script_enabled=runs_scripts,
    )
    context.set_default_timeout(SECONDS_MAX * 1000)
    context.route("**/*", lambda route: route.abort())
    return context.new_page()


def _take(page: Page, html: str) -> bytes:
    """Give a picture of a whole message, as PNG.

    Raises:
        PictureNotTaken: the browser does not answer.
    """
    try:
        page.set_content(html)
        return page.screenshot(full_page=True)
    except PlaywrightError as error:
        raise PictureNotTaken(seconds=SECONDS_MAX, hint="is this machine very busy?") from error


def find_browser() -> str | None:
    """Find a Chromium of this machine; none lets Playwright use its own."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)
