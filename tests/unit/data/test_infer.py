"""Which way is chosen, what is not, and why: small schemas, each nasty in one way."""

import pytest

from offramp.data.inference.infer import KeyColumnMissing, infer
from tests.unit.data.catalogs import catalog

ROOT = "companies: id* name:text slug:text~"
USERS = "users: id* company_id>companies! email:text!"


def propose(*lines, **options):
    return infer(
        catalog(*lines), **({"source": "app", "root": "companies.id", "member": None} | options)
    )


def tables(proposal):
    return {table.name: table for table in proposal.tables}


def subjects(proposal):
    return {each.subject: each.problem for each in proposal.undecided}


@pytest.mark.parametrize(
    ("sessions", "is_said"),
    [
        ("user_sessions: id* user_id>users! token:text! expires_at:timestamp", True),
        ("refresh_tokens: id* company_id>companies! user_id>users! revoked_at:timestamp", True),
        ("sessions: id* user_id>users! room:text starts_at:timestamp", False),
        ("sessions: id* company_id>companies! expires_at:timestamp", False),
        ("permissions: id* user_id>users! expires_at:timestamp", False),
    ],
)
def test_what_may_be_open_sessions_is_said_and_never_taken_for_granted(sessions, is_said):
    proposal = propose(ROOT, USERS, sessions)
    name = sessions.partition(":")[0]

    assert any(note.startswith(f"{name}: may hold open") for note in proposal.notes) == is_said


def test_sessions_to_which_other_rows_refer_are_not_said_to_be_open_ones():
    lesson = "sessions: id* user_id>users! expires_at:timestamp"
    proposal = propose(ROOT, USERS, lesson, "notes: id* session_id>sessions!")

    assert not any("may hold open" in note for note in proposal.notes)


@pytest.mark.parametrize(
    ("lines", "table", "via"),
    [
        pytest.param([USERS], "users", ["company_id"], id="one way"),
        pytest.param(
            [USERS, "posts: id* user_id>users!", "likes: id* post_id>posts!"],
            "likes",
            ["post_id"],
            id="hop by hop",
        ),
        pytest.param(
            [USERS, "logs: id* company_id>companies! actor_id>users"],
            "logs",
            ["company_id"],
            id="required before optional",
        ),
        pytest.param(
            [USERS, "posts: id* user_id>users!", "files: id* company_id>companies post_id>posts!"],
            "files",
            ["post_id"],
            id="long and required before short and optional",
        ),
        pytest.param(
            [USERS, "members: company_id>companies* user_id>users*"],
            "members",
            ["company_id"],
            id="the root itself before anything else",
        ),
        pytest.param(
            [
                USERS,
                "members: company_id>companies* user_id>users*",
                "grants: id* company_id+user_id>members.company_id+user_id!",
            ],
            "grants",
            ["company_id", "user_id"],
            id="composite",
        ),
        pytest.param(
            [
                "depots: company_id>companies* number*",
                "shelves: id* company_id+depot>depots.company_id+number!"
                " company_id+lane>depots.company_id+number!",
            ],
            "shelves",
            ["company_id", "depot"],
            id="two ways that meet in the same row",
        ),
        pytest.param(
            [
                USERS,
                "orders: id* user_id>users",
                "parcels: id* order_id>orders!",
                "events: id* order_id>orders! parcel_id>parcels",
            ],
            "events",
            ["order_id"],
            id="only what comes before two ways go on alike",
        ),
        pytest.param(
            ["folders: id* company_id>companies! parent_id>folders"],
            "folders",
            ["company_id"],
            id="self reference",
        ),
        pytest.param(
            [
                "teams: id* company_id>companies! lead_id>users",
                "users: id* team_id>teams! email:text",
            ],
            "users",
            ["team_id"],
            id="a cycle that can be broken",
        ),
    ],
)
def test_the_way_that_says_whose_a_row_is_is_chosen(lines, table, via):
    proposal = propose(ROOT, *lines)

    found = tables(proposal)[table]
    assert (list(found.via), found.is_decided) == (via, True)
    assert found.reasons[0].startswith(f"way: {table}.")
    assert subjects(proposal) == {}


@pytest.mark.parametrize(
    ("lines", "subject", "problem"),
    [
        pytest.param(
            [USERS, "pools: id* company_id>companies!", "seats: id* pool>pools! user>users!"],
            "seats",
            "several ways that may disagree",
            id="two required ways",
        ),
        pytest.param(
            [USERS, "tickets: id* company_id>companies user_id>users"],
            "tickets",
            "each may be empty",
            id="two ways that may both be empty",
        ),
        pytest.param(
            [
                USERS,
                "orders: id* user_id>users",
                "lines: id* order_id>orders!",
                "prices: id* order_id>orders! line_id>lines!",
            ],
            "prices",
            "several ways that may disagree",
            id="two required ways to rows that may be nobody's",
        ),
        pytest.param(
            ["transfers: id* giver>companies! taker>companies!"],
            "transfers",
            "names the root more than once",
            id="between two tenants",
        ),
        pytest.param(
            [USERS, "messages: id* sender>users! reader>users!"],
            "messages",
            "several ways that may disagree",
            id="between two members",
        ),
        pytest.param(
            ["prices: id* note:text"], "prices", "note may hold anything", id="an island"
        ),
        pytest.param(
            ["prices: id* company"], "prices", "company may name one", id="a number on an island"
        ),
        pytest.param(
            ["cities: id*", "maps: id* city_id>cities user"],
            "maps",
            "user may name one",
            id="an archipelago",
        ),
        pytest.param(
            ["logins: id* email:text"],
            "logins",
            "holds email, and nothing leads from it to companies",
            id="people on an island",
        ),
        pytest.param(
            [USERS + " address_id>addresses", "addresses: id* street:text"],
            "addresses",
            "holds street, and only users.address_id refers to it",
            id="personal data the wrong way round",
        ),
        pytest.param(
            [
                USERS + " grant>grants",
                "grants: id* person>people!",
                "people: id* email:text",
            ],
            "grants",
            "refers to personal data, and only users.grant refers to it",
            id="a catalog of people",
        ),
        pytest.param(
            ["visits: company_id>companies! at:at!"], "visits", "no primary key", id="no key"
        ),
        pytest.param(
            ["a: id* c>companies! b>b!", "b: id* a>a!"],
            "a, b",
            "refer to one another",
            id="a cycle that cannot be broken",
        ),
        pytest.param(
            ["odd.name: id* company_id>companies!"], "odd.name", "has a dot", id="a dot"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_listed_and_left_to_a_person(lines, subject, problem):
    """L15."""
    proposal = propose(ROOT, *lines)

    assert problem in subjects(proposal)[subject]


@pytest.mark.parametrize("subject", ["seats", "prices"])
def test_an_undecided_table_is_not_in_the_map(subject):
    """L15: the check finds it missing."""
    proposal = propose(
        ROOT, USERS, "pools: id* company_id>companies!", "seats: id* pool>pools! user>users!",
        "prices: id* note:text",
    )  # fmt: skip

    assert subject not in {table.name for table in proposal.decided}


def test_every_way_of_an_undecided_table_is_shown():
    proposal = propose(ROOT, "transfers: id* giver>companies! taker>companies!")

    (undecided,) = proposal.undecided
    assert undecided.options == (
        "transfers.giver > companies",
        "transfers.taker > companies",
    )


def test_a_table_without_a_key_is_told_which_key_it_could_have():
    proposal = propose(ROOT, "visits: company_id>companies! number!~")

    assert "make (number) its primary key" in proposal.undecided[0].hint


def test_a_catalog_is_shared_because_organizations_refer_to_it():
    proposal = propose(
        ROOT, USERS, "orders: id* user_id>users! item_id>items!", "items: id* kind_id>kinds",
        "kinds: id* title:text",
    )  # fmt: skip

    shared = {table.name: table.shared for table in proposal.tables if table.shared}
    assert shared == {
        "items": "catalog, belongs to nobody: orders.item_id refers to it",
        "kinds": "catalog, belongs to nobody: items.kind_id refers to it",
    }


@pytest.mark.parametrize(
    ("lines", "table", "reason"),
    [
        (
            ["orders: id* user_id>users! item_id>items!", "items: id*",
             "pictures: id* item_id>items! path:text"],
            "pictures",
            "part of items, and of no organization",
        ),
        (
            ["groups: id* name:text", "grants: id* group_id>groups!"],
            "groups",
            "catalog, belongs to nobody: grants refer to it",
        ),
        (
            ["rates: id* percent"],
            "rates",
            "stands alone, and nothing in it names a person or an organization",
        ),
    ],
)  # fmt: skip
def test_what_leads_to_no_organization_is_left_alone_for_a_reason(lines, table, reason):
    proposal = propose(ROOT, USERS, *lines)

    assert tables(proposal)[table].shared == reason
    assert proposal.undecided == ()


def test_what_hangs_on_people_of_nobody_waits_for_one_decision():
    proposal = propose(
        ROOT, "grants: id* company_id>companies! person_id>people!",
        "people: id* email:text", "logins: id* person_id>people! ip_address:text",
    )  # fmt: skip

    assert list(subjects(proposal)) == ["people"]
    assert "logins: holds ip_address, and stays as people does" in proposal.notes


def test_what_the_root_hangs_on_is_no_part_of_it():
    proposal = propose(
        ROOT + " area_id>areas", "layouts: id* company_id>companies",
        "areas: id* default_layout_id>layouts",
    )  # fmt: skip

    assert tables(proposal)["areas"].shared.startswith("catalog")


def test_the_history_of_the_schema_is_shared():
    proposal = propose(ROOT, "alembic_version: version_num:text*")

    assert "history of the schema" in tables(proposal)["alembic_version"].shared


@pytest.mark.parametrize(
    ("line", "references"),
    [
        ("notes: id* company_id", {"company_id": "companies.id"}),
        ("notes: id* tenant_id!", {"tenant_id": "companies.id"}),
        ("notes: id* companyId", {"companyId": "companies.id"}),
        ("notes: id* author_user_id", {"author_user_id": "users.id"}),
        ("notes: id* author_user_id editor>users", {}),
        ("notes: id* company_id:text", {}),
        ("notes: id* company", {}),
        ("notes: id* planet_id", {}),
    ],
)
def test_a_column_that_names_a_row_without_a_foreign_key_is_declared(line, references):
    proposal = propose(ROOT, USERS, line)

    assert tables(proposal)["notes"].references == references
    assert tables(proposal)["notes"].is_decided == bool(references or ">" in line)


def test_a_declared_reference_says_that_it_is_a_guess():
    proposal = propose(ROOT, "notes: id* company_id")

    reasons = tables(proposal)["notes"].reasons
    assert any("its name and type say that it names companies.id" in each for each in reasons)


def test_rows_that_may_belong_to_nobody_are_told():
    proposal = propose(ROOT, "notes: id* company_id>companies")

    assert "rows whose company_id is empty belong to nobody, and stay" in (
        tables(proposal)["notes"].reasons
    )


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        ([USERS + " deleted_at:at"], "users.deleted_at: rows that are marked as deleted are rows"),
        ([USERS + " tags:array"], "users.tags: may hold anything"),
        ([USERS + " city>geo.cities"], "users.city: refers to geo, in another schema"),
        (["notes: id* company_id>companies"], "no table of people was recognized"),
    ],
)
def test_what_deserves_a_look_is_noted(lines, note):
    assert any(each.startswith(note) for each in propose(ROOT, *lines).notes)


def test_an_organization_below_another_is_noted():
    proposal = propose("companies: id* parent>companies", USERS)

    assert any("an organization below another" in note for note in proposal.notes)


@pytest.mark.parametrize("option", ["root", "member"])
def test_a_key_that_does_not_exist_is_refused_with_the_one_that_was_meant(option):
    with pytest.raises(KeyColumnMissing) as caught:
        propose(ROOT, USERS, **{option: "companys.id"})

    assert caught.value.hint == "did you mean companies.id?"
