"""Texts of values: taken apart, put together, and turned back into what SQLite stored."""

import json

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.restoration.row_text import join_row, split_row
from offramp.data.restoration.sqlite import stored

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), VALUES))
def test_a_row_is_taken_apart_without_a_change(row):
    texts = split_row(json.dumps(row))

    assert {name: json.loads(text) for name, text in texts.items()} == row
    assert json.loads(join_row(texts)) == row


def test_every_character_of_a_value_is_kept():
    line = '{"a":1.50,"b": {"x" : [ ]},"c":"\\u00fc","d":12345678901234567890}'

    assert split_row(line) == {
        "a": "1.50",
        "b": '{"x" : [ ]}',
        "c": '"\\u00fc"',
        "d": "12345678901234567890",
    }


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (sa.Integer(), "null", None),
        (sa.Integer(), "5", 5),
        (sa.BigInteger(), '"9007199254740993"', 9007199254740993),
        (sa.Integer(), '"many"', "many"),
        (sa.Boolean(), "true", 1),
        (sa.Boolean(), "2", 2),
        (sa.Float(), "0.30000000000000004", 0.30000000000000004),
        (sa.Float(), '"-Inf"', float("-inf")),
        (sa.Numeric(), '"99.90"', 99.9),
        (sa.Numeric(), '"100"', 100),
        (sa.Numeric(), '"99999999999999999999"', 1e20),
        (sa.Numeric(), '"a lot"', "a lot"),
        (sa.LargeBinary(), '"AP8="', b"\x00\xff"),
        (sa.LargeBinary(), '"words, not base64"', "words, not base64"),
        (sa.LargeBinary(), '"AB=="', "AB=="),
        (sa.JSON(), '{"n":1.50}', '{"n":1.50}'),
        (sa.JSON(), '"word"', '"word"'),
        (sa.DateTime(), '"2024-08-30T09:30:00.123456"', "2024-08-30 09:30:00.123456"),
        (sa.DateTime(), '"2024-08-30T09:30:00Z"', "2024-08-30T09:30:00Z"),
        (sa.Date(), '"2024-08-30"', "2024-08-30"),
        (sa.Text(), '"5"', "5"),
        (sa.Text(), '"2024-08-30T09:30:00"', "2024-08-30T09:30:00"),
    ],
    ids=str,
)
def test_a_value_is_what_it_was(kind, text, value):
    found = stored(text, CatalogColumn(name="x", type=kind, nullable=True))

    assert (type(found), found) == (type(value), value)


def test_no_value_in_json_that_must_be_there_is_the_word_for_it():
    assert stored("null", CatalogColumn(name="x", type=sa.JSON(), nullable=False)) == "null"
