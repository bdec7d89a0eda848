"""Rosters: what a good one becomes, and how a bad one is told where it is bad."""

import json

import pytest
from whenever import Date, Instant

from offramp.core.model import Member, Organization, Pool, Role
from offramp.documents import roster
from offramp.documents.roster import read_members, read_organizations, read_pools
from offramp.documents.roster_file import RosterInvalid

ORGANIZATIONS = "organization,name,zone,locale,policy,overrides\n"
POOLS = "organization,pool,product,kind,seats,ends_on\n"
MEMBERS = "organization,member,email,name,roles,locale,zone,pools,ends_on\n"
READERS = {ORGANIZATIONS: read_organizations, POOLS: read_pools, MEMBERS: read_members}
ACME = "acme,Acme,Europe/Dublin,en,license-pool,\n"
BASIC = "acme,basic,app,full,10,2024-08-30\n"
ANNA = "acme,anna,anna@example.com,Anna,member;admin,pl,Europe/Warsaw,basic;extra,\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="roster.csv"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def values(batches):
    return [value for batch in batches for value in batch]


def mistake(write, text, *, name="roster.csv", **known):
    """Read a roster that starts with one of the headers, and give its error."""
    header = text.split("\n")[0] + "\n"
    with pytest.raises(RosterInvalid) as error:
        values(READERS[header](write(text, name), **known))
    return error.value


def test_an_organization_with_everything(write):
    file = write(ORGANIZATIONS + 'acme,"Acme, Ltd ",Europe/Dublin,en-IE,terms,a=P60D; b=never\n')

    assert values(read_organizations(file)) == [
        Organization(
            id="acme",
            name="Acme, Ltd",
            zone="Europe/Dublin",
            locale="en-IE",
            policy="terms",
            overrides={"a": "P60D", "b": "never"},
        )
    ]


def test_pools_that_end_with_a_day_at_an_instant_and_never(write):
    lines = "acme,1,app,full,10,2024-08-30\nacme,2,app,full,0,2024-08-30T12:00:00+02:00\n"
    file = write(POOLS + lines + "acme,3,app,full,1,\n")

    pools = values(read_pools(file))

    at_ten = Instant.from_utc(2024, 8, 30, 10)
    assert [pool.ends for pool in pools] == [Date(2024, 8, 30), at_ten, None]
    assert pools[0] == Pool(
        id="1", organization="acme", product="app", kind="full", seats=10, ends=Date(2024, 8, 30)
    )


def test_a_member_with_everything_and_one_with_as_little_as_possible(write):
    anna, ben = values(read_members(write(MEMBERS + ANNA + "acme,ben,,,,,,,\n")))

    assert anna == Member(
        id="anna",
        organization="acme",
        email="anna@example.com",
        name="Anna",
        roles=frozenset({Role.MEMBER, Role.ADMIN}),
        locale="pl",
        zone="Europe/Warsaw",
        pools=frozenset({"basic", "extra"}),
    )
    assert ben == Member(
        id="ben",
        organization="acme",
        email="",
        name="",
        roles=frozenset({Role.MEMBER}),
        locale="",
        zone="",
    )


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_spreadsheet_may_save_it_its_own_way(write, start, line_end):
    text = "policy,locale,zone,name,organization\nterms,pl,UTC,Żółw,acme\n\n"

    [acme] = values(read_organizations(write(start + text.replace("\n", line_end).encode())))

    assert (acme.name, acme.policy) == ("Żółw", "terms")


def test_the_same_roster_as_json(write):
    document = {
        "organizations": [
            {
                "organization": "acme",
                "name": "Acme",
                "zone": "UTC",
                "locale": "en",
                "policy": "terms",
                "overrides": {"grace": "P60D"},
            }
        ],
        "pools": [{"organization": "acme", "pool": 7, "product": "app", "kind": "k", "seats": 3}],
        "members": [
            {"organization": "acme", "member": 1, "roles": ["admin", "billing"], "pools": ["7"]},
            {"organization": "acme", "member": 2, "email": None, "ends_on": "2024-08-30"},
        ],
    }
    file = write(json.dumps(document), "roster.json")

    [acme], [pool] = values(read_organizations(file)), values(read_pools(file))
    anna, ben = values(read_members(file))

    assert acme.overrides == {"grace": "P60D"}
    assert (pool.id, pool.seats, pool.ends) == ("7", 3, None)
    assert anna.roles == {Role.ADMIN, Role.BILLING}
    assert (anna.pools, ben.ends) == ({"7"}, Date(2024, 8, 30))


def test_rows_come_in_bounded_batches(write, monkeypatch):
    monkeypatch.setattr(roster, "BATCH_ROWS", 2)
    file = write(POOLS + "".join(f"acme,{number},app,full,1,\n" for number in range(5)))

    assert [len(batch) for batch in read_pools(file)] == [2, 2, 1]


CELLS = [
    (ORGANIZATIONS, ",Acme,UTC,en,terms,", "organization", "it is blank"),
    (ORGANIZATIONS, " ,Acme,UTC,en,terms,", "organization", "it is blank"),
    (ORGANIZATIONS, "*,Acme,UTC,en,terms,", "organization", "wildcard"),
    (ORGANIZATIONS, "ac%,Acme,UTC,en,terms,", "organization", "wildcard"),
    (ORGANIZATIONS, f"{'a' * 201},Acme,UTC,en,terms,", "organization", "too long"),
    (ORGANIZATIONS, "acme,Acme,Europe/Dubiln,en,terms,", "zone", "not a time zone"),
    (ORGANIZATIONS, "acme,Acme,,en,terms,", "zone", "not a time zone"),
    (ORGANIZATIONS, "acme,Acme,UTC,english!,terms,", "locale", "not a locale"),
    (ORGANIZATIONS, "acme,Acme,UTC,en,,", "policy", "it is blank"),
    (ORGANIZATIONS, "acme,Acme,UTC,en,terms,grace=soon", "overrides", "not a period"),
    (ORGANIZATIONS, "acme,Acme,UTC,en,terms,P60D", "overrides", "names no period"),
    (POOLS, "acme,basic,app,full,-1,", "seats", "not a number of seats"),
    (POOLS, "acme,basic,app,full,1.5,", "seats", "not a number of seats"),
    (POOLS, "acme,?,app,full,1,", "pool", "wildcard"),
    (POOLS, "acme,basic,app,full,1,30.08.2024", "ends_on", "neither a date nor an instant"),
    (POOLS, "acme,basic,app,full,1,2024-02-30", "ends_on", "neither a date nor an instant"),
    (POOLS, "acme,basic,app,full,1,2024-08-30T12:00:00", "ends_on", "neither a date"),
    (MEMBERS, "acme,anna,anna.example.com,,,,,,", "email", "not an e-mail address"),
    (MEMBERS, "acme,anna,a@b@example.com,,,,,,", "email", "not an e-mail address"),
    (MEMBERS, "acme,anna,,,admn,,,,", "roles", "'admn' is not a role"),
    (MEMBERS, "acme,anna,,,,,Mars/Base,,", "zone", "not a time zone"),
    (MEMBERS, "acme,anna,,,,,,basic;;extra,", "pools", "it is blank"),
    (MEMBERS, "acme,,,,,,,,", "member", "it is blank"),
]


@pytest.mark.parametrize(("header", "line", "column", "problem"), CELLS)
def test_a_bad_cell_is_named_with_its_line_and_column(write, header, line, column, problem):
    """L26: a blank or wildcard id is one of them."""
    error = mistake(write, header + line + "\n")

    assert problem in error.problem
    assert (error.line, error.path) == (2, column)
    assert error.expected
    assert str(error).startswith(error.file)


def test_a_mistyped_word_gets_the_nearest_one(write):
    role = mistake(write, MEMBERS + "acme,anna,,,admn,,,,\n")
    with pytest.raises(RosterInvalid) as column:
        values(read_pools(write(POOLS.replace("seats", "seat"))))

    assert role.hint == "did you mean admin?"
    assert column.value.hint == "did you mean seats?"


def test_no_mistake_repeats_a_name_or_an_address(write):
    error = mistake(write, MEMBERS + "acme,anna,anna_at_example.com,Anna Zając,admn,,,,\n")

    assert "anna_at" not in f"{error} {error.attributes}"
    assert "Zając" not in f"{error} {error.attributes}"


def test_line_600_is_called_line_600(write):
    lines = [f"acme,{number},app,full,1,\n" for number in range(598)]

    error = mistake(write, POOLS + "".join(lines) + "acme,broken,app,full\n")

    assert (error.line, error.problem) == (600, "it has 4 columns")
    assert error.expected == "6 columns, as in the first line"


def test_a_cell_of_several_lines_does_not_shift_the_count(write):
    text = ORGANIZATIONS + 'acme,"Acme\nLtd",UTC,en,terms,\n' + ",x,UTC,en,terms,\n"

    assert mistake(write, text).line == 4


def test_an_id_that_occurs_twice_is_told_with_both_places(write):
    error = mistake(write, ORGANIZATIONS + ACME + ACME.replace("acme", "other") + ACME)

    assert (error.line, error.path) == (4, "organization")
    assert error.problem == "it is the same as in line 2"


def test_two_organizations_may_use_the_same_member_id(write):
    text = MEMBERS + "acme,1,,,,,,,\nother,1,,,,,,,\n"

    assert len(values(read_members(write(text)))) == 2


def test_a_pool_of_another_organization_is_refused(write):
    known = {("other", "basic"), ("acme", "extra")}

    error = mistake(write, MEMBERS + ANNA, organizations={"acme"}, pools=known)

    assert (error.line, error.path) == (2, "pools")
    assert error.problem == "the organization acme has no pool basic"


@pytest.mark.parametrize(("header", "line"), [(POOLS, BASIC), (MEMBERS, ANNA)])
def test_an_organization_that_nobody_knows_is_refused(write, header, line):
    error = mistake(write, header + line, organizations={"acme-ltd"})

    assert error.problem == "there is no organization acme"
    assert error.hint == "did you mean acme-ltd?"


def test_the_first_mistake_is_shown_and_up_to_twenty_are_kept(write):
    error = mistake(write, POOLS + BASIC + "acme,broken,app,full,none,\n" * 30)

    assert error.line == 3
    assert len(error.problems) == 20
    assert [problem.line for problem in error.problems] == list(range(3, 23))


def test_nothing_that_follows_a_mistake_is_handed_out(write, monkeypatch):
    monkeypatch.setattr(roster, "BATCH_ROWS", 1)
    lines = "acme,1,app,full,1,\nacme,*,app,full,1,\nacme,2,app,full,1,\n"
    batches, taken = read_pools(write(POOLS + lines)), []

    with pytest.raises(RosterInvalid):
        taken.extend(batches)

    assert [pool.id for batch in taken for pool in batch] == ["1"]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"", 1, "the column 'organization' is missing"),
        (b"organization,pool\n", 1, "the column 'product' is missing"),
        (POOLS.encode().replace(b"kind", b"pool"), 1, "the column 'pool' occurs twice"),
        (POOLS.encode() + b"acme,b\xff,app,full,1,\n", 2, "it is not UTF-8 text"),
        (POOLS.encode() + b'acme,"b,app,full,1,\n', 2, "it is not CSV"),
    ],
)
def test_a_file_of_the_wrong_form_is_told_so(write, content, line, problem):
    with pytest.raises(RosterInvalid) as error:
        values(read_pools(write(content)))

    assert (error.value.line, error.value.problem) == (line, problem)


def test_a_file_that_is_not_there_is_told_so(tmp_path):
    with pytest.raises(RosterInvalid, match="cannot be read"):
        values(read_pools(tmp_path / "none.csv"))


JSON_MISTAKES = [
    ('{\n"pools": [\n}', 3, "(document)"),
    ('{\n"pool": []}', 2, "pool"),
    ("[]", 1, "(document)"),
    ('{\n"pools": {}}', 2, "pools"),
    ('{"pools": [\n{},\n"acme"]}', 2, "pools[0].pool"),
    ('{"pools": [\n"acme"]}', 2, "pools[0]"),
    ('{"pools": [\n{"organization": "acme",\n"seat": 1}]}', 3, "pools[0].seat"),
    (
        '{"pools": [\n{"organization": "a", "pool": "b", "product": "c", "kind": "d",\n'
        '"seats": -1}]}',
        3,
        "pools[0].seats",
    ),
]


@pytest.mark.parametrize(("text", "line", "path"), JSON_MISTAKES)
def test_a_mistake_in_json_is_named_with_its_line_and_path(write, text, line, path):
    with pytest.raises(RosterInvalid) as error:
        values(read_pools(write(text, "roster.json")))

    assert (error.value.line, error.value.path) == (line, path)


def test_entries_of_json_that_are_the_same_are_told_with_both_places(write):
    pool = {"organization": "acme", "pool": 7, "product": "app", "kind": "k", "seats": 3}

    with pytest.raises(RosterInvalid) as error:
        values(read_pools(write(json.dumps({"pools": [pool, pool]}), "roster.json")))

    assert (error.value.path, error.value.problem) == (
        "pools[1].pool",
        "it is the same as in pools[0]",
    )
