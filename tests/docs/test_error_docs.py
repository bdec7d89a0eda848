"""docs/errors.md lists every error with its sentence under its exit code, and no other."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import offramp
from offramp.core.errors import ROOTS, OfframpError

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
PLACES_WITHOUT_ERRORS = ("offramp.__main__", "offramp.adapters.store.migrations")


def load_everything():
    for module in pkgutil.walk_packages(offramp.__path__, "offramp."):
        if not module.name.startswith(PLACES_WITHOUT_ERRORS):
            importlib.import_module(module.name)


def leaves(error=OfframpError):
    """List every error that can be raised, by module and name."""
    found = [] if error in (OfframpError, *ROOTS) else [error]
    for narrower in error.__subclasses__():
        if narrower.__module__.startswith("offramp."):
            found += leaves(narrower)
    return sorted(set(found), key=lambda leaf: (leaf.__module__, leaf.__name__))


load_everything()


def root_of(error):
    return next((root for root in ROOTS if issubclass(error, root)), OfframpError)


def section(root):
    """Cut the section of one root out of the page."""
    _, found, rest = PAGE.partition(f"## {root.__name__}\n")
    assert found, f"docs/errors.md has no section for {root.__name__}"
    return rest.partition("\n## ")[0]


def row(error):
    """Write the row of an error as the page has it."""
    sentence = " ".join((error.__doc__ or "").split("\n\n", 1)[0].split())
    return f"| `{error.__name__}` | `{error.__module__.removeprefix('offramp.')}` | {sentence} |"


@pytest.mark.parametrize("error", leaves(), ids=lambda error: error.__name__)
def test_every_error_is_listed_under_its_root(error):
    assert row(error) in section(root_of(error))


def test_no_error_is_listed_that_does_not_exist():
    listed = re.findall(r"^\| `\w+` \| `[\w.]+` \| .*$", PAGE, re.MULTILINE)

    assert sorted(listed) == sorted(row(error) for error in leaves())


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.__name__)
def test_every_root_says_what_it_means_outside(root):
    again = "yes" if root.retry else "no"

    assert f"| `{root.__name__}` | {root.exit_code} | {root.http_status} | {again} |" in PAGE
