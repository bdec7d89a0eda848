"""A folder becomes an installation, wherever the one that began with it was killed."""

import pytest

from offramp.adapters.lock_file import WorkInProgress, hold_lock
from offramp.cli.opening import open_context
from offramp.cli.settling import MARKER, FolderTaken, settle
from offramp.config import CONFIG_FILE, CONFIG_FILE_VARIABLE, load_settings

POINTS = [
    "folder marked",
    "store made",
    "policy published",
    "policy published",
    "settings drafted",
    "settings written",
]
LISTEN = "127.0.0.1:8123"


class Killed(BaseException):
    """The process ends here."""


class Points:
    """Hears of points, and ends at one of them."""

    def __init__(self, last=None):
        self.passed = []
        self._last = last

    def __call__(self, point):
        self.passed.append(point)
        if len(self.passed) == self._last:
            raise Killed


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv(CONFIG_FILE_VARIABLE, str(tmp_path / "none.toml"))  # put back at the end
    monkeypatch.chdir(tmp_path)
    return tmp_path / "everything"


def begin(place, last=None):
    points = Points(last)
    settle(place, listen=LISTEN, probe=points)
    return points.passed


def is_whole(place):
    settings = load_settings()
    with open_context().store.transaction() as transaction:
        policies = {policy.policy for policy in transaction.policies()}
    assert policies == {"license-pool", "edit-only-grace"}
    assert (settings.folder, settings.serve_at, settings.portal) == (place, LISTEN, True)
    assert settings.public_address == f"http://{LISTEN}"
    return [file.name for file in place.glob(f"{CONFIG_FILE}*")] == [CONFIG_FILE]


@pytest.mark.parametrize("last", range(1, len(POINTS) + 1))
def test_whoever_is_killed_at_any_step_is_followed_by_one_who_finishes(place, last):
    with pytest.raises(Killed):
        begin(place, last)

    begin(place)

    assert is_whole(place)
    assert not (place / MARKER).exists()
    assert begin(place) == []


def test_killed_again_and_again_it_is_finished_at_last_with_the_keys_of_the_first(place):
    keys = set()
    for last in range(1, len(POINTS) + 1):
        with pytest.raises(Killed):
            begin(place, last if last < 3 else 3)
        keys |= {file.read_bytes() for file in place.glob("keys/ledger.key")}

    begin(place)

    assert is_whole(place)
    assert len(keys) == 1


@pytest.mark.parametrize("torn", ["keys/ledger.key.0a1b", "offramp.sqlite", "offramp.toml.part"])
def test_what_was_torn_in_the_middle_of_a_step_is_made_good(place, torn):
    with pytest.raises(Killed):
        begin(place, 1)
    (place / torn).parent.mkdir(exist_ok=True)
    (place / torn).write_bytes(b"")

    begin(place)

    assert is_whole(place)


def test_a_first_time_passes_every_point(place):
    assert begin(place) == POINTS
    assert is_whole(place)


def test_a_folder_with_other_things_is_no_half_made_installation(place):
    place.mkdir()
    (place / "letters.txt").write_text("Dear Anna")

    with pytest.raises(FolderTaken):
        begin(place)

    assert [file.name for file in place.iterdir()] == ["letters.txt"]


def test_two_at_once_do_not_set_up_the_same_folder(place):
    with (
        hold_lock(f"installation {place.resolve()}", subject="it"),
        pytest.raises(WorkInProgress),
    ):
        begin(place)

    assert not place.exists()
