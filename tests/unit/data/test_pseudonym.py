"""Pseudonyms: keyed, of the right kind and length, and stable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.data.erasure.pseudonym import hash_mark, is_mail_address, pseudonymize, shortest_column

KEY, OTHER = b"k" * 32, b"o" * 32


@given(st.text(min_size=1), st.integers(min_value=shortest_column(is_mail=False)))
def test_a_pseudonym_fits_its_column_and_is_left_alone_when_met_again(value, length):
    once = pseudonymize(value, key=KEY, length_max=length)

    assert len(once) <= length
    assert pseudonymize(once, key=KEY, length_max=length) == once


@given(st.text(min_size=1), st.text(min_size=1))
def test_equal_values_stay_equal_and_different_ones_different(one, two):
    """Uniqueness survives."""
    hashed = [pseudonymize(value, key=KEY, length_max=None) for value in (one, two)]

    assert (hashed[0] == hashed[1]) == (one == two)


@given(st.text(min_size=1))
def test_another_key_gives_another_pseudonym(value):
    """L23."""
    assert pseudonymize(value, key=KEY, length_max=None) != pseudonymize(
        value, key=OTHER, length_max=None
    )


def test_an_address_becomes_an_address_that_never_receives_mail():
    hashed = pseudonymize("ann@acme.example", key=KEY, length_max=40)

    assert hashed.endswith("@erased.invalid")
    assert is_mail_address(hashed)


def test_an_address_in_a_column_too_short_for_one_becomes_plain_text():
    hashed = pseudonymize("ann@acme.example", key=KEY, length_max=20)

    assert hashed.startswith("erased-")
    assert len(hashed) == 20


def test_a_mark_is_recognized_however_it_is_written():
    assert hash_mark(" Ann@Acme.example", key=KEY) == hash_mark("ann@acme.example ", key=KEY)


def test_a_mark_is_not_the_pseudonym_of_the_same_value():
    assert hash_mark("ann", key=KEY)[:12] not in pseudonymize("ann", key=KEY, length_max=None)


@pytest.mark.parametrize("text", ["", "@", "a@", "@b", "a b@c", "plain"])
def test_what_is_no_address_is_not_treated_as_one(text):
    assert not is_mail_address(text)
