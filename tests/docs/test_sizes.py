"""No function or file outgrows what a reader can hold; ruff sees to lines and complexity."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
FOLDERS = ("src", "tests", "examples", "benchmarks")
FILES = [
    ROOT / "dev.py",
    *sorted(file for folder in FOLDERS for file in ROOT.glob(f"{folder}/**/*.py")),
]
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def too_large(source, name):
    """List what is over a limit in one file."""
    lines = len(source.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{name}: {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTION) and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX:
            yield f"{name}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"


def test_everything_fits_its_limit():
    found = [
        place
        for file in FILES
        for place in too_large(file.read_text(encoding="utf-8"), file.relative_to(ROOT))
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = 1\n" * (FILE_LINES_MAX + 1), id="file"),
        pytest.param("def long():\n" + "    x = 1\n" * FUNCTION_LINES_MAX, id="function"),
        pytest.param("async def long():\n" + "    x = 1\n" * FUNCTION_LINES_MAX, id="coroutine"),
    ],
)
def test_what_is_one_over_its_limit_is_found(source):
    assert len(list(too_large(source, "some.py"))) == 1


def test_what_is_exactly_at_its_limit_passes():
    function = "def long():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)

    assert list(too_large(function + "x = 1\n" * (FILE_LINES_MAX - FUNCTION_LINES_MAX), "s")) == []


def test_dev_py_stays_a_page_to_read():
    assert len((ROOT / "dev.py").read_text(encoding="utf-8").splitlines()) < 250
