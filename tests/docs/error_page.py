"""Writes docs/errors.md from the errors themselves: python -m tests.docs.error_page."""

import importlib
import pkgutil
from pathlib import Path

import offramp
from offramp.core.errors import ROOTS, OfframpError
from offramp.data.sources import mysql_trouble, postgres_trouble, sqlite_trouble

FILE = Path(__file__).parents[2] / "docs" / "errors.md"
PLACES_WITHOUT_ERRORS = ("offramp.__main__", "offramp.adapters.store.migrations")
HEAD = """\
# Errors

Whatever can go wrong on purpose is one of six kinds. The kind says what it means for a program, the
name is stable (`code` in JSON), the sentence is what a person reads, and a hint says what to do. An
error never carries a person's data or a secret.

| kind | exit | HTTP | again? | means |
|---|---|---|---|---|
"""
FOOT = """
What is in braces is filled in. What nobody foresaw is `Unexpected`, exit 70: it names a place in
our code, never the values that were in hand there.
"""
SAID = """
## What {database}, and what to do

{law}

| code | error | reason | what to do |
|---|---|---|---|
"""
BY_BEGINNING = "A code stands for those that begin with it and are not listed themselves."
BY_NUMBER = "The numbers of both databases are the same; some are known to one of them alone."
DATABASES = (
    ("PostgreSQL says", BY_BEGINNING, postgres_trouble.TROUBLES),
    ("SQLite says", BY_BEGINNING, sqlite_trouble.TROUBLES),
    (
        "MySQL and MariaDB say",
        BY_NUMBER,
        {" ".join(map(str, codes)): each for each, codes in mysql_trouble.TROUBLES.items()},
    ),
)


def leaves(error=OfframpError):
    """List every error of the package that can be raised, by name."""
    found = set() if error in (OfframpError, *ROOTS) else {error}
    for narrower in error.__subclasses__():
        if narrower.__module__.startswith("offramp."):
            found |= set(leaves(narrower))
    return sorted(found, key=lambda leaf: (leaf.__name__, leaf.__module__))


def root_of(error):
    """Name the kind of an error."""
    return next((root for root in ROOTS if issubclass(error, root)), OfframpError)


def page():
    """Write the whole page."""
    for module in pkgutil.walk_packages(offramp.__path__, "offramp."):
        if not module.name.startswith(PLACES_WITHOUT_ERRORS):
            importlib.import_module(module.name)
    said = "".join(_said(*database) for database in DATABASES)
    return HEAD + "".join(map(_kind, ROOTS)) + FOOT + "".join(map(_section, ROOTS)) + said


def _kind(root):
    again = "yes" if root.retry else "no"
    codes = f"{root.exit_code} | {root.http_status}"
    return f"| `{root.__name__}` | {codes} | {again} | {root.__doc__} |\n"


def _section(root):
    rows = "".join(_row(error) for error in leaves(root))
    return f"\n## {root.__name__}\n\n| error | from | sentence |\n|---|---|---|\n{rows}"


def _said(database, law, troubles):
    return SAID.format(database=database, law=law) + "".join(
        f"| `{code}` | `{each.kind.__name__}` | {each.reason} | {each.hint} |\n"
        for code, each in troubles.items()
    )


def _row(error):
    sentence = " ".join(error.__doc__.split("\n\n", 1)[0].split())
    place = error.__module__.removeprefix("offramp.")
    return f"| `{error.__name__}` | `{place}` | {sentence} |\n"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
