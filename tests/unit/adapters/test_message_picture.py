"""Pictures of messages where the browser does not do as it should."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from playwright.sync_api import Error as PlaywrightError

from offramp.adapters.message import picture
from offramp.adapters.message.picture import SECONDS_MAX, PictureNotTaken, open_camera


class Busy:
    """A browser, its window and its page in one, that never comes to show anything."""

    def __init__(self):
        self.timeouts_ms = []

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass

    def launch(self, **options):
        return self

    def new_context(self, **options):
        return self

    def set_default_timeout(self, milliseconds):
        self.timeouts_ms.append(milliseconds)

    def route(self, pattern, handle):
        pass

    def new_page(self):
        return self

    def set_content(self, html):
        raise PlaywrightError(f"Timeout {self.timeouts_ms[-1]}ms exceeded: {html}")


def test_a_browser_that_does_not_answer_takes_no_picture_and_says_after_how_long(monkeypatch):
    browser = Busy()
    playwright = nullcontext(SimpleNamespace(chromium=browser))
    monkeypatch.setattr(picture, "sync_playwright", lambda: playwright)

    with open_camera() as take, pytest.raises(PictureNotTaken, match="within 30 seconds") as caught:
        take("<p>Dear Anna Nowak</p>")

    assert set(browser.timeouts_ms) == {SECONDS_MAX * 1000}
    assert "busy" in caught.value.hint
    assert "Anna" not in str(caught.value)
