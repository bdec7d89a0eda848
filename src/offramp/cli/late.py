"""Commands that are imported when they are asked for: who wants one does not pay for all.

Source: typer.core.TyperGroup, of which this replaces the one place where a command is chosen.
"""

import gc
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:  # typer carries its click inside, and names these types nowhere else
    from typer._click.core import Command, Context

_OBJECTS_BETWEEN_SEARCHES = 10_000  # of the newest ones; Python's own choice is 700


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is, or a group of them, and what the list of all commands says of it.

    Attributes:
        path: of a function or of an app, such as ``offramp.cli.status:status``.
        sentence: the first one of its own help.
    """

    path: str
    sentence: str


class LateCommand(TyperCommand):
    """Stands in the list for a command that is not imported."""

    def __init__(self, name: str, *, place: Place) -> None:
        """Know a command by its name and its sentence alone."""
        super().__init__(name, help=place.sentence)
        self._path = place.path

    def load(self) -> "Command":
        """Import the command, or the group."""
        found = imported(self._path)
        alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=self.name)
        else:
            alone.command(self.name)(found)
        (command,) = typer.main.get_group(alone).commands.values()
        return command


def imported(path: str) -> Any:  # noqa: ANN401 - whatever is there
    """Import what is at a path, such as ``offramp.cli.status:status``."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def seldom_collect() -> None:
    """Search for garbage seldom: an import makes none, and a statement's is gone with it."""
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)


def keep_imported() -> None:
    """Let no search for garbage go through what is there by now, and stays to the end."""
    if not gc.get_freeze_count():
        gc.freeze()


class LateGroup(TyperGroup):
    """A group that has such commands, after those that it has at once."""

    places: ClassVar[Mapping[str, Place]] = {}

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - typer's own arguments, handed on
        """Take what typer gives, and put the places into the list."""
        super().__init__(**given)
        for name, place in self.places.items():
            self.add_command(LateCommand(name, place=place))

    def resolve_command(
        self, ctx: "Context", args: list[str]
    ) -> "tuple[str | None, Command | None, list[str]]":
        """Find the command that is asked for, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, LateCommand):
            seldom_collect()
            command = command.load()
            keep_imported()
        return name, command, rest
