"""A scope names exactly one subject."""

import pytest

from offramp.data.scope import BlankScope, Scope


@pytest.mark.parametrize("key", ["", " ", "*", "%", "a%", "?", " 42", "42\n", "a\0b", None, 42])
def test_a_blank_or_wild_key_is_refused(key):
    """L26."""
    with pytest.raises(BlankScope):
        Scope(organization=key)


@pytest.mark.parametrize("part", ["member", "product"])
def test_a_blank_part_is_refused_and_not_read_as_everything(part):
    """L26."""
    with pytest.raises(BlankScope, match=part):
        Scope(organization="42", **{part: ""})


@pytest.mark.parametrize("key", ["42", "acme_inc", "Zoë & Söhne", "7f0c-11"])
def test_an_exact_key_is_taken_as_it_is(key):
    assert Scope(organization=key).organization == key
