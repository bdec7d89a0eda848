"""A vendor's database: everybody of one organization has earned the same number of things."""

from collections.abc import Iterator

import sqlalchemy as sa

from offramp.data.datamap import DataMap

EACH = 5  # achievements of one member
ORGANIZATION = "1"
_METADATA = sa.MetaData()
_COMPANIES = sa.Table("companies", _METADATA, sa.Column("id", sa.Text, primary_key=True))
_PEOPLE = sa.Table(
    "people",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("company_id", sa.ForeignKey("companies.id"), index=True),
    sa.Column("email", sa.Text),
)
_BADGES = sa.Table(
    "badges",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), index=True),
    sa.Column("title", sa.Text),
    sa.Column("at", sa.Text),
)
_TITLES = ("First aid", "Fire safety", "Working at height", "Data protection", "Leading a team")


def member_keys(members: int) -> Iterator[str]:
    """Name so many members."""
    return (f"{number:06}" for number in range(members))


def fill_school(url: str, *, members: int) -> None:
    """Fill an empty database."""
    people = [
        {"id": key, "company_id": ORGANIZATION, "email": f"{key}@company.example"}
        for key in member_keys(members)
    ]
    badges = [
        {"person_id": person["id"], "title": title, "at": f"2024-0{month}-11 10:00:00"}
        for person in people
        for month, title in enumerate(_TITLES[:EACH], 1)
    ]
    engine = sa.create_engine(url)
    _METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(_COMPANIES.insert(), [{"id": ORGANIZATION}])
        connection.execute(_PEOPLE.insert(), people)
        connection.execute(_BADGES.insert(), badges)
    engine.dispose()


def school_map(url: str) -> DataMap:
    """Say where everything is."""
    return DataMap.model_validate(
        {
            "offramp": 1,
            "sources": {
                "app": {"kind": "sql", "url": url, "root": "companies.id", "member": "people.id"}
            },
            "tables": {
                "app.companies": {"columns": {}},
                "app.people": {"via": ["company_id"], "columns": {"email": "user.contact.email"}},
                "app.badges": {
                    "via": ["person_id"],
                    "columns": {"title": "user.content", "at": "user.behavior"},
                },
            },
            "people": {"members": {"table": "app.people", "key": "id", "email": "email"}},
            "achievements": [{"table": "app.badges", "title": "title", "at": "at"}],
        }
    )
