"""What every store promises about the answers that are kept for a day."""

from dataclasses import replace

from offramp.ports import KeptAnswer
from tests.contract.store_world import LATER, NOW, read

BEGUN = KeptAnswer(request="one", fingerprint="asked", begun_at=NOW, expires_at=LATER)
ANSWERED = replace(BEGUN, status=201, answer=b"sealed")


def keep(store, begun):
    return read(store, lambda t: t.keep_answer(begun))


class KeptAnswerContract:
    """Of two that come with one key the second one learns of the first."""

    def test_a_request_is_noted_once_and_then_known_with_its_answer(self, store):
        first, running = keep(store, BEGUN), keep(store, replace(BEGUN, fingerprint="else"))
        read(store, lambda t: t.save_answer(ANSWERED))

        assert (first, running) == (None, BEGUN)
        assert keep(store, replace(BEGUN, request="two")) is None
        assert keep(store, BEGUN) == ANSWERED

    def test_what_is_over_counts_for_nothing(self, store):
        keep(store, BEGUN)
        again = replace(BEGUN, begun_at=LATER, expires_at=LATER.add(hours=1))

        assert keep(store, again) is None
        assert keep(store, again) == again

    def test_what_is_forgotten_may_come_again(self, store):
        keep(store, BEGUN)
        read(store, lambda t: t.forget_answer("one"))

        assert keep(store, BEGUN) is None

    def test_a_day_later_nothing_is_left(self, store):
        keep(store, BEGUN)
        early = read(store, lambda t: t.tidy_answers(at=NOW))

        assert (early, read(store, lambda t: t.tidy_answers(at=LATER))) == (0, 1)
        assert read(store, lambda t: t.tidy_answers(at=LATER)) == 0
