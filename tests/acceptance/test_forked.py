"""A forked command is the command: the same words, streams, exit codes and files as from cold."""

import os
import subprocess

import pytest

from tests.acceptance import forked
from tests.acceptance.installation import COMMAND, LEAVING

COMMANDS = {
    "help": ("--help",),
    "help of a group": ("policy", "--help"),
    "no command": ("no-such-command",),
    "no arguments": (),
    "an answer": ("ledger", "verify", "--json"),
    "a table": ("timeline", LEAVING),
    "an error": ("timeline", "no-such-organization"),
    "an error as data": ("timeline", "no-such-organization", "--json"),
    "standard input": ("mail", "returned", "--json"),
}
REPORT = "Subject: Away\n\nUntil Monday."


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_it_says_and_ends_as_one_that_was_started_cold(installation, arguments):
    place = {"cwd": installation.folder, "env": installation.environment, "timeout": 60}
    cold = subprocess.run(
        [*COMMAND, *arguments], input=REPORT, capture_output=True, text=True, check=False, **place
    )

    warm = installation.run(*arguments, given=REPORT)

    assert (warm.code, warm.out, warm.err) == (cold.returncode, cold.stdout, cold.stderr)


def test_it_leaves_nothing_to_the_next_one(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    environment = dict(os.environ)

    for _ in range(2):  # once for each of the two that take turns
        forked.run("init", folder=one, environment=environment | {"OFFRAMP_FOLDER": "kept"})
        forked.run("init", folder=other, environment=environment)

    assert {file.name for file in one.iterdir()} == {"offramp.toml", "kept"}
    assert {file.name for file in other.iterdir()} == {"offramp.toml", "offramp-data"}


def test_one_that_does_not_end_is_killed_and_the_next_one_runs(installation):
    place = {"folder": installation.folder, "environment": installation.environment}

    with pytest.raises(subprocess.TimeoutExpired):
        forked.run("serve", "--listen", "0", **place, seconds_max=3)

    for _ in range(2):  # once for each of the two that take turns
        assert forked.run("status", **place).returncode == 0
