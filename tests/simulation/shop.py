"""A vendor's database in a file, small enough to be filled again for every run."""

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import sqlalchemy as sa
from whenever import Date

from offramp.core.model import Member, Organization, Pool, Role
from offramp.data.catalog.catalog import Catalog
from offramp.data.datamap import DataMap
from offramp.data.sources.sql import SqlSource, open_sources
from offramp.data.sources.trouble import CommitUnknown, SourceUnavailable
from offramp.engine.context import Data

metadata = sa.MetaData()
ORGANIZATION, PERSON = "organizations.id", "people.id"


def table(name, *columns, key=sa.Integer):
    return sa.Table(name, metadata, sa.Column("id", key, primary_key=True), *columns)


def owner(name, target):
    return sa.Column(name, sa.Text, sa.ForeignKey(target), nullable=False, index=True)


organizations = table("organizations", sa.Column("name", sa.Text), key=sa.Text)
people = table(
    "people", owner("organization_id", ORGANIZATION), sa.Column("email", sa.Text), key=sa.Text
)
notes = table("notes", owner("person_id", PERSON), sa.Column("body", sa.Text))
recordings = table("recordings", owner("person_id", PERSON), sa.Column("body", sa.Text))
badges = table(
    "badges",
    owner("person_id", PERSON),
    sa.Column("title", sa.Text),
    sa.Column("at", sa.Text),
)
invoices = table(
    "invoices",
    sa.Column("organization_id", sa.ForeignKey(ORGANIZATION), index=True),
    sa.Column("contact", sa.Text),
    sa.Column("issued_on", sa.Text),
)

_TABLES = {
    "app.organizations": {"columns": {"name": "user.account"}},
    "app.people": {"via": ["organization_id"], "columns": {"email": "user.contact.email"}},
    "app.notes": {
        "via": ["person_id"],
        "product": "notes",
        "columns": {"body": "user.content"},
    },
    "app.recordings": {
        "via": ["person_id"],
        "product": "recordings",
        "columns": {"body": "user.content"},
    },
    "app.badges": {
        "via": ["person_id"],
        "columns": {"title": "user.content", "at": "user.behavior"},
    },
    "app.invoices": {
        "via": ["organization_id"],
        "erase": "keep",
        "basis": "tax law, 10 years",
        "until": "issued_on + P10Y",
        "columns": {
            "organization_id": {"category": "system.operations", "erase": "null"},
            "contact": {"category": "user.name", "erase": "hash"},
            "issued_on": "user.financial",
        },
    },
}


def shop_map(url):
    return DataMap.model_validate(
        {
            "offramp": 1,
            "sources": {"app": {"kind": "sql", "url": url, "root": ORGANIZATION, "member": PERSON}},
            "tables": _TABLES,
            "people": {"members": {"table": "app.people", "key": "id", "email": "email"}},
            "achievements": [{"table": "app.badges", "title": "title", "at": "at"}],
            "content": ["app.notes", "app.recordings"],
            "marks": ["app.people.email"],
        }
    )


@dataclass(frozen=True)
class Shop:
    """The database and the open map of it."""

    engine: sa.Engine
    data: Data

    def fill(self, *slugs):
        """Empty the database and give every organization the same four people and their rows."""
        KnownSource.trouble.clear()
        with self.engine.begin() as connection:
            for each in reversed(metadata.sorted_tables):
                connection.execute(each.delete())
            for number, slug in enumerate(slugs):
                _fill(connection, slug, first=100 * number)

    def rows(self, slug):
        """Count the rows that are left of an organization, the kept ones aside."""
        mine = people.c.id.like(f"{slug}-%")
        with self.engine.connect() as connection:
            counts = {"organizations": _count(connection, organizations.c.id == slug)}
            counts["people"] = _count(connection, mine)
            for each in (notes, recordings, badges):
                counts[each.name] = _count(connection, each.c.person_id.like(f"{slug}-%"))
        return counts

    def total(self, slug):
        return sum(self.rows(slug).values())

    def write(self, slug):
        """Let one of its people write one note more; false when there is nobody left to do so."""
        with self.engine.begin() as connection:
            if not _count(connection, people.c.id == f"{slug}-user"):
                return False
            row = {"person_id": f"{slug}-user", "body": "late"}
            connection.execute(notes.insert(), row)
            return True

    def dump(self, slug):
        """Give every row that names an organization or one of its people."""
        return self.dumps([slug])[slug]

    def dumps(self, slugs):
        """Give the same for several organizations, from one look at each table."""
        found = {slug: {} for slug in slugs}
        with self.engine.connect() as connection:
            for each in metadata.sorted_tables:
                rows = connection.execute(sa.select(each).order_by(each.c.id)).all()
                for slug in slugs:
                    found[slug][each.name] = [
                        tuple(row)
                        for row in rows
                        if any(str(cell).startswith(slug) for cell in row)
                    ]
        return found

    def invoices(self):
        """Give the rows that a law keeps."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(invoices).order_by(invoices.c.id))
            return [tuple(row) for row in rows]


def _count(connection, which):
    return connection.execute(sa.select(sa.func.count()).where(which)).scalar_one()


def _fill(connection, slug, *, first):
    connection.execute(organizations.insert(), {"id": slug, "name": f"{slug} Ltd"})
    names = ("owner", "admin", "user", "guest")
    rows = [
        {"id": f"{slug}-{name}", "organization_id": slug, "email": f"{name}@{slug}.example"}
        for name in names
    ]
    connection.execute(people.insert(), rows)
    owners = [row["id"] for row in rows]
    for each, writers in ((notes, owners[1:]), (recordings, owners[2:3])):
        lines = [
            {"id": first + n, "person_id": person, "body": f"{each.name} {n}"}
            for n, person in enumerate(writers)
        ]
        connection.execute(each.insert(), lines)
    earned = {"id": first, "person_id": f"{slug}-user", "title": "Safety", "at": "2024-01-05"}
    connection.execute(badges.insert(), earned)
    invoice = {
        "id": first,
        "organization_id": slug,
        "contact": f"{slug} owner",
        "issued_on": "2024-01-01",
    }
    connection.execute(invoices.insert(), invoice)


def open_shop(folder):
    return open_shop_at(f"sqlite:///{folder / 'shop.sqlite'}")


def open_shop_at(url):
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    datamap = shop_map(url)
    opened = open_sources(datamap, environment={})["app"]
    for each in (engine, opened.engine):
        if engine.dialect.name == "sqlite":
            sa.event.listen(each, "connect", _hurry)
    source = KnownSource(name="app", spec=opened.spec, engine=opened.engine, driver=opened.driver)
    return Shop(engine=engine, data=Data(datamap=datamap, sources={"app": source}))


class KnownSource(SqlSource):
    """A source whose tables never change here, so that they are read only once.

    It fails as it is told: before a change, or after it was kept and before it says so.
    """

    _catalogs: ClassVar[dict[str, Catalog]] = {}
    trouble: ClassVar[deque[str]] = deque()

    @contextmanager
    def transaction(self):
        trouble = self.trouble.popleft() if self.trouble else ""
        if trouble == "down":
            raise SourceUnavailable(source=self.name, reason="it is down")
        with super().transaction() as connection:
            yield connection
        if trouble == "lost":
            raise CommitUnknown(source=self.name, reason="the connection was lost")

    def catalog(self, connection):
        url = str(self.engine.url)
        if url not in self._catalogs:
            self._catalogs[url] = super().catalog(connection)
        return self._catalogs[url]


def _hurry(connection, _record):
    """A simulated process dies, the machine under it never does: no need to wait for the disk."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")


ENDS = Date(2024, 8, 30)
ZONE = "Europe/Dublin"
ROLES = {
    "owner": frozenset({Role.MEMBER, Role.OWNER}),
    "admin": frozenset({Role.MEMBER, Role.ADMIN}),
    "user": frozenset({Role.MEMBER}),
    "guest": frozenset({Role.MEMBER}),
}


def organization(slug, *, policy="license-pool", zone=ZONE):
    return Organization(id=slug, name=f"{slug} Ltd", zone=zone, locale="en", policy=policy)


def pool(slug, *, product="notes", ends=ENDS, name=None):
    return Pool(
        id=name or f"{slug}-{product}",
        organization=slug,
        product=product,
        kind="standard",
        seats=9,
        ends=ends,
    )


def members(slug, *pools):
    return [
        Member(
            id=f"{slug}-{name}",
            organization=slug,
            email=f"{name}@{slug}.example",
            name=f"{slug} {name}".title(),
            roles=roles,
            locale="en",
            zone=ZONE,
            pools=frozenset(pools or (f"{slug}-notes",)),
        )
        for name, roles in ROLES.items()
    ]


def with_seats(member, pools):
    return replace(member, pools=frozenset(pools))
