"""The element that shows a banner in a page: one file, to be served from here or to be copied.

Source: docs/banner.md; docs/decisions/027-banner.md.
"""

from importlib.resources import files

FILE_NAME = "offramp-banner.js"


def element_script() -> bytes:
    """Read the file as it is shipped."""
    return (files("offramp.web") / "static" / FILE_NAME).read_bytes()
