"""Whatever order words about subscriptions arrive in, and however often, the pool ends the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import Date, Instant

from offramp.core.dates import effect
from offramp.core.subscription import Word, end_of

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
    last = end_of(told, zone=zone)

    ends = [word.ends_at for word in told]
    if None in ends:
        assert last is None
    else:
        assert isinstance(last, Date)
        assert effect(last, zone=zone) >= max(ends)
        assert effect(last.prev_day(), zone=zone) < max(ends)
