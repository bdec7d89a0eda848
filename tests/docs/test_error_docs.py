"""docs/errors.md lists every error with its sentence under its kind, and no other."""

from offramp.core.errors import ROOTS, OfframpError
from tests.docs.error_page import FILE, leaves, page, root_of


def test_the_page_says_what_the_code_says():
    written = FILE.read_text("utf-8")

    assert written == page(), "run: python -m tests.docs.error_page"


def test_every_error_but_the_unforeseen_is_of_a_kind():
    page()  # loads every module

    unforeseen = [error.__name__ for error in leaves() if root_of(error) is OfframpError]

    assert unforeseen == ["Unexpected"]


def test_every_kind_has_errors():
    page()

    assert all(leaves(root) for root in ROOTS)


def test_no_two_errors_share_a_name():
    page()
    names = [error.__name__ for error in leaves()]

    assert len(names) == len(set(names)), "the name is the code by which programs tell them apart"
