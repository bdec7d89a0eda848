"""Clock, ids, keys and vault on the real machine."""

import os
import stat
from contextlib import suppress
from threading import Thread

import pytest
from whenever import Instant

from offramp.adapters.clock import SystemClock
from offramp.adapters.ids import RandomIds
from offramp.adapters.keys_folder import FolderKeys, KeyDamaged, KeyDestroyed
from offramp.adapters.vault_folder import FolderVault
from offramp.ports import DiskFull
from tests.contract.clock_contract import ClockContract, IdsContract
from tests.contract.keys_contract import KeysContract
from tests.contract.vault_contract import VaultContract, put
from tests.integration.data.trouble import full_disk


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self):
        return SystemClock()

    def test_it_shows_the_time_of_the_machine(self, clock):
        before = Instant.now()

        assert before <= clock.now() <= Instant.now()


class TestRandomIds(IdsContract):
    @pytest.fixture
    def ids(self):
        return RandomIds()

    def test_an_id_is_a_version_7_uuid_that_begins_with_the_time(self, ids):
        before = Instant.now().timestamp(unit="millisecond")

        given = ids.new()

        assert before <= int(given[:12], 16) <= Instant.now().timestamp(unit="millisecond")
        assert (len(given), given[12]) == (32, "7")
        assert given[16] in "89ab"


class TestFolderKeys(KeysContract):
    @pytest.fixture
    def folder(self, tmp_path):
        return tmp_path / "a" / "keys"

    @pytest.fixture
    def keys(self, folder):
        return FolderKeys(folder)

    def test_only_the_owner_can_read_them_and_no_name_tells_a_customer(self, keys, folder):
        keys.organization_key("acme")
        keys.ledger_key()

        assert mode(folder) == 0o700
        assert {mode(file) for file in files_in(folder)} == {0o600}
        assert not [file for file in files_in(folder) if "acme" in file.name]

    def test_an_open_folder_is_closed_again(self, keys, folder):
        folder.mkdir(parents=True, mode=0o755)

        keys.ledger_key()

        assert mode(folder) == 0o700

    def test_another_process_reads_the_same_keys(self, keys, folder):
        assert FolderKeys(folder).organization_key("acme") == keys.organization_key("acme")
        assert FolderKeys(folder).ledger_key() == keys.ledger_key()

    def test_destroying_leaves_no_copy_of_the_key(self, keys, folder):
        """L23: a draft that a crash has left is a copy too."""
        key = keys.organization_key("acme")
        [file] = files_in(folder)
        draft = file.with_name(file.name + ".0011223344556677")
        draft.write_bytes(key)
        hard_link = folder.parent / "backup"
        os.link(file, hard_link)

        keys.destroy("acme")

        assert [left.name for left in files_in(folder)] == [file.name + ".destroyed"]
        assert hard_link.read_bytes() != key

    def test_a_destruction_that_was_cut_short_gives_no_key_and_can_be_finished(self, keys, folder):
        keys.organization_key("acme")
        [file] = files_in(folder)
        file.with_name(file.name + ".destroyed").touch()

        with pytest.raises(KeyDestroyed):
            keys.organization_key("acme")

        assert keys.has_key("acme")
        assert keys.destroy("acme")
        assert not keys.has_key("acme")

    def test_a_damaged_key_is_never_used(self, keys, folder):
        keys.ledger_key()
        (folder / "ledger.key").write_bytes(b"short")

        with pytest.raises(KeyDamaged):
            keys.ledger_key()

    def test_processes_that_race_for_a_first_use_get_one_key(self, folder):
        made = []
        racers = [
            Thread(target=lambda: made.append(FolderKeys(folder).organization_key("acme")))
            for _ in range(8)
        ]

        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()

        assert len(made) == 8
        assert len(set(made)) == 1

    def test_a_key_never_outlives_its_destruction_however_they_race(self, folder):
        for round_number in range(20):
            organization = f"acme-{round_number}"
            FolderKeys(folder).organization_key(organization)

            def use(organization=organization):
                with suppress(KeyDestroyed):
                    for _ in range(20):
                        FolderKeys(folder).organization_key(organization)

            user = Thread(target=use)
            user.start()
            FolderKeys(folder).destroy(organization)
            user.join()

            assert not FolderKeys(folder).has_key(organization)


class TestFolderVault(VaultContract):
    @pytest.fixture
    def folder(self, tmp_path):
        return tmp_path / "vault"

    @pytest.fixture
    def vault(self, folder):
        return FolderVault(folder)

    def test_only_the_owner_can_read_it(self, vault, folder):
        put(vault, "acme/export.json", b"{}")

        assert {mode(folder), mode(folder / "acme")} == {0o700}
        assert mode(folder / "acme" / "export.json") == 0o600

    def test_deleting_takes_the_drafts_that_a_crash_has_left(self, vault, folder):
        put(vault, "acme/export.json", b"{}")
        (folder / "acme" / ".draft-0123").write_bytes(b"half an export")

        assert vault.delete("acme") == 1

        assert not (folder / "acme").exists()
        assert folder.exists()

    def test_a_disk_that_is_full_keeps_no_part_of_a_file(self, vault, folder):
        put(vault, "acme/export.json", b"{}")

        with full_disk(bytes_max=1_000), pytest.raises(DiskFull) as caught:
            put(vault, "acme/more.json", b"x" * 100_000)

        assert caught.value.hint
        assert [file.name for file in (folder / "acme").iterdir()] == ["export.json"]
        put(vault, "acme/more.json", b"x" * 100_000)
        assert vault.size("acme/more.json") == 100_000

    def test_another_process_reads_the_same_files(self, vault, folder):
        put(vault, "acme/export.json", b"{}")

        assert FolderVault(folder).size("acme/export.json") == 2
