"""`offramp member`: end dates, expiry, removal, return and seats, of one member or of many.

Whom a command is about stands in its arguments, or in a file with a row for each.

Source: mission B11; `engine.people`, of which each command is one use case.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.lifecycle import By, show_followed
from offramp.cli.opening import open_context
from offramp.cli.option import OptionMissing, OptionsClash, read_boundary
from offramp.cli.output import AsJson, guarded
from offramp.core.dates import Boundary
from offramp.documents.person_list import Listed, read_people
from offramp.engine.people import (
    Move,
    Person,
    end_members,
    expire_members,
    move_members,
    reactivate_members,
    remove_members,
)

app = typer.Typer(
    help="Give members an end, expire or remove them, take them back.", no_args_is_help=True
)

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Members = Annotated[list[str] | None, typer.Argument(metavar="[MEMBER]", help="Ids of members.")]
Product = Annotated[str | None, typer.Option(help="In this product alone.")]
File = Annotated[Path | None, typer.Option(help="A CSV or JSON file with a row for each.")]


@app.command("end")
@guarded
def end(
    organization: Organization,
    members: Members = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Their last day, or an instant.")
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="Take their end away.")] = False,
    product: Product = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Give members an end date of their own, or take it away before it comes."""
    is_given = (on is not None, never, file is not None)
    if sum(is_given) > 1:
        raise OptionsClash(options="--on, --never and --file")
    if not any(is_given):
        raise OptionMissing(option="--on, --never or --file")
    listed = _listed(members, file, required=("ends_on",), optional=("product",))
    ends = None if on is None else read_boundary("--on", on)
    people = _people(listed, product=product, ends=ends)
    show_followed(organization, end_members(open_context(), organization, people), as_json=as_json)


@app.command("expire")
@guarded
def expire(
    organization: Organization,
    members: Members = None,
    product: Product = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Expire members at once: their own term is over, and they take no seat."""
    people = _people(_listed(members, file, optional=("product",)), product=product)
    show_followed(
        organization, expire_members(open_context(), organization, people), as_json=as_json
    )


@app.command("remove")
@guarded
def remove(
    organization: Organization,
    members: Members = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Remove members from the organization at once."""
    people = _people(_listed(members, file))
    show_followed(
        organization, remove_members(open_context(), organization, people), as_json=as_json
    )


@app.command("reactivate")
@guarded
def reactivate(
    organization: Organization,
    members: Members = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Their next end; else none of their own.")
    ] = None,
    product: Product = None,
    by: Annotated[By, typer.Option(help="Who asks for it; the stage has to allow it.")] = By.ADMIN,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Take members back who have expired or were removed, with everything they have."""
    ends = None if until is None else read_boundary("--until", until)
    listed = _listed(members, file, optional=("ends_on", "product"))
    people = _people(listed, product=product, ends=ends)
    followed = reactivate_members(open_context(), organization, people, by=by.value)
    show_followed(organization, followed, as_json=as_json)


@app.command("move")
@guarded
def move(
    organization: Organization,
    members: Members = None,
    target: Annotated[
        str | None, typer.Option("--to", metavar="POOL", help="In which they get a seat.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="POOL", help="In which they give theirs back.")
    ] = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Move members from one pool to another, or give them a seat in one more."""
    listed = _listed(members, file, optional=("from", "to"))
    moves = [_move(each, source=source, target=target) for each in listed]
    show_followed(organization, move_members(open_context(), organization, moves), as_json=as_json)


def _listed(
    members: list[str] | None,
    file: Path | None,
    *,
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> Sequence[Listed]:
    """Give whom a command is about, from its arguments or from a file.

    Raises:
        OptionsClash, OptionMissing: both were given, or neither.
        RosterInvalid: the file is wrong.
    """
    if file is not None and members:
        raise OptionsClash(options="MEMBER and --file")
    if file is not None:
        return tuple(read_people(file, required=required, optional=optional))
    if not members:
        raise OptionMissing(option="MEMBER or --file")
    return [Listed(member=member) for member in members]


def _people(
    listed: Sequence[Listed], *, product: str | None = None, ends: Boundary | None = None
) -> list[Person]:
    return [
        Person(
            member=each.member,
            product=each.product or product,
            ends=each.ends or ends,
            line=each.line,
        )
        for each in listed
    ]


def _move(listed: Listed, *, source: str | None, target: str | None) -> Move:
    chosen = listed.target or target
    if chosen is None:
        raise OptionMissing(option="--to", hint="or a column to in the file")
    return Move(
        member=listed.member, source=listed.source or source, target=chosen, line=listed.line
    )
