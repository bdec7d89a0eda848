"""A file that the command line writes has its name only when it is whole (L36)."""

import os

import pytest

from offramp.adapters.lock_file import WorkInProgress
from offramp.cli.whole_file import whole_file
from offramp.ports import DiskFull
from tests.integration.data.trouble import full_disk


@pytest.mark.parametrize("name", ["out.json", "out.json.gz"])
def test_a_disk_that_is_full_leaves_no_file_and_says_what_to_do(tmp_path, name):
    file = tmp_path / name
    noise = bytes(range(256)) * 4_000

    with (
        full_disk(bytes_max=1_000),
        pytest.raises(DiskFull, match="no room") as caught,
        whole_file(file) as sink,
    ):
        sink.write(noise)

    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []
    with whole_file(file) as sink:
        sink.write(noise)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_two_writers_of_one_file_never_mix_what_they_write(tmp_path):
    file = tmp_path / "out.json"

    with whole_file(file) as sink:
        sink.write(b"the first")
        with pytest.raises(WorkInProgress, match=r"out\.json"), whole_file(file) as other:
            other.write(b"the second")

    assert file.read_bytes() == b"the first"
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_writer_left_is_never_taken_for_the_file(tmp_path):
    file = tmp_path / "out.json"
    (tmp_path / "out.json.part").write_bytes(b"half of a much longer document")

    assert not file.exists()
    with whole_file(file) as sink:
        sink.write(b"whole")
    assert file.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [file]


def test_who_is_stopped_as_soon_as_the_file_is_there_leaves_none(tmp_path, monkeypatch):
    opened = os.open

    def stopped(path, *rest):
        if os.fspath(path).endswith(".part"):
            os.close(opened(path, *rest))
            raise KeyboardInterrupt
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", stopped)

    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "export.json"):
        pass  # nobody comes here

    assert list(tmp_path.iterdir()) == []
