"""What every clock promises."""


class ClockContract:
    """Give the clock in a fixture named `clock`."""

    def test_the_time_never_goes_back(self, clock):
        answers = [clock.now() for _ in range(100)]

        assert answers == sorted(answers)

    def test_it_is_not_behind_as_long_as_nobody_sets_it_back(self, clock):
        clock.now()

        assert clock.behind_seconds() < 1


class IdsContract:
    """Give the ids in a fixture named `ids`."""

    def test_no_id_is_given_twice(self, ids):
        given = [ids.new() for _ in range(1000)]

        assert len(set(given)) == 1000
