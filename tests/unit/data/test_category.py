"""A category stands for itself and everything below it, and nothing beside it."""

import pytest

from offramp.data.category import CategoryUnknown, is_within, require_categories


@pytest.mark.parametrize(
    ("category", "asked", "expected"),
    [
        ("user.contact", ["user.contact"], True),
        ("user.contact.email", ["user.contact"], True),
        ("user.contact", ["user.contact.email"], False),
        ("user.content", ["user.contact", "user.content"], True),
        ("user.contact", [], False),
        (None, ["user"], False),
        ("user.name", ["user.na"], False),
    ],
)
def test_a_category_covers_what_is_below_it(category, asked, expected):
    assert is_within(category, asked) is expected


def test_a_category_that_does_not_exist_is_refused_with_its_likeness():
    with pytest.raises(CategoryUnknown) as caught:
        require_categories(["user", "user.contacts"])

    assert "user.contact" in caught.value.hint
