"""The password of a database stays out of a map that is proposed for it."""

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
