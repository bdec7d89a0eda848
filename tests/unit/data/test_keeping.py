"""The list of kept rows is sealed, and gives the very keys back (A11)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.datamap import TableRule
from offramp.data.retention.keeping import (
    KeptKeysDamaged,
    as_listed,
    bindable,
    open_keys,
    seal_keys,
)

SECRET, TABLE = bytes(range(32)), "app.invoices"
KEYS = [(1, "2024-001"), (2, "Zoë")]


def column(kind):
    return CatalogColumn(name="key", type=kind, nullable=False)


def test_what_was_sealed_is_opened_again_and_cannot_be_read_without_the_secret():
    sealed = seal_keys(KEYS, table=TABLE, secret=SECRET)

    assert open_keys(sealed, table=TABLE, secret=SECRET) == [list(key) for key in KEYS]
    assert b"2024" not in sealed
    assert sealed == seal_keys(KEYS, table=TABLE, secret=SECRET)


@pytest.mark.parametrize(
    ("table", "secret", "flip"),
    [(TABLE, bytes(32), 0), ("app.orders", SECRET, 0), (TABLE, SECRET, 1)],
    ids=["another secret", "another table", "a changed bit"],
)
def test_a_list_that_is_not_as_it_was_sealed_is_never_swept_by(table, secret, flip):
    sealed = bytearray(seal_keys(KEYS, table=TABLE, secret=SECRET))
    sealed[-1] ^= flip

    with pytest.raises(KeptKeysDamaged):
        open_keys(bytes(sealed), table=table, secret=secret)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (7, sa.Integer()),
        ("a", sa.Text()),
        (UUID(int=7), sa.Uuid()),
        (date(2024, 8, 30), sa.Date()),
        (datetime.fromisoformat("2024-08-30T12:30"), sa.DateTime()),
        (Decimal("7.50"), sa.Numeric()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_key_of_any_type_comes_back_as_its_column_wants_it(value, kind):
    (listed,) = as_listed((value,))

    assert bindable([listed], [column(kind)]) == (value,)


@pytest.mark.parametrize("until", ["issued_on + P1D1Y", "issued_on + P900Y", "issued_on + 10Y"])
def test_a_period_that_is_none_is_refused_with_the_map_and_not_in_ten_years(until):
    with pytest.raises(ValueError, match="until"):
        TableRule(erase="keep", basis="tax law", until=until)
