"""Rows that come after an erasure are found, and told apart from somebody who is there (L22)."""

import pytest
import sqlalchemy as sa

from offramp.data.retention.late import find_late
from tests.integration.data.engine import unchecked
from tests.integration.data.leaving import leave
from tests.integration.data.school import COMPANY

LISTED = {"app.invoices": 3}


@pytest.fixture
def gone(school):
    leave(school, COMPANY)
    return school


def write_late(school, *statements):
    """Write like a worker who checks nothing, past the foreign keys."""
    with unchecked(school.engine) as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def look(school):
    return find_late(school.datamap, school.sources, COMPANY, listed=LISTED, elsewhere=None)


def test_right_after_an_erasure_nothing_is_late(gone):
    late = look(gone)

    assert (late.rows, dict(late.orphans), late.is_back) == (0, {}, False)


def test_rows_under_the_key_of_who_is_gone_and_below_them_are_found_L22(gone):
    write_late(
        gone,
        "INSERT INTO users (id, company_id, email) VALUES (150, 100, 'a@late.example')",
        "INSERT INTO enrolments (id, user_id, course_id) VALUES (150, 150, 1)",
        "INSERT INTO invoices (id, company_id, issued_on) VALUES (150, 100, '2024-01-01')",
    )

    late = look(gone)

    assert dict(late.tables) == {"app.users": 1, "app.enrolments": 1, "app.invoices": 1}
    assert not late.is_back


def test_a_row_that_leads_nowhere_is_told_apart_because_nobody_knows_whose_it_is_L22(gone):
    write_late(gone, "INSERT INTO enrolments (id, user_id, course_id) VALUES (150, 101, 1)")

    late = look(gone)

    assert late.rows == 0
    assert dict(late.orphans) == {"app.enrolments": 1}


def test_a_customer_under_a_key_that_was_given_again_is_somebody_L22_L24(gone):
    write_late(
        gone,
        "INSERT INTO companies (id, name) VALUES (100, 'Somebody new')",
        "INSERT INTO users (id, company_id, email) VALUES (150, 100, 'user0@company1.example')",
    )

    assert look(gone).is_back


def test_the_same_address_signs_up_again_although_rows_of_it_were_kept_L24(gone):
    """L24: the e-mail is unique among invoices, and what is kept carries a hash instead."""
    gone.run("INSERT INTO companies (id, name, slug) VALUES (190, 'Back', 'company-1')")
    gone.run(
        "INSERT INTO users (id, company_id, email) VALUES (190, 190, 'user0@company1.example')"
    )

    gone.run(
        "INSERT INTO invoices (id, company_id, contact_email, issued_on)"
        " VALUES (190, 190, 'billing0@company1.example', '2025-01-01')"
    )

    kept = [row[3] for row in gone.rows("invoices", "id BETWEEN 100 AND 102")]
    assert len(set(kept)) == 3
    assert all(mail.endswith("@erased.invalid") for mail in kept)
    assert len(gone.rows("invoices", "company_id = 190")) == 1
