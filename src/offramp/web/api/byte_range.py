"""Which part of a file is asked for, so that a download that broke off can go on.

One range is honored. Several at once, and what is no range, are answered with the whole file, as
the standard allows.

Source: RFC 9110, sections 14.1.2, 14.2 and 15.5.17.
"""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"\s*bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some bytes of a file, from a first one until before another one."""

    start: int
    stop: int

    def __len__(self) -> int:
        """How many there are; none where the file has no such part."""
        return max(0, self.stop - self.start)

    def described(self, size_bytes: int) -> str:
        """Say which bytes of how many these are, or how many there are to choose from."""
        chosen = f"{self.start}-{self.stop - 1}" if len(self) else "*"
        return f"bytes {chosen}/{size_bytes}"


def parse_range(text: str, *, size_bytes: int) -> Part | None:
    """Read the header ``Range``; none where the whole file is to be sent."""
    found = _RANGE.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last so many bytes
        start = max(0, size_bytes - int(found[2])) if int(found[2]) else size_bytes
        return Part(start=start, stop=size_bytes)
    start, stop = int(found[1]), int(found[2]) + 1 if found[2] else size_bytes
    return None if found[2] and stop <= start else Part(start=start, stop=min(stop, size_bytes))
