"""What every store promises about the keys that programs show."""

from dataclasses import replace

from whenever import Date

from offramp.core.operator import OperatorRole
from offramp.ports import ApiKey
from tests.contract.store_world import ACME, LATER, NOW, read

SYNC = ApiKey(
    name="sync",
    digest="of sync",
    hint="offramp_Ab3x",
    role=OperatorRole.OPERATOR,
    organization=None,
    made_at=NOW,
    expires_at=LATER,
)
PORTAL = replace(
    SYNC, name="portal", digest="of portal", organization="acme", expires_at=None, used_on=None
)


def add(store, *keys):
    return [read(store, lambda t, each=each: t.add_api_key(each)) for each in keys]


class ApiKeyContract:
    """Which programs may ask."""

    def test_keys_are_found_by_their_digest_and_listed_by_name(self, store):
        assert add(store, SYNC, PORTAL) == [True, True]

        assert read(store, lambda t: t.api_key("of sync")) == SYNC
        assert read(store, lambda t: t.api_key("sync")) is None
        assert read(store, lambda t: t.api_keys()) == (PORTAL, SYNC)

    def test_a_name_belongs_to_one_key_for_ever(self, store):
        add(store, SYNC)
        read(store, lambda t: t.save_api_key(replace(SYNC, revoked_at=LATER)))

        assert add(store, replace(SYNC, digest="another")) == [False]
        assert read(store, lambda t: t.api_key("another")) is None

    def test_only_the_use_and_the_end_of_a_key_change(self, store):
        add(store, SYNC)
        used = replace(SYNC, used_on=Date(2024, 8, 30), revoked_at=LATER)

        read(store, lambda t: t.save_api_key(replace(used, role=OperatorRole.ADMIN)))

        assert read(store, lambda t: t.api_key("of sync")) == used

    def test_the_keys_of_an_organization_go_with_it(self, store):
        read(store, lambda t: t.put_organizations([ACME]))
        add(store, SYNC, PORTAL)

        counts = read(store, lambda t: t.forget("acme", member=None, at=LATER))

        assert counts["api_key"] == 1
        assert read(store, lambda t: t.api_keys()) == (SYNC,)
