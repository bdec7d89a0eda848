"""What every store promises about cases of support (A12)."""

from dataclasses import replace

import pytest

from offramp.core.case import Case, CaseNote, Complaint
from offramp.ports import OrganizationErased
from tests.contract.store_world import LATER, NOW, fill, read

CASE = Case(
    id="c1",
    organization="acme",
    member="anna",
    complaint=Complaint.NO_ACCESS,
    about=NOW,
    opened_at=NOW,
    answer_by=LATER,
)
OTHERS = replace(CASE, id="c2", member="ben", complaint=Complaint.OTHER, about=None)
WHOLE = replace(CASE, id="c3", member=None, answer_by=LATER.add(hours=1))
NOTE = CaseNote(case="c1", at=NOW, actor="user", text="Where is it?")
ANSWER = CaseNote(case="c1", at=LATER, actor="operator", text="Here.", is_private=True)


def keep(store, *cases):
    with store.transaction() as transaction:
        for case in cases:
            transaction.put_case(case)


def ids(store, organization=None, *, is_closed=False, limit=10):
    found = read(store, lambda t: t.cases(organization, is_closed=is_closed, limit=limit))
    return [case.id for case in found]


class CaseContract:
    """What people say went wrong."""

    def test_a_case_is_found_as_it_was_last_kept(self, store):
        fill(store)
        keep(store, CASE, OTHERS)
        answered = replace(CASE, answered_at=LATER, repaired_at=LATER)
        keep(store, answered)

        assert read(store, lambda t: t.case("c1")) == answered
        assert read(store, lambda t: t.case("c2")) == OTHERS
        assert read(store, lambda t: t.case("c9")) is None

    def test_what_was_said_stays_in_order(self, store):
        fill(store)
        keep(store, CASE, OTHERS)
        for note in (NOTE, ANSWER):
            read(store, lambda t, note=note: t.add_case_note(note))

        assert read(store, lambda t: t.case_notes("c1")) == (NOTE, ANSWER)
        assert read(store, lambda t: t.case_notes("c2")) == ()

    def test_whoever_has_waited_longest_comes_first_and_whoever_was_answered_last(self, store):
        fill(store)
        elsewhere = replace(WHOLE, id="c4", organization="sibling", answer_by=NOW)
        keep(store, replace(CASE, answered_at=NOW, answer_by=NOW), WHOLE, OTHERS, elsewhere)

        assert ids(store) == ["c4", "c2", "c3", "c1"]
        assert ids(store, "acme") == ["c2", "c3", "c1"]
        assert ids(store, limit=2) == ["c4", "c2"]

    def test_the_cases_of_one_member_are_theirs_alone(self, store):
        fill(store)
        keep(store, CASE, OTHERS, WHOLE)

        theirs = read(store, lambda t: t.cases("acme", member="ben", is_closed=False, limit=10))

        assert theirs == (OTHERS,)

    def test_closed_cases_are_listed_apart_and_the_last_one_first(self, store):
        fill(store)
        keep(store, replace(CASE, closed_at=NOW), replace(OTHERS, closed_at=LATER), WHOLE)

        assert ids(store) == ["c3"]
        assert ids(store, is_closed=True) == ["c2", "c1"]

    @pytest.mark.parametrize(
        ("member", "left", "gone"),
        [(None, [], (3, 2)), ("anna", ["c2", "c3"], (1, 2)), ("ben", ["c1", "c3"], (1, 0))],
    )
    def test_cases_go_with_whom_they_are_about(self, store, member, left, gone):
        """L30."""
        fill(store)
        keep(store, CASE, OTHERS, WHOLE)
        with store.transaction() as transaction:
            transaction.add_case_note(NOTE)
            transaction.add_case_note(ANSWER)

        counts = read(store, lambda t: t.forget("acme", member=member, at=LATER))

        assert (counts["support_case"], counts["case_note"]) == gone
        assert ids(store) == left
        if "c1" not in left:
            assert read(store, lambda t: t.case_notes("c1")) == ()

    def test_a_note_that_is_to_be_mailed_is_taken_by_one_at_a_time(self, store):
        fill(store)
        keep(store, CASE, OTHERS)
        with store.transaction() as transaction:
            transaction.add_case_note(NOTE)
            transaction.add_case_note(replace(ANSWER, case="c2"), mail_at=LATER)
            transaction.add_case_note(ANSWER, mail_at=NOW)
        lease = LATER.add(hours=1)

        def claim():
            return read(store, lambda t: t.claim_case_letter(now=LATER, lease_until=lease))

        first, second = claim(), claim()

        assert (first.note, first.attempts) == (ANSWER, 1)
        assert second.note.case == "c2"
        assert claim() is None
        assert read(store, lambda t: t.case_letter_due_at()) == lease
        read(store, lambda t: t.put_off_case_letter(first.number, mail_at=NOW))
        read(store, lambda t: t.put_off_case_letter(second.number, mail_at=None))
        assert read(store, lambda t: t.case_letter_due_at()) == NOW
        assert claim() == replace(first, attempts=2)
        late = read(store, lambda t: t.claim_case_letter(now=lease, lease_until=lease))
        assert late == replace(first, attempts=3)

    def test_a_note_is_known_by_the_letter_that_it_came_by(self, store):
        fill(store)
        keep(store, CASE)
        read(store, lambda t: t.add_case_note(NOTE, letter="a" * 64))
        read(store, lambda t: t.add_case_note(ANSWER))

        known = [
            read(store, lambda t, letter=letter: t.is_letter_known(letter))
            for letter in ("a" * 64, "b" * 64)
        ]

        assert known == [True, False]
        assert read(store, lambda t: t.case_notes("c1")) == (NOTE, ANSWER)

    def test_nothing_is_kept_of_an_erased_organization(self, store):
        fill(store)
        read(store, lambda t: t.forget("acme", member=None, at=NOW))

        with pytest.raises(OrganizationErased):
            keep(store, CASE)
        assert ids(store) == []
