import pickle
import re

import pytest

from offramp.core.errors import FRAMES_MAX, ROOTS, Broken, Invalid, OfframpError, frames_of


class DiskFull(Broken):
    """The disk {disk} has {left} bytes left.

    This paragraph is for programmers.
    """


def test_an_error_says_the_first_paragraph_with_its_attributes():
    error = DiskFull(disk="sda", left=3, hint="delete something")

    assert str(error) == "The disk sda has 3 bytes left."
    assert (error.disk, error.left, error.hint, error.code) == (
        ("sda", 3, "delete something", "DiskFull")
    )


def test_an_attribute_that_was_not_given_is_not_there():
    assert not hasattr(DiskFull(disk="sda", left=3), "table")


def test_braces_in_an_attribute_are_only_text():
    assert str(DiskFull(disk="{left}", left=3)) == "The disk {left} has 3 bytes left."


def test_an_error_without_its_attributes_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        DiskFull(disk="sda")


def test_an_error_survives_the_way_into_another_process():
    error = pickle.loads(pickle.dumps(DiskFull(disk="sda", left=3, hint="delete something")))

    assert type(error) is DiskFull
    assert (str(error), error.left, error.hint) == (
        ("The disk sda has 3 bytes left.", 3, "delete something")
    )


def test_each_root_has_its_own_exit_code_and_status():
    assert len({root.exit_code for root in ROOTS}) == len(ROOTS) == 6
    assert len({root.http_status for root in ROOTS}) == len(ROOTS)
    assert all(issubclass(root, OfframpError) for root in ROOTS)


def test_only_what_is_unavailable_is_worth_another_attempt():
    assert [root.__name__ for root in ROOTS if root.retry] == ["Unavailable"]


def test_a_wrong_document_is_no_crash():
    assert (Invalid.exit_code, Invalid.http_status) == (2, 422)


def fail(person):
    raise KeyError(f"{person} is not there")


def fail_because(person):
    try:
        fail(person)
    except KeyError as error:
        raise ValueError(person) from error


def test_frames_name_the_places_and_what_it_came_from_and_neither_messages_nor_values():
    with pytest.raises(ValueError, match="anna") as caught:
        fail_because("anna@acme.example")

    frames = frames_of(caught.value)

    assert [re.sub(r"\d+", "N", each) for each in frames] == [
        "test_errors.py, line N, fail_because",
        f"test_errors.py, line N, {caught.traceback[0].name}",
        "because of KeyError",
        "test_errors.py, line N, fail",
        "test_errors.py, line N, fail_because",
    ]


def test_an_endless_recursion_is_told_in_a_few_frames():
    def recur():
        recur()

    with pytest.raises(RecursionError) as caught:
        recur()

    assert len(frames_of(caught.value)) == FRAMES_MAX
