"""All commands of the command line, imported, for tests that look at every one of them."""

import typer

from offramp.cli.late import LateCommand
from offramp.cli.main import app


def every_command():
    """Give every command of every group by its full name, such as ``offramp policy show``."""
    return _within(typer.main.get_command(app), name="offramp")


def _within(command, *, name):
    if isinstance(command, LateCommand):
        command = command.load()
    if not hasattr(command, "commands"):
        return {name: command}
    found = {}
    for inner_name, inner in command.commands.items():
        found |= _within(inner, name=f"{name} {inner_name}")
    return found
