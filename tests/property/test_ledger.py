"""L41: whatever is done to a sealed chain by somebody without the key is detected."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from offramp.core.ledger import GENESIS, Event, LedgerBroken, seal, verify_chain

KEY = b"k" * 32
texts = st.text(max_size=8)
details = st.dictionaries(texts, texts | st.integers() | st.booleans() | st.none(), max_size=3)
events = st.builds(
    Event,
    kind=texts,
    at=st.integers(0, 4_000_000_000).map(Instant.from_timestamp),
    offboarding=st.none() | texts,
    episode=st.none() | st.integers(0, 9),
    step=st.none() | texts,
    detail=details,
)


def seal_all(written, key=KEY):
    """Seal events one to another."""
    entries, previous = [], GENESIS
    for number, event in enumerate(written, start=1):
        entries.append(seal(event, number=number, previous=previous, key=key))
        previous = entries[-1].seal
    return entries


chains = st.lists(events, min_size=1, max_size=6).map(seal_all)


def is_sound(entries, heads):
    try:
        verify_chain(entries, key=KEY, heads=heads)
    except LedgerBroken:
        return False
    return True


def cut(data, entries):
    return entries[: data.draw(st.integers(0, len(entries) - 1))]


def remove(data, entries):
    index = data.draw(st.integers(0, len(entries) - 1))
    return entries[:index] + entries[index + 1 :]


def reorder(data, entries):
    return data.draw(st.permutations(entries))


def duplicate(data, entries):
    index = data.draw(st.integers(0, len(entries) - 1))
    return entries[: index + 1] + entries[index:]


def rewrite(data, entries):
    index = data.draw(st.integers(0, len(entries) - 1))
    return [
        *entries[:index],
        replace(entries[index], event=data.draw(events)),
        *entries[index + 1 :],
    ]


def reseal(data, entries):
    """Seal a changed event again, and everything after it, with a key of one's own."""
    index = data.draw(st.integers(0, len(entries) - 1))
    written = [entry.event for entry in entries]
    written[index] = data.draw(events)
    return seal_all(written, key=b"forged")


@given(data=st.data(), entries=chains, grown=chains)
def test_any_end_that_was_anchored_is_missed_although_the_key_is_known_L41(data, entries, grown):
    """Whoever has the key writes a chain that verifies; an end that was kept tells it apart."""
    kept = data.draw(st.integers(1, len(entries)))
    heads = [(entry.number, entry.seal) for entry in entries[:kept]]

    assert is_sound(grown, []) is True
    assert is_sound(grown, heads) is (list(grown[:kept]) == list(entries[:kept]))


@given(entries=chains)
def test_what_was_sealed_verifies_L41(entries):
    assert verify_chain(entries, key=KEY, heads=[(len(entries), entries[-1].seal)]) == len(entries)


@pytest.mark.parametrize("attack", [cut, remove, reorder, duplicate, rewrite, reseal])
@given(data=st.data(), entries=chains)
def test_any_change_is_detected_L41(attack, data, entries):
    head = (len(entries), entries[-1].seal)

    changed = attack(data, entries)

    assert is_sound(changed, [head]) is (list(changed) == list(entries))
