"""`offramp pool`: what was bought, and how its seats are taken.

Source: mission B11; `engine.people` for everything that is shown.
"""

from typing import Annotated, Any

import typer

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table
from offramp.core.seats import SeatCount
from offramp.engine.people import seats_of

app = typer.Typer(help="What was bought, and who has a seat in it.", no_args_is_help=True)


@app.callback()
def pool() -> None:
    """Keep the group a group while it has one command."""


@app.command("seats")
@guarded
def seats(
    organization: Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")],
    as_json: AsJson = False,
) -> None:
    """Count the seats of every pool: bought, taken, free, and missing."""
    counts = seats_of(open_context(), organization)
    if as_json:
        show_json({"organization": organization, "pools": [_data(each) for each in counts]})
        return
    show_table(
        ("pool", "product", "kind", "end", "seats", "taken", "free", "missing"),
        [_row(each) for each in counts],
    )


def _row(count: SeatCount) -> tuple[str, ...]:
    pool = count.pool
    ends = f"{pool.ends or ''}{', over' if count.is_over else ''}"
    numbers = (pool.seats, count.taken, count.free, count.missing)
    return pool.id, pool.product, pool.kind, ends, *map(str, numbers)


def _data(count: SeatCount) -> dict[str, Any]:
    pool = count.pool
    return {
        "pool": pool.id,
        "product": pool.product,
        "kind": pool.kind,
        "ends": str(pool.ends) if pool.ends else None,
        "is_over": count.is_over,
        "seats": pool.seats,
        "taken": count.taken,
        "free": count.free,
        "missing": count.missing,
    }
