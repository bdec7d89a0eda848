"""`offramp api-key`: which programs may ask over HTTP, and what.

Source: docs/http.md, "Keys"; `engine.api_keys`.
"""

from typing import Annotated

import typer
from whenever import Instant

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.core.operator import OperatorRole
from offramp.engine import api_keys
from offramp.ports import ApiKey

app = typer.Typer(help="Which programs may ask over HTTP, and what.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the program is called.")]


@app.command()
@guarded
def create(
    name: Name,
    role: Annotated[OperatorRole, typer.Option(help="What it may do, as for operators.")],
    organization: Annotated[
        str | None, typer.Option(metavar="ORG", help="The only organization that it is for.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="After how many days it is good for nothing.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a program, and print it; it is not shown again."""
    made = api_keys.create_key(
        open_context(), name, role=role, organization=organization, days=days
    )
    if as_json:
        show_json({"key": made.secret, **_data(made.key)})
    else:
        show_text(made.secret)
        show_text("it is not shown again; the store keeps only its digest", style="dim")


@app.command("list")
@guarded
def list_keys(as_json: AsJson = False) -> None:
    """List the keys, with those that are over."""
    context = open_context()
    now, found = context.clock.now(), api_keys.list_keys(context)
    if as_json:
        keys = [{**_data(each), "state": _state(each, now=now)} for each in found]
        show_json({"api_keys": keys})
    elif found:
        columns = ("name", "key", "role", "organization", "used", "state")
        show_table(columns, [_row(each, now=now) for each in found], unbroken=("name", "key"))
    else:
        show_text("there are no keys; offramp api-key create makes one")


@app.command()
@guarded
def revoke(name: Name, as_json: AsJson = False) -> None:
    """Let a key open nothing any more, from the next request on."""
    revoked = api_keys.revoke_key(open_context(), name)
    if as_json:
        show_json(_data(revoked))
    else:
        show_text(f"{name} opens nothing any more")


def _row(key: ApiKey, *, now: Instant) -> tuple[str, ...]:
    used = str(key.used_on or "never")
    where = key.organization or "all"
    return key.name, f"{key.hint}…", key.role.value, where, used, _state(key, now=now)


def _state(key: ApiKey, *, now: Instant) -> str:
    if key.is_good(now):
        return "good"
    return "revoked" if key.revoked_at else "expired"


def _data(key: ApiKey) -> dict[str, str | None]:
    return {
        "name": key.name,
        "hint": key.hint,
        "role": key.role.value,
        "organization": key.organization,
        "made_at": key.made_at.format_iso(),
        "expires_at": key.expires_at.format_iso() if key.expires_at else None,
        "used_on": str(key.used_on) if key.used_on else None,
        "revoked_at": key.revoked_at.format_iso() if key.revoked_at else None,
    }
