"""The command starts with what is installed at least, and imports what is asked for at most."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from offramp.cli.main import app
from offramp.cli.policy import app as policy_app

ROOT = Path(__file__).parents[3]
WITHOUT_DRIVERS = """
import sys
sys.modules |= {"psycopg": None, "pymysql": None}
from tests.commands import every_command
print(len(every_command()))
"""
AND_NAME_WHAT_WAS_IMPORTED = """
import sys
from offramp.cli.main import app
try:
    app()
finally:
    print(*sys.modules, file=sys.stderr)
"""
AND_COUNT_WHAT_STAYS = """
import gc
from offramp.cli.main import app
try:
    app()
finally:
    print(gc.get_freeze_count(), gc.get_threshold()[0])
"""
EXTRAS = {"aiosmtpd", "dbos", "faker", "fastapi", "httpx2", "obstore", "playwright", "typst"}
UNWANTED = {
    ("--help",): EXTRAS | {"cryptography", "jinja2", "pydantic", "rich", "sqlalchemy", "whenever"},
    ("policy", "schema"): EXTRAS | {"alembic", "cryptography", "jinja2", "sqlalchemy"},
    ("status",): EXTRAS | {"alembic", "offramp.demo", "offramp.data.inference"},
}


def python(program, *arguments, folder=ROOT):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_can_be_had_where_no_driver_of_a_server_is_installed():
    finished = python(WITHOUT_DRIVERS)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert int(finished.stdout) > 40


@pytest.mark.parametrize("arguments", UNWANTED, ids=" ".join)
def test_a_command_imports_nothing_that_only_others_need(tmp_path, arguments):
    finished = python(AND_NAME_WHAT_WAS_IMPORTED, *arguments, folder=tmp_path)

    imported = set(finished.stderr.split())
    assert "offramp.cli.late" in imported
    assert imported & UNWANTED[arguments] == set()


@pytest.mark.parametrize("group", [app, policy_app], ids=["all", "policy"])
def test_the_list_says_of_a_command_what_the_command_says_of_itself(group):
    listed = typer.main.get_group(group).commands

    late = {name: command for name, command in listed.items() if hasattr(command, "load")}

    assert late
    assert {name: command.get_short_help_str(1000) for name, command in late.items()} == {
        name: command.load().get_short_help_str(1000) for name, command in late.items()
    }


def test_no_search_for_garbage_goes_through_what_a_command_imported():
    """One through everything takes as long as the deletion of thousands of rows."""
    finished = python(AND_COUNT_WHAT_STAYS, "policy", "schema")

    spared, between_searches = map(int, finished.stdout.split()[-2:])
    assert spared > 10_000
    assert between_searches > 700


def test_the_command_says_which_version_it_is():
    finished = python("from offramp.cli.main import app; app()", "--version")

    assert finished.stdout == f"offramp {version('offramp')}\n"
    assert (finished.returncode, finished.stderr) == (0, "")
