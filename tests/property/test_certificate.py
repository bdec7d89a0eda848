"""Whatever is changed in a certificate, a digit or a byte anywhere, it does not stand any more."""

import json
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.data.proof.certificate import (
    CertificateForged,
    public_key_of,
    sign_certificate,
    verify_certificate,
)

PRIVATE = bytes(range(32))
PUBLIC = public_key_of(PRIVATE)
KINDS = {
    "digit": rb"[0-9]",
    "letter": rb"[A-Za-z]",
    "mark of the syntax": rb"[{}\[\]:,\"]",
    "space or sign": rb"[ .+/=_-]",
    "byte of another alphabet": rb"[\x80-\xff]",
}

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
contents = st.fixed_dictionaries(
    {"organization": st.text(string.digits, min_size=1, max_size=6), "note": st.just("Łódź - a.b")},
    optional={"tables": st.dictionaries(texts, st.integers(0, 9999), max_size=3), "more": values},
)


def forged(document):
    with pytest.raises(CertificateForged):
        verify_certificate(document, public_key=PUBLIC)
    return True


@given(content=contents)
def test_what_was_signed_is_read_back_as_it_was_L28(content):
    document = sign_certificate(content, private_key=PRIVATE)

    assert verify_certificate(document, public_key=PUBLIC) == content


@pytest.mark.parametrize("kind", KINDS)
@given(content=contents, data=st.data())
def test_one_changed_byte_of_any_kind_is_seen_L28(kind, content, data):
    document = sign_certificate(content, private_key=PRIVATE)
    places = [found.start() for found in re.finditer(KINDS[kind], document)]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != document[place]))

    assert forged(document[:place] + bytes([other]) + document[place + 1 :])


@given(content=contents, data=st.data())
def test_one_digit_that_becomes_another_is_seen_L28(content, data):
    document = sign_certificate(content, private_key=PRIVATE)
    places = [found.start() for found in re.finditer(rb"[0-9]", document)]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from(b"0123456789").filter(lambda byte: byte != document[place]))

    assert forged(document[:place] + bytes([digit]) + document[place + 1 :])


@given(content=contents, data=st.data())
def test_a_byte_more_or_less_is_seen_L28(content, data):
    document = sign_certificate(content, private_key=PRIVATE)
    place = data.draw(st.integers(0, len(document) - 1))
    more = bytes([data.draw(st.integers(0, 255))])

    assert forged(document[:place] + document[place + 1 :])
    assert forged(document[:place] + more + document[place:])


@given(content=contents, other=contents)
def test_a_signature_does_not_fit_another_content_L28(content, other):
    ours = json.loads(sign_certificate(content, private_key=PRIVATE))
    theirs = json.loads(sign_certificate(other, private_key=PRIVATE))
    swapped = {**ours, "signature": theirs["signature"]}

    document = sign_certificate(content, private_key=PRIVATE)
    mixed = document.replace(
        json.dumps(ours["signature"]["value"]).encode(),
        json.dumps(swapped["signature"]["value"]).encode(),
    )

    assert content == other or forged(mixed)
