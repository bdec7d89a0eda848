"""What every dispatcher promises."""

import pytest
from whenever import Date, Instant

from offramp.core.model import Cause, Subject
from offramp.core.term import Source
from offramp.core.transitions import OffboardingStatus
from offramp.ports import Offboarding

NOW = Instant.from_utc(2024, 8, 31)


def claim(number):
    return Offboarding(
        id=f"offboarding-{number}",
        subject=Subject(organization=f"acme-{number}"),
        policy="license-pool",
        policy_version=1,
        cause=Cause.EXPIRED,
        source=next(iter(Source)),
        ends=Date(2024, 8, 30),
        episode=1,
        status=next(iter(OffboardingStatus)),
        opened_at=NOW,
        next_due_at=NOW,
        attempt=1,
    )


class DispatcherContract:
    """Give the dispatcher in a fixture named `dispatcher` and any `transaction`."""

    def test_claims_are_carried_out_once_and_in_order(self, dispatcher, transaction):
        claims = [claim(number) for number in range(3)]
        dispatcher.enqueue(claims[:1], transaction=transaction)
        dispatcher.enqueue(claims[1:], transaction=transaction)
        carried_out = []

        assert dispatcher.run(carried_out.append) == 3

        assert carried_out == claims
        assert dispatcher.run(carried_out.append) == 0

    def test_an_error_leaves_what_was_not_begun(self, dispatcher, transaction):
        dispatcher.enqueue([claim(number) for number in range(3)], transaction=transaction)

        with pytest.raises(ZeroDivisionError):
            dispatcher.run(lambda claimed: 1 / 0)

        carried_out = []
        assert dispatcher.run(carried_out.append) == 2
        assert carried_out == [claim(1), claim(2)]

    def test_what_is_handed_over_meanwhile_is_carried_out_too(self, dispatcher, transaction):
        dispatcher.enqueue([claim(0)], transaction=transaction)

        def hand_over_another(claimed):
            if claimed == claim(0):
                dispatcher.enqueue([claim(1)], transaction=transaction)

        assert dispatcher.run(hand_over_another) == 2
