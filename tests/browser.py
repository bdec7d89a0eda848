"""A Chromium, for the tests that read pages as people do and for the pictures of the docs."""

import os
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from offramp.adapters.message.picture import find_browser


@contextmanager
def open_browser():
    """Start it for the length of the block."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=find_browser(), chromium_sandbox=os.geteuid() != 0
        )
        yield started
        started.close()
