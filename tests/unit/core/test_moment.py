import pytest

from offramp.core.dates import Period, PeriodInvalid
from offramp.core.moment import Choice, Moment, MomentInvalid, Special


@pytest.mark.parametrize(
    ("text", "anchors", "choice", "backwards", "length"),
    [
        ("expiry", ("expiry",), Choice.LATEST, False, None),
        ("expiry + P30D", ("expiry",), Choice.LATEST, False, Period.parse("P30D")),
        ("expiry - P14D", ("expiry",), Choice.LATEST, True, Period.parse("P14D")),
        ("expiry-P14D", ("expiry",), Choice.LATEST, True, Period.parse("P14D")),
        ("  last-activity + P60D ", ("last-activity",), Choice.LATEST, False, Period.parse("P60D")),
        ("expiry + grace", ("expiry",), Choice.LATEST, False, "grace"),
        ("latest(a, b) + P1D", ("a", "b"), Choice.LATEST, False, Period.parse("P1D")),
        ("earliest( a ,b,c )", ("a", "b", "c"), Choice.EARLIEST, False, None),
    ],
)
def test_a_moment_is_an_anchor_and_at_most_one_period_T2(text, anchors, choice, backwards, length):
    moment = Moment.parse(text)

    assert (moment.anchors, moment.choice, moment.backwards, moment.length) == (
        (anchors, choice, backwards, length)
    )
    assert str(moment) == text.strip()


@pytest.mark.parametrize("special", list(Special))
def test_never_and_immediately_are_values_T6(special):
    moment = Moment.parse(special.value)

    assert moment.special is special
    assert moment.names == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P30D",
        "+ P30D",
        "Expiry",
        "expiry P30D",
        "expiry + P90D + P9M",
        "expiry + 30 days",
        "latest(a)",
        "latest(a, b",
        "expiry ++ P1D",
        "in a month",
        "2024-08-30",
        "never + P1D",
        "immediately - P1D",
        "latest(never, expiry)",
        "expiry + never",
    ],
)
def test_anything_else_does_not_say_when_and_is_refused_T1_T6(text):
    with pytest.raises(MomentInvalid) as caught:
        Moment.parse(text)

    assert caught.value.expected
    assert caught.value.hint


def test_a_moment_with_a_wrong_period_names_the_period():
    with pytest.raises(PeriodInvalid) as caught:
        Moment.parse("expiry + P30X")

    assert caught.value.text == "P30X"


def test_the_names_of_a_moment_are_its_anchors_and_its_named_period():
    assert Moment.parse("latest(a, b) + grace").names == {"a", "b", "grace"}
