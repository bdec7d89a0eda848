"""What every vault promises."""

from contextlib import suppress

import pytest

from offramp.adapters.vault_folder import VaultNameInvalid
from offramp.ports import VaultFileMissing

OUTSIDE = (
    "",
    " ",
    "/",
    "/etc/passwd",
    "..",
    "../sibling",
    "acme/../sibling",
    "acme//export.json",
    "./acme",
    "acme/.hidden",
    "acme\\export.json",
    "acme/a\nb",
    "acme/a\0b",
    "acme/" + "a" * 256,
)


def put(vault, name, content):
    with vault.write(name) as file:
        file.write(content)


def get(vault, name):
    with vault.read(name) as file:
        return file.read()


class VaultContract:
    """Give the vault in a fixture named `vault`."""

    def test_it_says_how_much_more_it_can_take_as_far_as_it_knows(self, vault):
        put(vault, "acme/export.json", b"{}")

        room_bytes = vault.room_bytes()

        assert room_bytes is None or room_bytes > 0

    def test_what_was_written_can_be_read(self, vault):
        put(vault, "acme/23/export.json", b"{}")

        assert get(vault, "acme/23/export.json") == b"{}"
        assert vault.size("acme/23/export.json") == 2

    def test_a_file_exists_only_once_it_is_complete(self, vault):
        with vault.write("acme/export.json") as file:
            file.write(b"half of it")
            file.flush()

            assert vault.size("acme/export.json") is None

        assert vault.size("acme/export.json") == 10

    def test_a_file_that_failed_half_way_does_not_exist(self, vault):
        with suppress(RuntimeError), vault.write("acme/export.json") as file:
            file.write(b"half of it")
            raise RuntimeError

        assert vault.size("acme/export.json") is None
        assert vault.delete("acme") == 0

    def test_a_failed_second_writing_leaves_the_first(self, vault):
        put(vault, "acme/export.json", b"first")

        with pytest.raises(RuntimeError), vault.write("acme/export.json"):
            raise RuntimeError

        assert get(vault, "acme/export.json") == b"first"

    def test_a_second_writing_replaces_the_first(self, vault):
        put(vault, "acme/export.json", b"the longer first one")

        put(vault, "acme/export.json", b"second")

        assert get(vault, "acme/export.json") == b"second"

    def test_what_is_not_there_is_missing(self, vault):
        assert vault.size("acme/export.json") is None
        with pytest.raises(VaultFileMissing), vault.read("acme/export.json"):
            pass

    def test_a_folder_is_no_file(self, vault):
        put(vault, "acme/export.json", b"{}")

        assert vault.size("acme") is None
        with pytest.raises(VaultFileMissing), vault.read("acme"):
            pass

    def test_deleting_a_folder_spares_the_sibling_that_begins_with_its_name(self, vault):
        for name in ("acme/1/export.json", "acme/certificate", "acme-2/export.json", "acme2"):
            put(vault, name, b"{}")

        assert vault.delete("acme") == 2

        assert vault.size("acme/certificate") is None
        assert vault.size("acme-2/export.json") == vault.size("acme2") == 2

    def test_one_file_can_be_deleted_and_written_again(self, vault):
        put(vault, "acme/export.json", b"{}")

        assert vault.delete("acme/export.json") == 1
        assert vault.delete("acme/export.json") == 0

        put(vault, "acme/export.json", b"[]")
        assert get(vault, "acme/export.json") == b"[]"

    @pytest.mark.parametrize("name", OUTSIDE)
    def test_a_name_outside_the_vault_is_refused(self, vault, name):
        """L26: a blank name would be the whole vault."""
        with pytest.raises(VaultNameInvalid), vault.write(name):
            pass
        with pytest.raises(VaultNameInvalid), vault.read(name):
            pass
        with pytest.raises(VaultNameInvalid):
            vault.size(name)
        with pytest.raises(VaultNameInvalid):
            vault.delete(name)
