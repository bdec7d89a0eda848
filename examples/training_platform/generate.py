"""Fills an empty database with companies: for the same seed the same rows, byte for byte.

python -m examples.training_platform.generate --database URL --seed 7 --leaving-on 2024-08-30
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import zip_longest
from random import Random

import sqlalchemy as sa

from examples.training_platform import schema
from examples.training_platform.catalog import COURSES
from examples.training_platform.companies import DEMO, TINY, companies
from examples.training_platform.database import migrate, open_engine
from examples.training_platform.history import Course, History
from examples.training_platform.rows import Rows

LEAVING_ON = date(2024, 8, 30)
SIZES: Mapping[str, Mapping[str, int]] = {"tiny": TINY, "demo": DEMO}


class DatabaseInUse(Exception):
    """The database already holds companies; generate into an empty one."""


def generate(
    engine: sa.Engine,
    *,
    seed: int,
    leaving_on: date = LEAVING_ON,
    members: Mapping[str, int] = DEMO,
) -> Mapping[str, int]:
    """Fill an empty, migrated database and return the number of rows per table.

    Shape:
        members: the company's slug -> how many members it has.
    Raises:
        DatabaseInUse: there are companies already.
    """
    rows = Rows()
    courses = _write_catalog(rows)
    histories = [
        History(
            company=company,
            rows=rows,
            # Not a secret: the same seed has to tell the same story.
            rng=Random(f"{seed}/{company.slug}"),  # noqa: S311
            courses=courses,
            leaving_on=leaving_on,
            members=members[company.slug],
        )
        for company in companies(leaving_on)
    ]
    # Companies grow side by side, so that their rows lie mixed in every table, as in real life.
    for _turn in zip_longest(*(history.write() for history in histories)):
        pass
    with engine.begin() as connection:
        if connection.scalar(sa.select(sa.exists().select_from(schema.companies))):
            raise DatabaseInUse(DatabaseInUse.__doc__)
        rows.insert(connection)
    return rows.counts()


def build(
    url: str,
    *,
    seed: int,
    leaving_on: date = LEAVING_ON,
    members: Mapping[str, int] = DEMO,
) -> Mapping[str, int]:
    """Bring a database to the newest schema, fill it, and return the number of rows per table."""
    migrate(url)
    engine = open_engine(url)
    try:
        return generate(engine, seed=seed, leaving_on=leaving_on, members=members)
    finally:
        engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the database that the command line asks for."""
    parser = argparse.ArgumentParser(description="Fill a database with invented companies.")
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leaving-on", type=date.fromisoformat, default=LEAVING_ON)
    parser.add_argument("--size", choices=sorted(SIZES), default="demo")
    asked = parser.parse_args(arguments)
    try:
        counts = build(
            asked.database,
            seed=asked.seed,
            leaving_on=asked.leaving_on,
            members=SIZES[asked.size],
        )
    except DatabaseInUse as problem:
        parser.error(str(problem))
    sys.stdout.writelines(f"{count:7} {table}\n" for table, count in counts.items())


def _write_catalog(rows: Rows) -> tuple[Course, ...]:
    written = []
    for code, (title, product, lesson_titles) in COURSES.items():
        course_id = rows.add(schema.courses, code=code, title=title, product=product)
        lesson_ids = tuple(
            rows.add(
                schema.lessons,
                course_id=course_id,
                position=position,
                title=lesson_title,
                minutes=5 + 5 * position,
            )
            for position, lesson_title in enumerate(lesson_titles, start=1)
        )
        written.append(Course(id=course_id, product=product, lesson_ids=lesson_ids))
    return tuple(written)


if __name__ == "__main__":
    main()
