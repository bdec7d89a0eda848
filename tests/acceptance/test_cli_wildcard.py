"""An id that could mean more than one, or nobody, is refused by every command (L26)."""

import pytest
from typer.testing import CliRunner

from offramp.cli.main import app
from tests.acceptance.installation import in_days

UNTIL = in_days(300)
WHO = ("--owner", "support", "--reason", "L26")
COMMANDS = {
    "export": ("export", "{}", "--out", "out.json"),
    "erase": ("erase", "{}", "--dry-run"),
    "hold": ("hold", "{}", *WHO),
    "exempt": ("exempt", "{}"),
    "renew": ("renew", "{}", "--until", UNTIL),
    "extend": ("extend", "{}", "--until", UNTIL),
    "reactivate": ("reactivate", "{}", "--until", UNTIL, "--by", "owner"),
    "unlock": ("unlock", "{}", *WHO),
    "keep-until": ("keep-until", "{}", "app.invoices", UNTIL),
    "member remove": ("member", "remove", "{}", "13"),
    "member of one": ("member", "remove", "1", "{}"),
    "hold a member": ("hold", "1", "--member", "{}", *WHO),
    "export a member": ("export", "1", "--member", "{}", "--out", "out.json"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_blank_or_wild_id_is_refused_and_nothing_is_changed_L26(
    command, installation, monkeypatch
):
    monkeypatch.chdir(installation.folder)
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    before = installation.contents()

    codes = {
        wild: CliRunner().invoke(app, [part.format(wild) for part in COMMANDS[command]]).exit_code
        for wild in ("", " ", "*", "%", "1*", "1%", "_", "?")
    }

    assert set(codes.values()) <= {2, 3, 4}, codes
    assert installation.contents() == before
    assert not (installation.folder / "out.json").exists()
