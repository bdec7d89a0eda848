"""docs/data-engine.md is true: its commands run one after the other, as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.installation import ROOT

PAGE = (ROOT / "docs" / "data-engine.md").read_text("utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_every_command_of_the_page_runs_as_it_stands(tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    finished = subprocess.run(
        ["bash", "-euc", "\n".join(COMMANDS)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": path, "PYTHONPATH": str(ROOT)},
        timeout=240,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert "signed with this key and unchanged" in finished.stdout
    assert "Nothing is left in 16 tables." in finished.stdout
    assert "erased again" in finished.stdout
    assert not (tmp_path / "erased-2.json.work").exists()
