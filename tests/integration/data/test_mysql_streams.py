"""MySQL and MariaDB send all that was asked for, unless they are told to stop."""

from threading import Thread

import pytest
import sqlalchemy as sa

from tests.integration.data.test_mysql import Firm

pytestmark = pytest.mark.mariadb

SECONDS_MAX = 30


@pytest.mark.parametrize("way", ["json_blocks", "rows"])
def test_whoever_reads_no_further_does_not_wait_for_the_rest(mariadb_url, way):
    """As where a disk has no room in the middle of a table that would take hours (L36)."""
    firm = Firm(mariadb_url)
    sequence = sa.table("seq_1_to_100000000000")
    endless = sa.select(sa.column("seq").cast(sa.CHAR)).select_from(sequence)

    def read_a_little():
        source = firm.sources["app"]
        with source.snapshot() as connection:
            with getattr(source, way)(connection, endless) as blocks:
                assert next(blocks)
            # The connection is as good as before.
            told.append(connection.execute(sa.text("SELECT 1")).scalar_one())

    told = []
    reading = Thread(target=read_a_little, daemon=True)
    reading.start()
    reading.join(SECONDS_MAX)

    assert told == [1]
    firm.close()
