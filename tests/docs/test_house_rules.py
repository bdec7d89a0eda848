"""House rules no linter knows: nothing unfinished, nothing swallowed, nothing of one machine."""

import ast
import os
import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS_FILE = Path(__file__).relative_to(ROOT).as_posix()

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|NotImplementedError)\b"
    r"|\bpytest\.(skip|importorskip)\b|\bmark\.(skip|skipif|xfail)\b"
)
# Rule 22: a tick, a request and a command may each catch everything, once, to record and report it.
EDGES = ("engine", "web", "cli")
# A package index has another host in every network; what leads to one has no place here.
INDEX_HOST = re.compile(r"https?://[\w.-]+/(simple|packages)\b|index-url|find-links", re.I)
HOME_OF_SOMEBODY = re.compile(r"(?<![\w.<])/(root|home/\w+|Users/\w+|work)/")


def ours():
    """List the files of the repository, without what .gitignore leaves out."""
    ignored = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().split())]
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not any(fnmatch(name, like) for like in ignored)]
        for name in files:
            if not any(fnmatch(name, like) for like in ignored):
                yield (Path(folder) / name).relative_to(ROOT).as_posix()


def places(pattern, source, name):
    """List the lines of one file that a pattern matches."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for number, line in enumerate(source.splitlines(), start=1)
        if pattern.search(line)
    ]


def broad_excepts(source, name):
    """List the handlers that catch everything."""
    return [
        f"{name}:{node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]


def _is_broad(caught):
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))
        for kind in kinds
    )


def found_in(names, look):
    return [place for name in names for place in look((ROOT / name).read_text("utf-8"), name)]


FILES = sorted(set(ours()) - {THIS_FILE})
TEXT_FILES = [name for name in FILES if b"\0" not in (ROOT / name).read_bytes()]
PYTHON_FILES = [name for name in FILES if name.endswith(".py")]


def test_nothing_is_unfinished_or_skipped():
    found = found_in(PYTHON_FILES, lambda text, name: places(UNFINISHED, text, name))

    assert not found, "\n".join(found)


def test_only_the_three_edges_catch_everything_and_each_in_one_place():
    found = found_in([name for name in PYTHON_FILES if name.startswith("src/")], broad_excepts)

    packages = Counter(place.split("/")[2] for place in found)

    assert packages <= Counter(EDGES), "\n".join(found)


def test_no_file_names_a_package_index_or_a_place_on_one_machine():
    elsewhere = re.compile(f"{INDEX_HOST.pattern}|{HOME_OF_SOMEBODY.pattern}", re.IGNORECASE)

    found = found_in(TEXT_FILES, lambda text, name: places(elsewhere, text, name))

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (UNFINISHED, "x = 1  # TODO: later"),
        (UNFINISHED, "raise NotImplementedError"),
        (UNFINISHED, "@pytest.mark.skipif(True, reason='')"),
        (UNFINISHED, "pytest.skip('no server')"),
        (INDEX_HOST, "https://index.example/simple"),
        (INDEX_HOST, "--extra-index-url https://example.com"),
        (HOME_OF_SOMEBODY, "path = '/home/anna/offramp'"),
        (HOME_OF_SOMEBODY, "/root/.cache"),
    ],
)
def test_each_pattern_finds_what_it_is_for(pattern, line):
    assert places(pattern, line, "some.py")


@pytest.mark.parametrize("line", ["GET /organizations/root/members", "see docs/work/index.md"])
def test_a_path_of_ours_is_not_taken_for_a_home(line):
    assert not places(HOME_OF_SOMEBODY, line, "some.py")


@pytest.mark.parametrize("kind", ["", " Exception", " BaseException as e", " (OSError, Exception)"])
def test_every_form_of_a_broad_except_is_found(kind):
    assert broad_excepts(f"try:\n    pass\nexcept{kind}:\n    pass\n", "some.py") == ["some.py:3"]


def test_a_narrow_except_is_not():
    assert not broad_excepts("try:\n    pass\nexcept (OSError, ValueError):\n    pass\n", "some.py")
