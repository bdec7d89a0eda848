"""What everything that keeps keys promises."""

import pytest

from offramp.adapters.keys_folder import KeyDestroyed
from offramp.data.proof.certificate import public_key_of

KEY_BYTES = 32


class KeysContract:
    """Give the keys in a fixture named `keys`."""

    def test_a_key_is_made_on_first_use_and_stays(self, keys):
        assert not keys.has_key("acme")

        key = keys.organization_key("acme")

        assert len(key) == KEY_BYTES
        assert keys.has_key("acme")
        assert keys.organization_key("acme") == key

    def test_every_purpose_has_a_key_of_its_own(self, keys):
        made = {keys.organization_key("acme"), keys.organization_key("acme-2")}

        made |= {keys.ledger_key(), keys.signing_key()}

        assert {len(key) for key in made} == {KEY_BYTES}
        assert len(made) == 4

    def test_the_ledger_key_and_the_signing_key_stay(self, keys):
        assert keys.ledger_key() == keys.ledger_key()
        assert keys.signing_key() == keys.signing_key()

    def test_a_new_signing_key_leaves_the_public_halves_of_those_before_it(self, keys):
        private = [keys.signing_key()]
        assert keys.public_keys() == (public_key_of(private[0]),)

        for _ in range(2):
            keys.rotate_signing_key()
            private.insert(0, keys.signing_key())

        assert len(set(private)) == 3
        assert keys.public_keys() == tuple(public_key_of(each) for each in private)

    def test_a_destroyed_key_is_never_made_again(self, keys):
        """L23: whoever still writes hashes for a customer after the end is stopped."""
        keys.organization_key("acme")

        assert keys.destroy("acme")

        assert not keys.has_key("acme")
        with pytest.raises(KeyDestroyed):
            keys.organization_key("acme")
        assert not keys.has_key("acme")

    def test_what_is_not_there_cannot_be_destroyed(self, keys):
        assert not keys.destroy("acme")

        keys.organization_key("acme")
        keys.destroy("acme")

        assert not keys.destroy("acme")

    def test_destroying_one_key_leaves_the_sibling(self, keys):
        sibling = keys.organization_key("acme-2")
        keys.organization_key("acme")

        keys.destroy("acme")

        assert keys.organization_key("acme-2") == sibling
