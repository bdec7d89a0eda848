"""All commands under one name. A group of commands joins by one line here.

Source: house rule 6 (the command line translates).
"""

import typer

from offramp.cli import policy

app = typer.Typer(
    name="offramp",
    help="Carry a leaving customer from the end of the license to proven zero.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(policy.app, name="policy")
