"""What every store promises about new versions of a policy (S4)."""

from dataclasses import replace

import pytest

from offramp.core.transitions import OffboardingStatus
from offramp.ports import StaleClaim
from tests.contract.store_schedule_contract import STEP, TOMORROW, save, save_step
from tests.contract.store_world import LEAVING, NOW, claim, claim_one, fill, leaving, read


class PublicationContract:
    """Who is leaving by another version, and who takes the new one over."""

    def test_only_untouched_off_boardings_move_to_another_version(self, store):
        begun, ended = leaving("anna"), leaving("cara")
        fill(store, LEAVING, begun, ended)
        save(store, replace(ended, status=OffboardingStatus.CANCELED))
        save_step(store, replace(STEP, offboarding="anna"))
        due = {"leaving": TOMORROW, "anna": TOMORROW, "cara": TOMORROW, "nobody": None}

        assert read(store, lambda t: t.repin(due, version=2)) == 1

        rows = {row.id: row for row in read(store, lambda t: t.offboardings())}
        versions = {name: row.policy_version for name, row in rows.items()}
        assert versions == {"leaving": 2, "anna": 1, "cara": 1}
        assert (rows["leaving"].next_due_at, rows["anna"].next_due_at) == (TOMORROW, NOW)

    def test_a_version_may_leave_an_off_boarding_without_a_date(self, store):
        fill(store, LEAVING)

        read(store, lambda t: t.repin({"leaving": None}, version=2))

        assert read(store, lambda t: t.offboarding("leaving")).next_due_at is None
        assert claim(store, now=NOW.add(hours=100_000)) == ()

    def test_a_worker_about_to_begin_under_the_old_version_loses_its_claim(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        read(store, lambda t: t.repin({"leaving": NOW}, version=2))

        with pytest.raises(StaleClaim):
            save_step(store, STEP, claimed=claimed)

    def test_who_is_in_flight_by_another_version_is_listed_with_what_dates_them(self, store):
        begun, other = leaving("anna"), leaving("ben", policy="other")
        ended, stopped = leaving("cara"), leaving("dora")
        fill(store, LEAVING, begun, other, ended, stopped)
        save(store, replace(ended, status=OffboardingStatus.CANCELED))
        save(store, replace(stopped, status=OffboardingStatus.STOPPED))
        save_step(store, replace(STEP, offboarding="anna"))

        found = read(store, lambda t: t.in_flight("license-pool", version=2, limit=10))

        assert [(each.offboarding.id, each.has_begun) for each in found] == [
            ("anna", True),
            ("dora", True),
            ("leaving", False),
        ]
        assert {(each.zone, each.overrides["grace"]) for each in found} == {
            ("Europe/Dublin", "P60D")
        }
        assert found[2].offboarding == LEAVING

    @pytest.mark.parametrize(
        ("question", "expected"),
        [
            ({"version": 1, "limit": 10}, []),
            ({"version": 2, "limit": 1}, ["anna"]),
            ({"version": 2, "after": "anna", "limit": 10}, ["leaving"]),
            ({"version": 2, "after": "leaving", "limit": 10}, []),
        ],
    )
    def test_they_are_listed_page_by_page(self, store, question, expected):
        fill(store, LEAVING, leaving("anna"))

        found = read(store, lambda t: t.in_flight("license-pool", **question))

        assert [each.offboarding.id for each in found] == expected
