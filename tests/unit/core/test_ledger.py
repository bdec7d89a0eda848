from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.ledger import GENESIS, Event, LedgerBroken, as_fields, seal, verify_chain

KEY = b"k" * 32
AT = Instant.from_utc(2024, 8, 30, 23)


def chain(*kinds, key=KEY):
    """Seal one event per kind to the one before it."""
    entries, previous = [], GENESIS
    for number, kind in enumerate(kinds, start=1):
        event = Event(kind=kind, at=AT, offboarding="off-1", episode=1, detail={"rows": number})
        entries.append(seal(event, number=number, previous=previous, key=key))
        previous = entries[-1].seal
    return entries


def head_of(entries):
    return entries[-1].number, entries[-1].seal


def test_an_untouched_chain_verifies_and_is_counted_L41():
    entries = chain("opened", "notified", "erased")

    assert verify_chain(entries, key=KEY, heads=[head_of(entries)]) == 3


def test_an_empty_chain_verifies():
    assert verify_chain([], key=KEY) == 0


def test_a_chain_of_another_key_does_not_verify():
    with pytest.raises(LedgerBroken):
        verify_chain(chain("opened", key=b"other"), key=KEY)


def test_a_cut_tail_is_seen_by_the_anchored_head_L41():
    entries = chain("opened", "notified", "erased")

    with pytest.raises(LedgerBroken) as caught:
        verify_chain(entries[:-1], key=KEY, heads=[head_of(entries)])

    assert caught.value.number == 3


def test_an_emptied_ledger_is_seen_by_the_anchored_head_L41():
    with pytest.raises(LedgerBroken):
        verify_chain([], key=KEY, heads=[head_of(chain("opened"))])


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"at": AT.add(nanoseconds=1)},
        {"offboarding": "off-2"},
        {"offboarding": None},
        {"episode": 2},
        {"step": "erase"},
        {"actor": "operator"},
        {"detail": {"rows": 3}},
        {"detail": {"rows": True}},
        {"detail": {"rows": "2"}},
        {"detail": {}},
    ],
)
def test_every_field_of_an_event_is_under_its_seal_L41(change):
    entries = chain("opened", "notified", "erased")
    entries[1] = replace(entries[1], event=replace(entries[1].event, **change))

    with pytest.raises(LedgerBroken) as caught:
        verify_chain(entries, key=KEY)

    assert caught.value.number == 2


@pytest.mark.parametrize("change", [{"number": 7}, {"previous": GENESIS}, {"seal": "0" * 64}])
def test_the_number_the_link_and_the_seal_cannot_be_changed_L41(change):
    entries = chain("opened", "notified", "erased")
    entries[1] = replace(entries[1], **change)

    with pytest.raises(LedgerBroken):
        verify_chain(entries, key=KEY)


def test_the_same_event_has_another_seal_at_another_place_L41():
    event = chain("opened")[0].event

    seals = {
        seal(event, number=number, previous=previous, key=KEY).seal
        for number in (1, 2)
        for previous in (GENESIS, "1" * 64)
    }

    assert len(seals) == 4


@pytest.mark.parametrize("forged", ["ü" * 64, "\ud800", ""])
def test_a_seal_of_any_characters_is_only_a_wrong_seal(forged):
    entries = [replace(chain("opened")[0], seal=forged)]

    with pytest.raises(LedgerBroken):
        verify_chain(entries, key=KEY)


def test_the_fields_of_an_event_are_plain_json_values():
    event = Event(
        kind="erased", at=AT, step="erase", detail={"rows": 3, "clean": True, "why": None}
    )

    assert as_fields(event) == {
        "kind": "erased",
        "at": "2024-08-30T23:00:00Z",
        "offboarding": None,
        "episode": None,
        "step": "erase",
        "actor": "policy",
        "detail": {"rows": 3, "clean": True, "why": None},
    }
