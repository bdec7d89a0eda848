"""Passwords as Argon2id hashes."""

import pytest

from offramp.adapters.passwords_argon2 import Argon2Passwords

PASSWORD = "four ducks on a quiet pond"


@pytest.fixture(scope="module")
def passwords():
    return Argon2Passwords()


def test_a_password_fits_its_own_hash_and_no_other(passwords):
    hashed = passwords.hash(PASSWORD)

    assert hashed.startswith("$argon2id$")
    assert PASSWORD not in hashed
    assert passwords.fits(PASSWORD, hashed)
    assert not passwords.fits(f"{PASSWORD} ", hashed)
    assert not passwords.is_outdated(hashed)


def test_two_hashes_of_one_password_differ(passwords):
    assert passwords.hash(PASSWORD) != passwords.hash(PASSWORD)


@pytest.mark.parametrize("hashed", [None, "no hash"])
def test_nothing_fits_where_there_is_no_hash(passwords, hashed):
    assert not passwords.fits("", hashed)
    assert not passwords.fits(PASSWORD, hashed)


def test_a_hash_of_less_effort_is_outdated(passwords):
    weak = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$C0xLtJvYNHPVLyFcBUwJRw"

    assert passwords.is_outdated(weak)
