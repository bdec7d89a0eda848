"""An installation with very many organizations, and a browser in which somebody is signed in.

It is an operator's, in the console, and at the same time an administrator's, in the portal: that
of an organization which has no copies, so that the address leads to one place.

A few organizations are registered as always, each with an end of its own; all others are copies of
their rows, made by the database, under ids and names of their own.

Source: docs/performance-console.md, which is written from what is measured on it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import Connection, Table, cast, insert, literal, select, text
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Text
from whenever import Date, Instant

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.portal_page import PortalPages
from offramp.adapters.store import schema
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.model import Member, Organization, Pool, Role
from offramp.core.operator import OperatorRole
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.operators import add_operator
from offramp.engine.portal_entry import send_entrances
from offramp.engine.publication import publish
from offramp.testing.passwords import PlainPasswords
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app

NOW = Instant.from_utc(2024, 8, 1, 6)
FIRST_END = Date(2024, 8, 15)  # so that the first are warned on this very day
ORIGINALS = 200
LEAVER = ORIGINALS  # the number of the organization that has no copies
POLICY = "license-pool"
ADDRESS = "https://offramp.vendor.example"
CHOSEN = "four ducks on a quiet pond"
LOCK_WAIT_SECONDS = 60
_COPIED = (
    schema.organization,
    schema.pool,
    schema.member,
    schema.member_role,
    schema.seat,
    schema.offboarding,
)


def fill(folder: Path, *, organizations: int) -> TestClient:
    """Tell a store of so many organizations, and let an operator sign in."""
    engine = connect(f"sqlite:///{folder / 'store.sqlite'}", lock_wait_seconds=LOCK_WAIT_SECONDS)
    migrate(engine)
    world = World(NOW, store=SqlStore(engine, ledger_key=b"k" * 32), public_address=ADDRESS)
    publish(world.context, find_policy(POLICY))
    originals = min(ORIGINALS, organizations)
    _register(world, range(originals))
    copies = organizations // originals - 1
    if copies:
        with engine.begin() as connection:
            for table in _COPIED:
                _copy(connection, table, copies=copies)
            connection.execute(text("ANALYZE"))
    _register(world, [LEAVER])
    return _sign_in(world)


def _register(world: World, numbers: Iterable[int]) -> None:
    each = tuple(numbers)
    register(
        world.context,
        organizations=[_organization(number) for number in each],
        pools=[_pool(number) for number in each],
        members=[_member(number) for number in each],
    )


def _copy(connection: Connection, table: Table, *, copies: int) -> None:
    """Write every row so many times more, under another organization's id."""
    numbers = select(literal(1).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < copies))
    suffix = literal("-") + cast(numbers.c.number, Text)
    own = {"organization", "id"} if table is schema.offboarding else {"organization"}
    own = {"id", "name"} if table is schema.organization else own

    def value(name: str) -> ColumnElement[object]:
        return table.c[name] + suffix if name in own else table.c[name]

    names = [column.name for column in table.columns]
    rows = select(*map(value, names)).select_from(table.join(numbers, literal(True)))
    connection.execute(insert(table).from_select(names, rows, include_defaults=False))


def _sign_in(world: World) -> TestClient:
    invitation = add_operator(
        world.context, name="Olga", address="olga@vendor.example", role=OperatorRole.ADMIN
    )
    app = create_app(
        world.context,
        access_keys=AccessKeys(),
        passwords=PlainPasswords(),
        portal=PortalPages(Brand()),
    )
    browser = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    _send(browser, f"/{invitation.path}", {"password": CHOSEN}, status=303)
    _send(browser, "/portal/sign-in", {"address": _member(LEAVER).email}, status=200)
    send_entrances(world.context)
    (sent,) = world.mail.sent
    link = sent.message.text.partition(f"{ADDRESS}/portal/enter/")[2].split()[0]
    _send(browser, f"/portal/enter/{link}", {}, status=303)
    return browser


def _send(browser: TestClient, path: str, form: Mapping[str, str], *, status: int) -> None:
    answer = browser.post(path, data=form, headers={"Origin": ADDRESS})
    assert answer.status_code == status, answer.text


def _id(number: int) -> str:
    return f"company-{number:03}"


def _organization(number: int) -> Organization:
    return Organization(
        id=_id(number),
        name=f"{_name(number)} Limited",
        zone="Europe/Dublin",
        locale="en",
        policy=POLICY,
    )


def _name(number: int) -> str:
    """Spread names over the alphabet."""
    return "".join(chr(ord("A") + digit) for digit in (number % 26, number // 26 % 26)) + "lpha"


def _pool(number: int) -> Pool:
    return Pool(
        id="seats",
        organization=_id(number),
        product="courses",
        kind="standard",
        seats=5,
        ends=FIRST_END.add(days=2 * number),
    )


def _member(number: int) -> Member:
    return Member(
        id="admin",
        organization=_id(number),
        email=f"admin@company-{number:03}.example",
        name="Anna Nowak",
        roles=frozenset({Role.ADMIN}),
        locale="en",
        zone="",
        pools=frozenset({"seats"}),
    )
