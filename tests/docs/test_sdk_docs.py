"""The page about the SDK: its examples run one after the other, and its tables are the code's."""

import re
from pathlib import Path

import pytest

from offramp.core.policy import Capability
from offramp.core.snapshot_form import SnapshotDocument
from offramp.sdk import AccessDenied, Visit, Who, guard
from offramp.sdk.gate import BY_METHOD
from tests.unit.sdk.wire import Product
from tests.unit.web.acme import EXPIRED

PAGE = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(heading):
    """Give the cells of the table under a heading, without its head."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


@pytest.fixture
def said(monkeypatch):
    """Run the examples as they stand, in one module; the guard alone is that of a test."""
    monkeypatch.setenv("OFFRAMP_URL", "https://offramp.example")
    monkeypatch.setenv("OFFRAMP_ACCESS_KEY", "k" * 32)
    monkeypatch.setenv("SESSION_KEY", "s" * 32)
    product = Product()
    names = {"__name__": "notes"}
    for block in BLOCKS:
        exec(compile(block, "docs/sdk.md", "exec"), names)  # the page is ours
        if "gate" in names and names["guard"] is not product.guard:
            names["guard"] = names["gate"]._guard = product.guard
    return product, names


def test_the_examples_run_and_refuse_what_they_say_B3(said):
    product, names = said
    session = {"session": {"user": {"organization": "acme", "id": "ulf"}}}

    def passes(method, path):
        return names["gate"].judge(Visit(method=method, path=path, native=session)) is None

    assert passes("POST", "/notes")
    product.at(EXPIRED)
    assert not passes("POST", "/notes")
    assert not passes("POST", "/notes/7/copy")
    assert not passes("GET", "/console/people")
    assert passes("POST", "/notes/7/text")
    assert passes("GET", "/notes/7/download")
    assert passes("POST", "/account/renew")
    with pytest.raises(AccessDenied):
        names["add_note"]("text", Who(organization="acme", member="ulf", product="notes"))


def test_the_table_of_methods_is_the_one_that_counts():
    told = {
        method: Capability(needs.strip("`"))
        for methods, needs in rows("What a request does")
        for method in re.findall("`([A-Z]+)`", methods)
    }

    assert told == dict(BY_METHOD)


def test_every_field_of_a_snapshot_is_explained():
    told = {name.strip("`") for name, _ in rows("The snapshot")}

    assert told == set(SnapshotDocument.model_fields) - {"offramp", "organization"}


def test_the_numbers_are_those_of_the_code():
    assert f"`fresh_seconds` ({guard.FRESH_SECONDS})" in PAGE
    assert f"in {guard.RETRY_SECONDS} seconds" in PAGE
    assert f"`organizations_max` ({guard.ORGANIZATIONS_MAX:,})" in PAGE
