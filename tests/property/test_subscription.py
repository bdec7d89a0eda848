"""Whatever order words about subscriptions arrive in, and however often, the pool ends the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import Date, Instant

from offramp.core.dates import days_after, effect, last_day_before
from offramp.core.subscription import Payment, Payments, Word, end_of

START = Instant.from_utc(2024, 8, 1)
ZONES = st.sampled_from(["Europe/Dublin", "UTC", "Pacific/Kiritimati", "America/St_Johns"])
moments = st.integers(0, 60 * 24 * 3600).map(lambda seconds: START.add(seconds=seconds))
words = st.builds(
    Word,
    event=st.text("abc", min_size=1, max_size=3),
    at=st.integers(0, 5).map(lambda seconds: START.add(seconds=seconds)),
    is_over=st.booleans(),
    ends_at=st.none() | moments,
)


@given(st.lists(words, min_size=1, max_size=6, unique_by=lambda word: word.place), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_newest_word_is_the_same_in_every_order(told, chance):
    shuffled = told * 2
    chance.shuffle(shuffled)
    newest = shuffled[0]
    for word in shuffled:
        newest = word if word.place > newest.place else newest

    assert newest == max(told, key=lambda word: word.place)
    assert newest.is_over == any(word.is_over for word in told)


@given(st.lists(words, min_size=1, max_size=4), ZONES)
@settings(max_examples=100, deadline=None)
def test_access_never_ends_before_anything_that_pays_for_it(told, zone):
    last = end_of([(word, Payments()) for word in told], zone=zone, unpaid_days=0)

    ends = [word.ends_at for word in told]
    if None in ends:
        assert last is None
    else:
        assert isinstance(last, Date)
        assert effect(last, zone=zone) >= max(ends)
        assert effect(last.prev_day(), zone=zone) < max(ends)


said = st.tuples(
    st.integers(0, 9).map(lambda seconds: START.add(seconds=seconds)),
    st.builds(
        Payment,
        owed_since=st.none() | st.integers(0, 3).map(lambda days: START.add(hours=24 * days)),
    ),
)


@given(st.lists(said, max_size=8), st.randoms())
@settings(max_examples=300, deadline=None)
def test_what_is_owed_is_the_same_in_every_order_and_counted_from_the_last_payment(told, chance):
    """It is worked out a second time here, of all that was said, as one would by hand."""
    shuffled = told * 2
    chance.shuffle(shuffled)
    payments = Payments()
    for at, payment in shuffled:
        payments = payments.heard(payment, at=at)

    paid_at = max((at for at, each in told if each.owed_since is None), default=Instant.MIN)
    owed = [each.owed_since for at, each in told if each.owed_since and at > paid_at]
    assert payments.owed_since == min(owed, default=None)
    settled = payments.heard(Payment(owed_since=None), at=START.add(hours=1))
    assert settled.owed_since is None


@given(words, moments, st.integers(0, 40), ZONES)
@settings(max_examples=100, deadline=None)
def test_what_is_not_paid_for_ends_so_many_days_later_unless_it_ends_before(
    word, owed_since, days, zone
):
    payments = Payments().heard(Payment(owed_since=owed_since), at=START)

    last = end_of([(word, payments)], zone=zone, unpaid_days=days)

    unpaid = days_after(last_day_before(owed_since, zone=zone), days)
    otherwise = end_of([(word, payments)], zone=zone, unpaid_days=None)
    assert last == (unpaid if otherwise is None else min(unpaid, otherwise))
