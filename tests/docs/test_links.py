"""Nothing points nowhere: links between documents, headings, and the documents that code cites."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from offramp.core.advice import warnings
from offramp.documents.policy import read_policy

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
CODE = sorted(
    file
    for folder in ("src", "examples")
    for file in (ROOT / folder).rglob("*")
    if file.suffix in {".py", ".yaml", ".j2", ".jinja"}
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CITED = re.compile(r"(?<![\w/])docs/[\w/.-]+\.(?:md|svg)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchor(heading):
    """Give the name under which a heading can be linked."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def anchors(file):
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    return {anchor(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}


def broken_links(text, folder):
    """List the links of a document that lead to no file or no heading."""
    found = []
    for target in LINK.findall(FENCE.sub("", text)):
        if "://" in target or target.startswith("#"):
            continue
        name, _, heading = target.partition("#")
        file = folder / name
        if not file.exists() or (heading and heading not in anchors(file)):
            found.append(target)
    return found


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(file):
    assert broken_links(file.read_text(encoding="utf-8"), file.parent) == []


def test_every_document_that_code_cites_is_there():
    cited = {
        (name, file.relative_to(ROOT).as_posix())
        for file in [*CODE, ROOT / "pyproject.toml", ROOT / "dev.py"]
        for name in CITED.findall(file.read_text(encoding="utf-8"))
    }

    assert len(cited) > 10
    assert sorted((n, f) for n, f in cited if not (ROOT / n).is_file()) == []


def test_every_decision_says_what_it_forbids_and_fits_a_page():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [d.name[:3] for d in decisions] == [f"{n:03}" for n in range(1, len(decisions) + 1)]
    for decision in decisions:
        text = decision.read_text(encoding="utf-8")
        assert re.search(r"\*\*(It|What it) forbids", text), decision.name
        assert len(text.splitlines()) <= 60, decision.name


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        targets = (t.partition("#")[0] for t in LINK.findall(file.read_text(encoding="utf-8")))
        linked = ((file.parent / t).resolve() for t in targets if t and "://" not in t)
        waiting += [each for each in linked if each.suffix == ".md" and each.is_file()]

    assert [p for p in (ROOT / "docs").rglob("*.md") if p.resolve() not in reached] == []


def test_the_policy_in_the_readme_is_valid_and_nothing_has_to_be_thought_about(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL).group(1)
    file = tmp_path / "policy.yaml"
    file.write_text(text)

    assert YAML(typ="safe").load(text)["offramp"] == 1
    assert list(warnings(read_policy(file))) == []


@pytest.mark.parametrize("target", ["gone.md", "README.md#no-such-heading"])
def test_a_link_to_nowhere_is_noticed(target):
    assert broken_links(f"see [this]({target})", ROOT) == [target]


def test_a_link_inside_a_code_block_is_no_link():
    assert broken_links("```\n[this](gone.md)\n```\n", ROOT) == []
