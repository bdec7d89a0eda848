"""A lock is held by one, and goes with whoever holds it."""

import os
import tempfile

import pytest

from offramp.adapters.lock_file import LockFolderForeign, WorkInProgress, hold_lock


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_what_one_holds_nobody_else_gets():
    with (
        hold_lock("acme", subject="acme"),
        pytest.raises(WorkInProgress, match="at work on acme"),
        hold_lock("acme", subject="acme"),
    ):
        raise AssertionError("it was held twice")


def test_another_name_is_another_lock_and_a_lock_is_let_go():
    with hold_lock("acme", subject="acme"), hold_lock("other", subject="other"):
        pass

    with hold_lock("acme", subject="acme"):
        pass


def test_names_do_not_appear_in_the_folder(tmp_path):
    with hold_lock("acme", subject="acme"):
        (folder,) = tmp_path.iterdir()
        assert not any("acme" in file.name for file in folder.iterdir())


def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path):
    folder = tmp_path / f"offramp-locks-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(LockFolderForeign), hold_lock("acme", subject="acme"):
        raise AssertionError("it was trusted")
