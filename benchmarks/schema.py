"""The database that is measured: a training platform with two hundred organizations, one large.

Everything that is known of its tables lives here; how rows get into them is `benchmarks.load`.
Fifteen tables belong to an organization and two to nobody. They reach it directly, over one, two
and three joins; there are composite keys, a row that refers to rows of its own table, and a cycle
(`teams.lead_id` and `people.team_id`). Every reference is indexed, enforced and deferrable.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offramp.data.datamap import DataMap

SOURCE = "app"
URL_VARIABLE = "BENCH_DATABASE_URL"

# SQLite's own words for what PostgreSQL calls otherwise.
_SQLITE_TYPES = {"bigint": "integer", "timestamptz": "datetime", "jsonb": "json"}


@dataclass(frozen=True, slots=True)
class Link:
    """One foreign key: columns that name a row of a parent."""

    columns: str
    parent: str
    is_indexed_by_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; the first of its links leads towards the organization, unless it is shared."""

    name: str
    columns: str
    key: str = "id"
    unique: str = ""
    links: tuple[Link, ...] = ()
    is_shared: bool = False
    hashed: tuple[str, ...] = ()

    def fields(self) -> list[tuple[str, str]]:
        """List the columns with their types."""
        fields = " ".join(self.columns.split()).split(", ")
        return [(name, kind) for name, _, kind in (field.partition(" ") for field in fields)]

    def names(self) -> list[str]:
        """List the names of the columns."""
        return [name for name, _ in self.fields()]


ORGANIZATION = Link("organization_id", "organizations")
PERSON = Link("person_id", "people")

TABLES = (
    Table(
        name="organizations",
        columns="""id bigint not null, slug text not null, name text not null,
            billing_email text, country text, settings jsonb not null,
            created_at timestamptz not null""",
        unique="slug",
        hashed=("billing_email",),
    ),
    Table(
        name="teams",
        columns="""id bigint not null, organization_id bigint not null, name text not null,
            lead_id bigint, created_at timestamptz not null""",
        links=(ORGANIZATION, Link("lead_id", "people")),
    ),
    Table(
        name="people",
        columns="""id bigint not null, organization_id bigint not null, team_id bigint,
            email text not null, first_name text, last_name text, phone text, born_on date,
            last_ip text, password_hash text, locale text, created_at timestamptz not null,
            seen_at timestamptz""",
        unique="email",
        links=(ORGANIZATION, Link("team_id", "teams")),
        hashed=("email", "first_name", "last_name", "phone", "last_ip"),
    ),
    Table(
        name="memberships",
        columns="""organization_id bigint not null, person_id bigint not null,
            role text not null, joined_at timestamptz not null""",
        key="organization_id, person_id",
        links=(Link("organization_id", "organizations", is_indexed_by_key=True), PERSON),
    ),
    Table(
        name="grants",
        columns="""organization_id bigint not null, person_id bigint not null,
            permission text not null, granted_at timestamptz not null""",
        key="organization_id, person_id, permission",
        links=(Link("organization_id, person_id", "memberships", is_indexed_by_key=True),),
    ),
    Table(
        name="pools",
        columns="""id bigint not null, organization_id bigint not null, product text not null,
            seats integer not null, starts_on date, ends_on date""",
        links=(ORGANIZATION,),
    ),
    Table(
        name="subjects",
        columns="id bigint not null, title text not null, description text",
        is_shared=True,
    ),
    Table(
        name="units",
        columns="id bigint not null, subject_id bigint not null, title text not null",
        links=(Link("subject_id", "subjects"),),
        is_shared=True,
    ),
    Table(
        name="enrollments",
        columns="""id bigint not null, person_id bigint not null, subject_id bigint not null,
            pool_id bigint, status text not null, progress numeric(5,2),
            created_at timestamptz not null, completed_at timestamptz""",
        links=(PERSON, Link("subject_id", "subjects"), Link("pool_id", "pools")),
    ),
    Table(
        name="visits",
        columns="""id bigint not null, enrollment_id bigint not null, unit_id bigint not null,
            status text not null, score real, seconds integer, started_at timestamptz not null,
            updated_at timestamptz not null""",
        links=(Link("enrollment_id", "enrollments"), Link("unit_id", "units")),
    ),
    Table(
        name="answers",
        columns="""id bigint not null, visit_id bigint not null, question integer not null,
            answer text, is_correct boolean, answered_at timestamptz not null""",
        links=(Link("visit_id", "visits"),),
    ),
    Table(
        name="awards",
        columns="""id bigint not null, enrollment_id bigint not null, serial text not null,
            holder text not null, issued_at timestamptz not null""",
        unique="serial",
        links=(Link("enrollment_id", "enrollments"),),
        hashed=("holder",),
    ),
    Table(
        name="award_events",
        columns="""id bigint not null, award_id bigint not null, kind text not null, ip text,
            at timestamptz not null""",
        links=(Link("award_id", "awards"),),
        hashed=("ip",),
    ),
    Table(
        name="badges",
        columns="""id bigint not null, person_id bigint not null, title text not null,
            points integer, earned_at timestamptz not null""",
        links=(PERSON,),
    ),
    Table(
        name="events",
        columns="""id bigint not null, organization_id bigint not null, actor_id bigint,
            action text not null, ip text, payload jsonb, at timestamptz not null""",
        links=(ORGANIZATION, Link("actor_id", "people")),
        hashed=("ip",),
    ),
    Table(
        name="notes",
        columns="""id bigint not null, person_id bigint not null, unit_id bigint not null,
            parent_id bigint, body text not null, created_at timestamptz not null""",
        links=(PERSON, Link("unit_id", "units"), Link("parent_id", "notes")),
    ),
    Table(
        name="uploads",
        columns="""id bigint not null, organization_id bigint not null, owner_id bigint not null,
            name text not null, path text not null, mime text, bytes bigint, sha256 text,
            created_at timestamptz not null""",
        links=(ORGANIZATION, Link("owner_id", "people")),
    ),
)
OWNED = tuple(table for table in TABLES if not table.is_shared)


def reference_checks(gone: Mapping[str, int]) -> int:
    """Count how often a database asks whether a deleted row is still referred to.

    It asks once for each row and each foreign key that points at the row's table: that is what a
    deletion costs, more than the rows themselves.
    """
    return sum(gone.get(link.parent, 0) for table in TABLES for link in table.links)


def empty_tables() -> Iterator[str]:
    """Create PostgreSQL's tables without indexes and references, to be filled quickly."""
    for table in TABLES:
        yield f"CREATE TABLE {table.name} ({table.columns})"


def constraints() -> Iterator[str]:
    """Add to filled PostgreSQL tables what keeps them in order."""
    for table in TABLES:
        yield f"ALTER TABLE {table.name} ADD PRIMARY KEY ({table.key})"
        yield from _indexes(table)
    for table in TABLES:
        for link in table.links:
            yield (
                f"ALTER TABLE {table.name} ADD FOREIGN KEY ({link.columns})"
                f" REFERENCES {link.parent} DEFERRABLE INITIALLY IMMEDIATE"
            )


def sqlite_tables() -> Iterator[str]:
    """Create the same tables for SQLite, which takes its constraints only at once."""
    for table in TABLES:
        columns = ", ".join(
            f"{name} {_SQLITE_TYPES.get(kind.split()[0], kind.split()[0])}"
            + (" not null" if kind.endswith("not null") else "")
            for name, kind in table.fields()
        )
        links = "".join(
            f", FOREIGN KEY ({link.columns}) REFERENCES {link.parent} ({key_of(link.parent)})"
            for link in table.links
        )
        yield f"CREATE TABLE {table.name} ({columns}, PRIMARY KEY ({table.key}){links})"


def sqlite_indexes() -> Iterator[str]:
    """Add the indexes to filled SQLite tables."""
    for table in TABLES:
        yield from _indexes(table)


def data_map(*, keeps_everything: bool = False, set_checks: bool = False) -> DataMap:
    """Say to Offramp how these tables reach an organization.

    Args:
        keeps_everything: rows stay and lose their people, in place of being deleted.
        set_checks: references are looked at once for a chunk.
    """
    source = {"kind": "sql", "url": f"env:{URL_VARIABLE}", "root": "organizations.id"}
    return DataMap.model_validate(
        {
            "offramp": 1,
            "sources": {SOURCE: source | {"set_checks": set_checks}},
            "tables": {
                f"{SOURCE}.{table.name}": _rule(table, keeps=keeps_everything) for table in TABLES
            },
            "marks": [f"{SOURCE}.people.email", f"{SOURCE}.organizations.billing_email"],
        }
    )


def _rule(table: Table, *, keeps: bool) -> dict[str, Any]:
    columns: dict[str, Any] = dict.fromkeys(table.names(), "system.operations")
    if table.is_shared:
        return {"shared": "the catalog of what is taught", "columns": columns}
    rule: dict[str, Any] = {"columns": columns}
    if table.name != "organizations":
        rule["via"] = _names(table.links[0].columns)
    if keeps:
        rule |= {"erase": "keep", "basis": "measured", "until": f"{date_of(table)} + P10Y"}
        rule["columns"] |= {
            name: {"category": "user.account", "erase": "hash"} for name in table.hashed
        }
    return rule


def date_of(table: Table) -> str:
    """Give the column from which the end of a row that stays is counted."""
    return next(name for name, kind in table.fields() if kind.startswith(("timestamptz", "date")))


def _indexes(table: Table) -> Iterator[str]:
    if table.unique:
        yield f"CREATE UNIQUE INDEX {table.name}_once ON {table.name} ({table.unique})"
    for number, link in enumerate(table.links):
        if not link.is_indexed_by_key:
            yield f"CREATE INDEX {table.name}_link_{number} ON {table.name} ({link.columns})"


def key_of(name: str) -> str:
    """Give the columns of a table's key."""
    return next(table.key for table in TABLES if table.name == name)


def _names(columns: str) -> Sequence[str]:
    return columns.split(", ")
