"""A large file goes to the disk bit by bit."""

import io
import os

import pytest

from offramp.adapters.disk import TRICKLED_BYTES, TrickledFile

HALF = bytes(TRICKLED_BYTES // 2)


@pytest.fixture
def synced():
    """How large the file was whenever the disk was waited for."""
    return []


@pytest.fixture
def descriptor(tmp_path):
    return os.open(tmp_path / "export.json", os.O_WRONLY | os.O_CREAT)


def test_the_disk_is_waited_for_every_few_megabytes_and_not_in_between(descriptor, synced):
    file = TrickledFile(descriptor, sync=lambda number: synced.append(os.fstat(number).st_size))

    with io.BufferedWriter(file) as sink:
        for _ in range(5):
            sink.write(HALF)

    assert synced == [TRICKLED_BYTES, 2 * TRICKLED_BYTES]


def test_what_was_written_is_there(descriptor, tmp_path):
    with io.BufferedWriter(TrickledFile(descriptor)) as sink:
        sink.write(HALF)
        sink.write(HALF)
        sink.write(b"end")

    assert (tmp_path / "export.json").read_bytes() == HALF + HALF + b"end"
