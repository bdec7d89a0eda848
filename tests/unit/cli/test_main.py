"""The command starts with what is installed at least: the drivers of servers are extras."""

import subprocess
import sys

WITHOUT_DRIVERS = """
import sys
sys.modules |= {"psycopg": None, "pymysql": None}
from offramp.cli.main import app
app(["--help"])
"""


def test_the_command_starts_where_no_driver_of_a_server_is_installed():
    finished = subprocess.run(
        [sys.executable, "-c", WITHOUT_DRIVERS], capture_output=True, text=True, check=False
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    assert "Usage" in finished.stdout
