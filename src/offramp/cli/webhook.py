"""`offramp webhook`: the endpoints that are told of events.

Source: docs/webhooks.md.
"""

from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.option import read_instant
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.core.event_kind import EventKind
from offramp.engine import webhook
from offramp.engine.context import Context
from offramp.engine.webhook import EndpointView

app = typer.Typer(help="The endpoints that are told of events.", no_args_is_help=True)

Endpoint = Annotated[str, typer.Argument(metavar="NAME", help="An endpoint, by its name.")]


@app.command("list")
@guarded
def list_endpoints(as_json: AsJson = False) -> None:
    """Show every endpoint, what it wants, and what waits for it."""
    found = webhook.overview(_open())
    if as_json:
        show_json({"endpoints": [_data(view) for view in found]})
    elif found:
        columns = ("endpoint", "where", "events", "waiting", "retried", "failed", "state")
        show_table(columns, [_row(view) for view in found], unbroken=("endpoint", "state"))
    else:
        show_text("no endpoint is declared; docs/webhooks.md says how")


@app.command("test")
@guarded
def try_out(endpoint: Endpoint, as_json: AsJson = False) -> None:
    """Send an endpoint an event that means nothing, now and once, and say what it answers."""
    reply = webhook.send_test(_open(), endpoint)
    if as_json:
        show_json({"endpoint": endpoint, "status": reply.status})
    else:
        show_text(f"{endpoint} took the event: it answers {reply.status}")


@app.command()
@guarded
def replay(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this endpoint.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Everything that happened since then.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="ID", help="One event, by its webhook-id.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send events once more, under the ids that they had, to whoever wants their kind."""
    start = None if since is None else read_instant("--since", since)
    count = webhook.send_again(_open(), endpoint=endpoint, event=event, since=start)
    if as_json:
        show_json({"events": count})
    else:
        show_text(f"{count} events will be sent again by the next run, or the workers")


@app.command()
@guarded
def enable(endpoint: Endpoint, as_json: AsJson = False) -> None:
    """Send an endpoint everything again that answered 410, beginning with what has waited."""
    was_disabled = webhook.enable(_open(), endpoint)
    if as_json:
        show_json({"endpoint": endpoint, "was_disabled": was_disabled})
    else:
        show_text(f"{endpoint} is " + ("enabled again" if was_disabled else "enabled already"))


def _open() -> Context:
    return open_context(with_endpoints=True)


def _data(view: EndpointView) -> dict[str, object]:
    load = view.load
    return {
        "endpoint": view.name,
        "place": view.place,
        "events": sorted(view.kinds),
        "waiting": load.waiting,
        "retried": load.retried,
        "failed": load.failed,
        "next_try_at": load.next_try_at.format_iso() if load.next_try_at else None,
        "disabled_at": load.disabled_at.format_iso() if load.disabled_at else None,
    }


def _row(view: EndpointView) -> tuple[str, ...]:
    load = view.load
    wants_all = view.kinds >= set(EventKind)
    disabled_at = load.disabled_at
    state = f"disabled {disabled_at.round('second', mode='floor')}" if disabled_at else "enabled"
    kinds = "all" if wants_all else ", ".join(sorted(view.kinds))
    counts = (str(load.waiting), str(load.retried), str(load.failed))
    return (view.name, view.place, kinds, *counts, state)
