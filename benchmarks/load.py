"""Filling the measured database with rows that look like those of a live system.

One organization has the rows that were asked for, thirty have a tenth of them, twenty a third of
that, the other hundred and forty-nine next to none. Rows arrive in the order of time, so that a
page of the disk holds rows of many organizations. The same seed gives the same rows.
"""

# ruff: noqa: S608 - every part of these statements is written in this folder

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg

from benchmarks.schema import (
    TABLES,
    Table,
    constraints,
    empty_tables,
    sqlite_indexes,
    sqlite_tables,
)

LARGE = 1
MIDDLE = 2  # a tenth of the large one
SMALLER = 32  # three hundredths
FIRST_SMALL = 52
ORGANIZATIONS = 200
ROWS_PER_PERSON = 50.5  # of all tables together, once the rows below are drawn
_ROWS_FETCHED = 10_000

_SIZES = """
CREATE TEMP TABLE size AS
SELECT number AS organization_id,
    greatest(2, round(%(people)s * CASE WHEN number = 1 THEN 1 WHEN number <= 31 THEN 0.1
        WHEN number <= 51 THEN 0.03 ELSE 0.0025 END))::int AS people,
    CASE WHEN number = 1 THEN 60 WHEN number <= 31 THEN 12 ELSE 2 END AS teams,
    CASE WHEN number = 1 THEN 20 WHEN number <= 31 THEN 5 ELSE 2 END AS pools
FROM generate_series(1, 200) AS number
"""

_SOME_TIME = "timestamptz '2024-02-01 08:00Z' + random() * interval '700 days'"
_LATER = "random() * interval '200 days'"

# Each select is written to its table as it is, in this order; rows are numbered as they come.
_ROWS = {
    "organizations": """
        SELECT organization_id, 'org-' || organization_id, 'Organization ' || organization_id,
            'billing@org-' || organization_id || '.example', 'IE',
            jsonb_build_object('plan', 'team', 'is_trial', false),
            timestamptz '2023-01-01 00:00Z' + organization_id * interval '1 day' FROM size""",
    "subjects": """
        SELECT n, 'Subject ' || n, repeat('What is taught here. ', 8)
        FROM generate_series(1, 200) n""",
    "units": """
        SELECT n, 1 + (n - 1) / 10, 'Unit ' || n FROM generate_series(1, 2000) n""",
    "teams": """
        SELECT row_number() OVER (ORDER BY drawn), organization_id, 'Team ' || n, NULL,
            timestamptz '2023-02-01 00:00Z' + drawn * interval '300 days'
        FROM (SELECT *, random() drawn FROM size, generate_series(1, teams) n) x""",
    "pools": """
        SELECT row_number() OVER (ORDER BY drawn), organization_id, 'Product ' || n, 250,
            date '2024-01-01', date '2027-12-31'
        FROM (SELECT *, random() drawn FROM size, generate_series(1, pools) n) x""",
    "people": f"""
        SELECT id, organization_id, team.ids[1 + id % cardinality(team.ids)],
            'person' || id || '@org-' || organization_id || '.example',
            (ARRAY['Aoife','Björn','Chidi','Dana','Emre','Fumiko'])[1 + id % 6],
            'Surname' || id % 4001, '+353 1 ' || lpad((id * 6373 % 10000000)::text, 7, '0'),
            date '1961-01-01' + (id % 14000)::int,
            '10.' || id % 250 || '.' || id / 250 % 250 || '.9',
            md5(id::text) || md5('p' || id), 'en-IE', at, at + interval '250 days'
        FROM (SELECT row_number() OVER (ORDER BY at) id, organization_id, at
              FROM (SELECT organization_id, {_SOME_TIME} AS at
                    FROM size, generate_series(1, people)) drawn) numbered
        JOIN (SELECT organization_id, array_agg(id) ids FROM teams GROUP BY 1) team
            USING (organization_id)
        ORDER BY id""",
    "memberships": """
        SELECT organization_id, id, CASE WHEN id % 25 = 0 THEN 'admin' ELSE 'learner' END,
            created_at FROM people ORDER BY id""",
    "grants": """
        SELECT organization_id, id, 'report.read', created_at FROM people WHERE id % 2 = 0
        ORDER BY id""",
    "enrollments": f"""
        SELECT row_number() OVER (ORDER BY at), person_id, 1 + floor(random() * 200)::int, pool_id,
            CASE WHEN drawn < 0.5 THEN 'completed' ELSE 'active' END,
            round((drawn * 100)::numeric, 2), at,
            CASE WHEN drawn < 0.5 THEN at + interval '30 days' END
        FROM (SELECT p.id person_id, pool.ids[1 + (p.id + n) % cardinality(pool.ids)] pool_id,
                  p.created_at + {_LATER} AS at, random() drawn
              FROM people p
              JOIN (SELECT organization_id, array_agg(id) ids FROM pools GROUP BY 1) pool
                  USING (organization_id), generate_series(1, 4) n) x
        ORDER BY 1""",
    "visits": """
        SELECT row_number() OVER (ORDER BY at), enrollment_id, (subject_id - 1) * 10 + n, 'done',
            (random() * 100)::real, (random() * 3000)::int, at, at + interval '1 hour'
        FROM (SELECT e.id enrollment_id, e.subject_id, n,
                  e.created_at + random() * interval '50 days' AS at
              FROM enrollments e, generate_series(1, 6 + (e.id % 4 = 0)::int) n) x
        ORDER BY 1""",
    "answers": """
        SELECT row_number() OVER (ORDER BY id), id, (1 + id % 9)::int, 'I think ' || md5(id::text),
            id % 3 > 0, updated_at
        FROM visits WHERE id % 5 = 0""",
    "awards": """
        SELECT row_number() OVER (ORDER BY e.id), e.id, 'AWARD-' || upper(md5(e.id::text)),
            p.first_name || ' ' || p.last_name, e.created_at + interval '31 days'
        FROM enrollments e JOIN people p ON p.id = e.person_id WHERE e.id % 8 < 3""",
    "award_events": """
        SELECT row_number() OVER (ORDER BY a.id, n), a.id,
            CASE n WHEN 1 THEN 'view' ELSE 'print' END, '10.7.' || a.id % 250 || '.1',
            a.issued_at + n * interval '1 day'
        FROM awards a, generate_series(1, 1 + (a.id % 3 = 0)::int) n""",
    "badges": f"""
        SELECT row_number() OVER (ORDER BY at), id, 'badge-' || n, 5 * n, at
        FROM (SELECT id, n, created_at + {_LATER} AS at FROM people, generate_series(1, 2) n) x""",
    "events": f"""
        SELECT row_number() OVER (ORDER BY at), organization_id, id,
            'person.' || (ARRAY['login', 'update', 'enroll'])[1 + n % 3], last_ip,
            jsonb_build_object('email', email, 'agent', 'Mozilla/5.0 (X11; Linux x86_64)',
                'request', md5(id::text || n)), at
        FROM (SELECT p.*, n, p.created_at + {_LATER} AS at FROM people p, generate_series(1, 6) n) x
        ORDER BY 1""",
    "notes": f"""
        SELECT id, person_id, unit_id,
            CASE WHEN id % 2 = 0 THEN lag(id, (1 + id % 17)::int)
                OVER (PARTITION BY organization_id ORDER BY id) END,
            'A good unit. ' || first_name || ' ' || repeat('and so on ', (1 + id % 12)::int), at
        FROM (SELECT row_number() OVER (ORDER BY at) id, *
              FROM (SELECT p.id person_id, p.organization_id, p.first_name,
                        1 + floor(random() * 2000)::int unit_id, p.created_at + {_LATER} AS at
                    FROM people p, generate_series(1, 2)) x) y
        ORDER BY id""",
    "uploads": f"""
        SELECT row_number() OVER (ORDER BY at), organization_id, id, 'report-' || id || '.pdf',
            'uploads/' || organization_id || '/' || md5(id::text), 'application/pdf',
            1000 + id % 90000, md5(id::text) || md5('f' || id), at
        FROM (SELECT id, organization_id, created_at + {_LATER} AS at FROM people
              WHERE id % 2 = 1) x""",
}

_LEADS = """
UPDATE teams SET lead_id = (SELECT min(id) FROM people WHERE people.team_id = teams.id)
"""


# Offramp's own roles: one with no more rights than it needs, and one that may also switch off the
# checks of references, which is a right that its owner grants on purpose.
ORDINARY, TRUSTED = "offramp", "offramp_trusted"
_ROLES = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ORDINARY}') THEN
        CREATE ROLE {ORDINARY} LOGIN;
        CREATE ROLE {TRUSTED} LOGIN IN ROLE {ORDINARY};
    END IF;
END $$;
GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ORDINARY};
GRANT SET ON PARAMETER session_replication_role TO {TRUSTED};
"""


def load_postgres(connection: psycopg.Connection, *, rows: int) -> None:
    """Create and fill the database; the large organization gets about so many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SET work_mem = '512MB'")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SELECT setseed(0.25)")
        cursor.execute(_SIZES, {"people": round(rows / ROWS_PER_PERSON)})
        for statement in empty_tables():
            cursor.execute(statement)
        for table, select in _ROWS.items():
            cursor.execute(f"INSERT INTO {table} {select}".encode())
            cursor.execute(f"ANALYZE {table}".encode())
        cursor.execute(_LEADS)
        cursor.execute(_ROLES)
        for statement in constraints():
            cursor.execute(statement)
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM (FREEZE, ANALYZE)")


def load_sqlite(connection: psycopg.Connection, file: Path) -> None:
    """Copy a filled PostgreSQL database into a new SQLite file."""
    with closing(sqlite3.connect(file)) as target:
        target.execute("PRAGMA journal_mode = WAL")
        for statement in sqlite_tables():
            target.execute(statement)
        for table in TABLES:
            places = ", ".join("?" * len(table.names()))
            target.executemany(
                f"INSERT INTO {table.name} VALUES ({places})", _rows(connection, table)
            )
        for statement in sqlite_indexes():
            target.execute(statement)
        target.commit()
        target.execute("ANALYZE")
        target.commit()
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _rows(connection: psycopg.Connection, table: Table) -> Iterator[tuple[object, ...]]:
    """Read the rows with everything that SQLite has no word for as text."""
    fields = ", ".join(
        name if kind.startswith(("bigint", "integer", "real", "boolean")) else f"{name}::text"
        for name, kind in table.fields()
    )
    with connection.transaction(), connection.cursor("rows") as cursor:
        cursor.itersize = _ROWS_FETCHED
        yield from cursor.execute(f"SELECT {fields} FROM {table.name}".encode())
