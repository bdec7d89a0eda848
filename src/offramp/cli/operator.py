"""`offramp operator`: who works with the console.

Nobody types a password here: whoever is let in chooses theirs in the browser.

Source: docs/console.md; `engine.operators`.
"""

from typing import Annotated

import typer
from whenever import Instant

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.config import load_settings
from offramp.core.operator import OperatorRole
from offramp.engine import operators
from offramp.engine.operators import PATH, Invitation
from offramp.ports import Operator

app = typer.Typer(help="Who works with the console.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their mail address.")]


@app.command()
@guarded
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="What they are called.")],
    role: Annotated[OperatorRole, typer.Option(help="What they may do.")],
    as_json: AsJson = False,
) -> None:
    """Let somebody work with the console; prints the link by which they come in."""
    invitation = operators.add_operator(open_context(), name=name, address=email, role=role)
    _show(invitation, as_json=as_json)


@app.command("list")
@guarded
def list_operators(as_json: AsJson = False) -> None:
    """List everybody who works with the console, or did."""
    found = operators.list_operators(open_context())
    if as_json:
        show_json({"operators": [_data(each) for each in found]})
    elif found:
        columns = ("e-mail", "name", "role", "state")
        show_table(columns, [(e.address, e.name, e.role.value, _state(e)) for e in found])
    else:
        show_text("nobody works with the console yet; offramp serve prints a link for the first")


@app.command()
@guarded
def disable(email: Email, as_json: AsJson = False) -> None:
    """Shut somebody out of the console, everywhere and at once."""
    count = operators.disable_operator(open_context(), email)
    if as_json:
        show_json({"disabled": email, "sessions_ended": count})
    else:
        show_text(f"{email} is shut out; sessions ended: {count}")


@app.command()
@guarded
def link(email: Email, as_json: AsJson = False) -> None:
    """Print a link that signs somebody in once, and forget who they are elsewhere."""
    _show(operators.invite_again(open_context(), email), as_json=as_json)


def link_address(invitation: Invitation, *, base: str | None = None) -> str:
    """Write a link as it is opened: below the public address, or where the server listens."""
    settings = load_settings()
    listening = settings.serve_at if ":" in settings.serve_at else f"127.0.0.1:{settings.serve_at}"
    root = settings.public_address or base or f"http://{listening}"
    return f"{root.rstrip('/')}/{invitation.path}"


def _show(invitation: Invitation, *, as_json: bool) -> None:
    address = link_address(invitation)
    if load_settings().oidc_only:
        address = f"{address.removesuffix(invitation.path)}{PATH}"
        if as_json:
            show_json({"link": address, "expires_at": None})
        else:
            show_text(address)
        return
    if as_json:
        expires_at = invitation.expires_at.format_iso()
        show_json({"link": address, "expires_at": expires_at})
    else:
        show_text(address)
        show_text(f"works once, until {_clock(invitation.expires_at)}", style="dim")


def _clock(moment: Instant) -> str:
    return moment.format_iso(unit="second")


def _state(operator: Operator) -> str:
    if operator.disabled_at is not None:
        return f"disabled {_clock(operator.disabled_at)}"
    return "active" if operator.password or operator.issuer else "invited"


def _data(operator: Operator) -> dict[str, str | None]:
    disabled_at = operator.disabled_at.format_iso() if operator.disabled_at else None
    return {
        "operator": operator.id,
        "email": operator.address,
        "name": operator.name,
        "role": operator.role.value,
        "state": _state(operator).partition(" ")[0],
        "added_at": operator.added_at.format_iso(),
        "disabled_at": disabled_at,
    }
