"""Which bytes a download that goes on is given."""

import pytest

from offramp.web.api.byte_range import Part, parse_range

SIZE = 100


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("bytes=0-", 0, 100),
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-500", 90, 100),
        ("bytes=99-", 99, 100),
        ("bytes=-5", 95, 100),
        ("bytes=-500", 0, 100),
        (" Bytes= 7-8 ", 7, 9),
    ],
)
def test_a_part_is_what_was_asked_for_and_is_there(text, start, stop):
    part = parse_range(text, size_bytes=SIZE)

    assert part == Part(start=start, stop=stop)
    assert part.described(SIZE) == f"bytes {start}-{stop - 1}/100"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes=",
        "bytes=-",
        "bytes=9-3",
        "bytes=a-b",
        "bytes=0-1,5-9",
        "bytes=--1",
        "bytes=1.5-",
        f"bytes={'9' * 19}-",
        "bytes 0-1",
        "pages=1-2",
    ],
)
def test_what_is_no_range_or_several_is_answered_with_the_whole(text):
    assert parse_range(text, size_bytes=SIZE) is None


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={'9' * 18}-"])
def test_what_is_past_the_end_is_not_there(text):
    part = parse_range(text, size_bytes=SIZE)

    assert len(part) == 0
    assert part.described(SIZE) == "bytes */100"
