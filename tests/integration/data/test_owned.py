"""Rows that are owned the other way round, and rows that several ways lead to the root.

An order names its addresses, an address names its place on the map, a remark names an address.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from offramp.data.check import Kind
from offramp.data.erasure.erase import preview
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.proof.verify import require_clean, verify
from offramp.data.scope import Scope
from offramp.testing.postgres import fresh_database
from tests.integration.data.application import ONE, TWO, Application, application, go_and_come_back
from tests.integration.data.leaving import come_back, data_of, leave, take
from tests.integration.data.school import KEY, CountingFence, FenceBroken

TABLES = (
    "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
    "CREATE TABLE places (id INTEGER PRIMARY KEY, label TEXT)",
    "CREATE TABLE addresses (id INTEGER PRIMARY KEY, line TEXT,"
    " place_id INTEGER REFERENCES places (id))",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT,"
    " company_id INTEGER NOT NULL REFERENCES companies (id),"
    " favorite_id INTEGER REFERENCES addresses (id))",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id),"
    " shipping_id INTEGER REFERENCES addresses (id), billing_id INTEGER REFERENCES addresses (id))",
    "CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT,"
    " address_id INTEGER NOT NULL REFERENCES addresses (id))",
)
ROWS = (
    "INSERT INTO companies VALUES (1), (2)",
    "INSERT INTO places VALUES (1, 'p1'), (2, 'p2'), (3, 'p3'), (9, 'nobody')",
    "INSERT INTO addresses VALUES (1, 'one', 1), (2, 'both', 2), (3, 'two', 3), (4, 'one', NULL),"
    " (9, 'nobody', NULL)",
    "INSERT INTO users VALUES (1, 'a@one.example', 1, 1), (2, 'b@two.example', 2, 2)",
    "INSERT INTO orders VALUES (1, 1, 1, 4), (2, 1, 2, NULL), (3, 2, 2, 3), (4, 2, NULL, NULL),"
    " (5, 1, 1, 1)",
    "INSERT INTO remarks VALUES (1, 'x', 1), (2, 'y', 4), (3, 'z', 3)",
)
OWNED = {
    "app.users": {"via": ["company_id"], "columns": {"email": None, "favorite_id": None}},
    "app.orders": {"via": ["user_id"], "columns": {"shipping_id": None, "billing_id": None}},
    "app.addresses": {
        "owned_by": ["orders.shipping_id", "orders.billing_id"],
        "columns": {"line": "user.contact.address", "place_id": "system.operations"},
    },
    "app.places": {"owned_by": "addresses.place_id", "columns": {"label": "user.location"}},
    "app.remarks": {"via": ["address_id"], "columns": {"text": "user.content"}},
}
OWNED["app.users"]["columns"] = {
    "email": "user.contact.email",
    "favorite_id": "system.operations",
}
OWNED["app.orders"]["columns"] = dict.fromkeys(("shipping_id", "billing_id"), "system.operations")


@pytest.fixture
def shop(database_url, tmp_path):
    with application(database_url, tmp_path, *TABLES, *ROWS, decide=OWNED) as app:
        yield app


def left(app):
    return {
        "addresses": {row[0] for row in app.rows("SELECT id FROM addresses")},
        "places": {row[0] for row in app.rows("SELECT id FROM places")},
        "remarks": {row[0] for row in app.rows("SELECT id FROM remarks")},
    }


def unowned(app):
    return app.rows(
        "SELECT id FROM addresses WHERE NOT EXISTS (SELECT 1 FROM orders"
        " WHERE shipping_id = addresses.id OR billing_id = addresses.id) ORDER BY id"
    )


def test_the_map_fits(shop):
    assert shop.errors() == set()


def test_what_is_owned_is_handed_over_with_its_owner(shop):
    counted = {table: each.rows for table, each in shop.digest(ONE).items()}

    assert counted == {
        "app.companies": 1,
        "app.users": 1,
        "app.orders": 3,
        "app.addresses": 3,
        "app.places": 2,
        "app.remarks": 2,
    }


def test_what_is_owned_goes_with_its_last_owner_and_comes_back(shop, tmp_path):
    """A9, A10: the address that a sibling's order names as well stays."""
    result = go_and_come_back(shop, tmp_path)

    assert result.tables["app.addresses"] == 2
    assert result.tables["app.places"] == 1
    leave(shop, ONE)
    assert left(shop) == {"addresses": {2, 3, 9}, "places": {2, 3, 9}, "remarks": {3}}
    leave(shop, TWO)
    assert left(shop) == {"addresses": {9}, "places": {9}, "remarks": set()}


@pytest.mark.parametrize("chunk", range(1, 9))
def test_a_crash_at_any_chunk_leaves_nothing_that_cannot_be_found(chunk, shop):
    """L18: whatever an order owned goes in the transaction of its order."""
    with pytest.raises(FenceBroken):
        leave(shop, ONE, fence=CountingFence(breaks_after=chunk), rows=1)

    assert unowned(shop) == [(9,)]

    leave(shop, ONE, rows=1)

    assert left(shop) == {"addresses": {2, 3, 9}, "places": {2, 3, 9}, "remarks": {3}}


def test_what_is_left_of_owned_rows_is_counted_and_what_nobody_owns_is_told(shop):
    """L21."""
    before = check_left(shop)
    leave(shop, ONE)
    after = check_left(shop)

    assert before.counts["app.addresses"] == 3
    assert before.counts["app.places"] == 2
    assert before.counts["app.remarks"] == 2
    require_clean(after)
    assert after.unowned == {"app.addresses": 1, "app.places": 1}


def check_left(app):
    tombstone = take_tombstone(app.datamap, app.sources, ONE, key=KEY, digests={})
    return verify(app.datamap, app.sources, ONE, tombstone=tombstone, key=KEY)


def test_a_dry_run_shows_what_goes_with_an_owner(shop):
    """L27."""
    purposes = [(each.table, each.purpose) for each in preview(shop.datamap, shop.sources, ONE)]

    place = purposes.index(("app.orders", "delete rows"))
    assert [purpose for _, purpose in purposes[place + 1 : place + 5]] == [
        "find and hold rows that are owned by rows that go",
        "delete rows that were owned, unless others refer to them",
    ] * 2


def test_a_row_of_others_keeps_its_reference_to_what_stays(shop):
    """The favorite of the sibling is the address that both orders name."""
    leave(shop, ONE)

    assert shop.rows("SELECT favorite_id FROM users") == [(2,)]


@pytest.mark.parametrize(
    ("table", "changed", "kind"),
    [
        ("app.addresses", {"owned_by": ["orders.user_id"]}, Kind.NOT_A_REFERENCE),
        ("app.addresses", {"owned_by": ["orders.gone_id"]}, Kind.STALE),
        ("app.addresses", {"owned_by": ["users.favorite_id"], "product": "x"}, Kind.UNFIT_RULE),
        ("app.places", {"erase": "keep", "basis": "law", "until": "label + P1Y"}, Kind.UNFIT_RULE),
        ("app.remarks", {"also": ["text"]}, Kind.NOT_A_REFERENCE),
    ],
)
def test_what_cannot_own_is_named(table, changed, kind, database_url, tmp_path):
    decided = OWNED | {table: OWNED[table] | changed}
    with application(database_url, tmp_path, *TABLES, decide=decided) as app:
        assert kind in {found for found, _ in app.errors()}


KEPT_ORDERS = OWNED | {
    "app.orders": {
        "via": ["user_id"],
        "erase": "keep",
        "basis": "tax law",
        "until": "id + P10Y",
        "columns": {
            "user_id": {"erase": "null"},
            "shipping_id": {"category": "system.operations", "erase": "null"},
            "billing_id": {"category": "system.operations", "erase": "null"},
        },
    }
}


def test_what_a_kept_row_owns_goes_when_its_reference_is_emptied(database_url, tmp_path):
    tables = [each.replace("user_id INTEGER NOT NULL", "user_id INTEGER") for each in TABLES]
    with application(database_url, tmp_path, *tables, *ROWS, decide=KEPT_ORDERS) as app:
        assert app.errors() == set()

        leave(app, ONE, rows=1)

        assert left(app) == {"addresses": {2, 3, 9}, "places": {2, 3, 9}, "remarks": {3}}
        assert len(app.rows("SELECT id FROM orders")) == 5


SEVERAL = (
    "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
    "CREATE TABLE projects (id INTEGER PRIMARY KEY,"
    " company_id INTEGER NOT NULL REFERENCES companies (id))",
    "CREATE TABLE addons (id INTEGER PRIMARY KEY, company_id INTEGER REFERENCES companies (id),"
    " project_id INTEGER REFERENCES projects (id))",
    "CREATE TABLE partners (left_id INTEGER NOT NULL REFERENCES companies (id),"
    " right_id INTEGER NOT NULL REFERENCES companies (id), PRIMARY KEY (left_id, right_id))",
    "INSERT INTO companies VALUES (1), (2)",
    "INSERT INTO projects VALUES (1, 1), (2, 2)",
    "INSERT INTO addons VALUES (1, 1, NULL), (2, NULL, 1), (3, 2, NULL), (4, NULL, 2),"
    " (5, NULL, NULL)",
    "INSERT INTO partners VALUES (1, 2), (2, 1), (2, 2)",
)
SEVERAL_WAYS = {
    "app.addons": {"via": ["company_id"], "also": ["project_id"]},
    "app.partners": {"via": ["left_id"], "also": ["right_id"]},
}


def test_a_row_goes_with_whoever_one_of_its_ways_leads_to(database_url, tmp_path):
    """What stands between two organizations is handed over to both, and goes with the first."""
    with application(database_url, tmp_path, *SEVERAL, decide=SEVERAL_WAYS) as app:
        assert app.errors() == set()
        assert {t: d.rows for t, d in app.digest(ONE).items()} == {
            "app.companies": 1, "app.projects": 1, "app.addons": 2, "app.partners": 2,
        }  # fmt: skip
        take(app, ONE, tmp_path / "out.json")
        leave(app, ONE, rows=1)
        assert app.rows("SELECT id FROM addons ORDER BY id") == [(3,), (4,), (5,)]
        assert app.rows("SELECT left_id, right_id FROM partners") == [(2, 2)]
        require_clean(check_left(app))

        come_back(app, tmp_path / "out.json")

        take(app, ONE, tmp_path / "again.json")
        assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")


def test_what_a_member_owns_goes_with_the_member(database_url, tmp_path):
    with application(database_url, tmp_path, *TABLES, *ROWS, decide=OWNED) as app:
        member = Scope(organization="1", member="1")
        app = with_member(app)
        assert app.digest(member)["app.addresses"].rows == 3

        leave(app, member, rows=1)

        assert left(app) == {"addresses": {2, 3, 9}, "places": {2, 3, 9}, "remarks": {3}}
        app.close()


def with_member(app):
    plain = app.datamap.model_dump(by_alias=True)
    plain["sources"]["app"]["member"] = "users.id"
    return Application(
        url=app.url, proposal=app.proposal, datamap=type(app.datamap).model_validate(plain)
    )


picks = st.one_of(st.none(), st.integers(min_value=1, max_value=5))
drawn_orders = st.lists(st.tuples(st.integers(1, 2), picks, picks), min_size=1, max_size=8)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def value(number):
    return "NULL" if number is None else str(number)


def leave_and_look(url, orders, chunk, crash):
    """Whoever shares which address: nothing of ours is left, nothing of others is missing."""
    rows = [
        "INSERT INTO companies VALUES (1), (2)",
        "INSERT INTO users VALUES (1, 'a@one.example', 1, NULL), (2, 'b@two.example', 2, NULL)",
        "INSERT INTO places VALUES (1, 'p1'), (2, 'p2'), (3, 'p3')",
        "INSERT INTO addresses VALUES (1, 'x', 1), (2, 'x', 2), (3, 'x', 1), (4, 'x', NULL),"
        " (5, 'x', 3)",
        *(
            f"INSERT INTO orders VALUES ({n}, {user}, {value(one)}, {value(two)})"
            for n, (user, one, two) in enumerate(orders, start=1)
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        url = url or f"sqlite:///{folder}/shop.sqlite"
        with application(url, Path(folder), *TABLES, *rows, decide=OWNED) as app:
            ours = {each for user, *named in orders if user == 1 for each in named} - {None}
            theirs = {each for user, *named in orders if user == 2 for each in named} - {None}
            take(app, ONE, Path(folder) / "out.json")
            before = app.digest(TWO)
            if crash is not None:
                with suppress(FenceBroken):
                    leave(app, ONE, fence=CountingFence(breaks_after=crash), rows=chunk)
            leave(app, ONE, rows=chunk)

            assert left(app)["addresses"] == {1, 2, 3, 4, 5} - (ours - theirs)
            assert app.digest(TWO) == before
            require_clean(check_left(app))

            come_back(app, Path(folder) / "out.json")
            take(app, ONE, Path(folder) / "again.json")
            again = (Path(folder) / "again.json", Path(folder) / "out.json")
            assert data_of(again[0]) == data_of(again[1])
            assert app.digest(TWO) == before


@settings(max_examples=20, deadline=None, suppress_health_check=SLOW, phases=[Phase.generate])
@given(drawn_orders, st.integers(1, 4), st.one_of(st.none(), st.integers(1, 6)))
def test_nothing_of_ours_is_left_and_nothing_of_others_is_missing(orders, chunk, crash):
    leave_and_look(None, orders, chunk, crash)


@settings(max_examples=5, deadline=None, suppress_health_check=SLOW, phases=[Phase.generate])
@given(drawn_orders, st.integers(1, 4), st.one_of(st.none(), st.integers(1, 6)))
def test_nothing_of_ours_is_left_on_postgres(postgres_server, orders, chunk, crash):
    with fresh_database(postgres_server) as url:
        leave_and_look(url, orders, chunk, crash)
