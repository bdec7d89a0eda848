"""What `offramp map init` says of a PostgreSQL server: no password, and every schema."""

import sqlalchemy as sa
from typer.testing import CliRunner

from offramp.cli.main import app
from offramp.documents.datamap import load_datamap


def test_a_password_is_not_written_into_the_map(postgres_url, tmp_path):
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE companies (id integer PRIMARY KEY)")
    engine.dispose()
    address = sa.make_url(postgres_url).set(password="hunter2")
    file = tmp_path / "map.yaml"
    given = address.render_as_string(hide_password=False)

    told = CliRunner().invoke(
        app, ["map", "init", given, "--root", "companies.id", "--out", str(file)]
    )

    assert told.exit_code == 0, told.output
    assert "set DATABASE_URL" in told.output
    assert "hunter2" not in told.output + file.read_text("utf-8")
    assert load_datamap(file).sources["app"].url == "env:DATABASE_URL"


def test_other_schemas_and_copies_are_not_passed_over_in_silence(postgres_url, tmp_path):
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE companies (id integer PRIMARY KEY)")
        connection.exec_driver_sql("CREATE SCHEMA billing CREATE TABLE bills (id integer)")
        connection.exec_driver_sql("CREATE SCHEMA empty")
        connection.exec_driver_sql("CREATE MATERIALIZED VIEW copies AS SELECT * FROM companies")
    engine.dispose()
    arguments = [postgres_url, "--root", "companies.id", "--out", str(tmp_path / "map.yaml")]

    told = CliRunner().invoke(app, ["map", "init", *arguments])

    assert told.exit_code == 0, told.output
    assert "the schema billing holds tables too" in told.output
    assert "the materialized view copies holds copies" in told.output
    assert "empty" not in told.output
