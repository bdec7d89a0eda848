"""A small school for companies: every shape of reference in a dozen tables, three companies."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import sqlalchemy as sa

from offramp.data.datamap import DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource, open_sources
from tests.integration.data.engine import INSTANT, MOMENT, open_engine

metadata = sa.MetaData()
KEY = bytes(range(32))
NOW = datetime(2024, 8, 30, 9, 30, 0, 123456, tzinfo=UTC)


def column(name, kind=sa.Integer, target=None, **options):
    rest = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, kind, *rest, index=bool(target), **options)


def table(name, *columns):
    return sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)


companies = table("companies", column("name", sa.Text), column("slug", sa.String(80)))
teams = table(
    "teams",
    column("company_id", target="companies.id", nullable=False),
    sa.Column(
        "lead_user_id",
        sa.ForeignKey("users.id", name="fk_lead", use_alter=True),
        index=True,
    ),
)
users = table(
    "users",
    column("company_id", target="companies.id", nullable=False),
    column("team_id", target="teams.id"),
    column("email", sa.String(200), nullable=False),
    column("first name", sa.Text),
    column("secret", sa.Text),
)
memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("company_id", sa.ForeignKey("companies.id"), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id"), primary_key=True, index=True),
    sa.Column("role", sa.Text),
)
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("company_id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, primary_key=True),
    sa.Column("permission", sa.String(40), primary_key=True),
    sa.ForeignKeyConstraint(
        ["company_id", "user_id"], ["memberships.company_id", "memberships.user_id"]
    ),
)
courses = table("courses", column("title", sa.Text))
enrolments = table(
    "enrolments",
    column("user_id", target="users.id", nullable=False),
    column("course_id", target="courses.id", nullable=False),
)
certificates = table(
    "certificates",
    column("enrolment_id", target="enrolments.id", nullable=False),
    column("title", sa.Text),
    column("holder", sa.Text),
    column("issued_at", INSTANT),
)
comments = table(
    "comments",
    column("user_id", target="users.id", nullable=False),
    column("parent_id", target="comments.id"),
    column("body", sa.Text),
)
notes = table(
    "notes",
    column("company_id", target="companies.id", nullable=False),
    column("owner_id", target="users.id", nullable=False),
    column("last_edited_by", target="users.id"),
    column("body", sa.Text),
    column("tags", sa.JSON),
    column("price", sa.Numeric(30, 10)),
    column("size", sa.BigInteger),
    column("score", sa.Double),
    column("blob", sa.LargeBinary),
    column("done", sa.Boolean),
    column("at", INSTANT),
    column("seen_at", MOMENT),
    column("due_on", sa.Date),
)
shares = table(
    "shares",
    column("note_id", target="notes.id", nullable=False),
    column("user_id", target="users.id", nullable=False),
)
invoices = table(
    "invoices",
    column("company_id", target="companies.id"),
    column("contact", sa.String(60)),
    column("contact_email", sa.String(60), unique=True),
    column("memo", sa.Text),
    column("issued_on", sa.Date, nullable=False),
    column("amount", sa.Numeric(12, 2)),
)
audit = table("audit", column("company_id", target="companies.id"), column("payload", sa.JSON))


def needs_index(_ddl, _index, _bind, *, dialect, **_rest):
    """InnoDB makes an index for every reference by itself."""
    return dialect.name != "mysql"


for each in metadata.tables.values():
    for made in each.indexes:
        made.ddl_if(callable_=needs_index)

# SQLite cannot add a reference to a table that exists, so the cycle is written down at once.
SQLITE_TEAMS = (
    "CREATE TABLE teams (id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL REFERENCES companies,"
    " lead_user_id INTEGER REFERENCES users (id))",
    "CREATE INDEX ix_teams_company_id ON teams (company_id)",
    "CREATE INDEX ix_teams_lead_user_id ON teams (lead_user_id)",
)

TABLES = {
    "app.companies": {"columns": {"name": "user.account", "slug": "user.account"}},
    "app.teams": {"via": ["company_id"], "columns": {"lead_user_id": "user.unique_id"}},
    "app.users": {
        "via": ["company_id"],
        "columns": {
            "team_id": "system.operations",
            "email": "user.contact.email",
            "first name": "user.name.first",
            "secret": {"category": "user.authorization", "export": "never"},
        },
    },
    "app.memberships": {"via": ["company_id"], "columns": {"role": "user.authorization"}},
    "app.grants": {"via": ["company_id", "user_id"]},
    "app.courses": {"shared": "catalog, belongs to nobody"},
    "app.enrolments": {"via": ["user_id"], "columns": {"course_id": "user.behavior"}},
    "app.certificates": {
        "via": ["enrolment_id"],
        "columns": {"title": "user.content", "holder": "user.name", "issued_at": "user.behavior"},
    },
    "app.comments": {
        "via": ["user_id"],
        "columns": {"parent_id": "system.operations", "body": "user.content"},
    },
    "app.notes": {
        "via": ["company_id"],
        "product": "notes",
        "columns": dict.fromkeys(
            [name for name in notes.c.keys() if name not in ("id", "company_id")],  # noqa: SIM118
            "user.content",
        ),
    },
    "app.shares": {
        "via": ["note_id"],
        "product": "notes",
        "columns": {"user_id": "user.unique_id"},
    },
    "app.invoices": {
        "via": ["company_id"],
        "erase": "keep",
        "basis": "tax law, 10 years",
        "until": "issued_on + P10Y",
        "columns": {
            "company_id": {"category": "system.operations", "erase": "null"},
            "contact": {"category": "user.name", "erase": "hash"},
            "contact_email": {"category": "user.contact.email", "erase": "hash"},
            "memo": {"category": "user.content", "erase": "null"},
            "issued_on": "user.financial",
            "amount": "user.financial",
        },
    },
    "app.audit": {"via": ["company_id"], "columns": {"payload": "user.behavior"}},
}


def school_map(url, **changed):
    return DataMap.model_validate(
        {
            "offramp": 1,
            "sources": {
                "app": {"kind": "sql", "url": url, "root": "companies.id", "member": "users.id"}
            },
            "tables": TABLES | changed.pop("tables", {}),
            "people": {"members": {"table": "app.users", "key": "id", "email": "email"}},
            "achievements": [
                {
                    "table": "app.certificates",
                    "title": "title",
                    "holder": "holder",
                    "at": "issued_at",
                }
            ],
            "content": ["app.notes", "app.comments"],
            "marks": ["app.users.email"],
        }
        | changed
    )


@dataclass
class School:
    """A filled database with its map."""

    url: str
    engine: sa.Engine
    datamap: DataMap
    sources: dict[str, SqlSource]

    def rows(self, name, where="1=1"):
        with self.engine.connect() as connection:
            statement = sa.text(f'SELECT * FROM "{name}" WHERE {where} ORDER BY 1, 2')
            return [tuple(row) for row in connection.execute(statement)]

    def run(self, text):
        with self.engine.begin() as connection:
            connection.execute(sa.text(text))

    def everything(self, company):
        """All rows of one company, told apart by ids: company 2 has the ids 200 to 299."""
        with self.engine.connect() as connection:
            found = {}
            for each in metadata.tables.values():
                key = each.c.id if "id" in each.c else each.c.user_id
                chosen = key.between(company * 100, company * 100 + 99)
                statement = sa.select(each).where(chosen).order_by(*each.primary_key)
                found[each.name] = [tuple(row) for row in connection.execute(statement)]
            return found


def fill(engine, *, company):
    """Give one company the same shape as any other, under ids of its own."""
    base = company * 100
    with engine.begin() as connection:

        def put(into, *rows):
            connection.execute(sa.insert(into), list(rows))

        put(companies, {"id": base, "name": f"Company {company}", "slug": f"company-{company}"})
        put(teams, {"id": base, "company_id": base}, {"id": base + 1, "company_id": base})
        put(users, *(user(base, n) for n in range(4)))
        for n in (0, 1):
            lead = sa.update(teams).where(teams.c.id == base + n)
            connection.execute(lead.values(lead_user_id=base + n))
        members = [{"company_id": base, "user_id": base + n, "role": "member"} for n in range(4)]
        put(memberships, *members)
        put(
            grants,
            *(
                {"company_id": base, "user_id": base + n, "permission": permission}
                for n in range(4)
                for permission in ("read", "write")
            ),
        )
        put(enrolments, *({"id": base + n, "user_id": base + n, "course_id": 1} for n in range(4)))
        put(certificates, *(certificate(base, n) for n in range(3)))
        put(comments, {"id": base + 5, "user_id": base, "body": "first"})
        put(
            comments,
            # An older number answers a newer one, so no order of keys alone would do.
            {"id": base + 1, "user_id": base + 1, "parent_id": base + 5, "body": "re: first"},
            {"id": base + 7, "user_id": base + 2, "parent_id": base + 1, "body": "re: re"},
            {"id": base + 8, "user_id": base, "parent_id": base + 8, "body": "to myself"},
        )
        put(notes, *(note(base, n) for n in range(5)))
        put(
            shares,
            {"id": base, "note_id": base, "user_id": base + 1},
            {"id": base + 1, "note_id": base + 1, "user_id": base},
        )
        put(invoices, *(invoice(base, n) for n in range(3)))
        payload = {"email": f"user1@company{company}.example", "n": 1.50}
        put(audit, {"id": base, "company_id": base, "payload": payload})


def user(base, n):
    return {
        "id": base + n,
        "company_id": base,
        "team_id": base + n % 2,
        "email": f"user{n}@company{base // 100}.example",
        "first name": f'Zoë "{n}"\n\\',
        "secret": "s3cret",
    }


def certificate(base, n):
    return {
        "id": base + n,
        "enrolment_id": base + n // 2,
        "title": f"Course {n}",
        "holder": f"User {n // 2}",
        "issued_at": NOW,
    }


def note(base, n):
    return {
        "id": base + n,
        "company_id": base,
        "owner_id": base + n % 3,
        "last_edited_by": base + (n + 1) % 3,
        "body": f"line\nline {n}",
        "tags": {"a": [1, "ü"]},
        "price": Decimal("12345678901234567890.0123456789") if n == 0 else None,
        "size": 2**53 + 1 if n == 1 else 2**53 - 1,
        "score": 0.1 + 0.2,
        "blob": bytes(range(200)),
        "done": bool(n % 2),
        "at": NOW,
        "seen_at": NOW.replace(tzinfo=None),
        "due_on": date(2024, 8, 30),
    }


def invoice(base, n):
    return {
        "id": base + n,
        "company_id": base,
        "contact": f"Contact {n // 2}",
        "contact_email": f"billing{n}@company{base // 100}.example",
        "memo": "as agreed",
        "issued_on": date(2023, 1, 1 + n),
        "amount": Decimal("99.90"),
    }


def build_school(url, *, size=3):
    engine = open_engine(url)
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            for statement in SQLITE_TEAMS:
                connection.execute(sa.text(statement))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(courses), [{"id": 1, "title": "Safety"}])
    for company in range(1, size + 1):
        fill(engine, company=company)
    datamap = school_map(url)
    return School(url, engine, datamap, open_sources(datamap, environment={}))


COMPANY = Scope(organization="100")
MEMBER = Scope(organization="100", member="100")


class FenceBroken(Exception):
    """Somebody paused, or the process died."""


@dataclass
class CountingFence:
    """A fence that can break before or after its n-th chunk."""

    breaks_before: int | None = None
    breaks_after: int | None = None
    entered: list = field(default_factory=list)
    recorded: list = field(default_factory=list)

    def chunk(self, table):
        return _Chunk(self, table)


@dataclass
class _Chunk:
    fence: CountingFence
    table: str

    def __enter__(self):
        if len(self.fence.entered) == self.fence.breaks_before:
            raise FenceBroken
        self.fence.entered.append(self.table)
        return self

    def keep(self):
        """Hold: nobody takes this fence away."""

    def record(self, *, rows, table=None):
        self.fence.recorded.append((table or self.table, rows))

    def __exit__(self, *_):
        if len(self.fence.entered) == self.fence.breaks_after:
            raise FenceBroken


def no_progress(_table, _rows):
    """Tell nobody."""


def still():
    """A clock that stands."""
    return 0.0
