"""Random ids. Everything that is named by chance gets its name here.

Source: RFC 9562, version 7: the time in front, so that rows of one hour stay side by side in an
index; the rest is chance, so that nobody can guess the id of somebody else's download.
"""

import secrets
import time

_RANDOM_BITS = 74
_RANDOM_LOW_BITS = 62


class RandomIds:
    """Version 7 UUIDs as 32 hexadecimal digits."""

    def new(self) -> str:
        """Give an id that was never given before."""
        chance = secrets.randbits(_RANDOM_BITS)
        number = time.time_ns() // 1_000_000 << 80
        number |= 0x7 << 76 | chance >> _RANDOM_LOW_BITS << 64
        number |= 0b10 << 62 | chance & (1 << _RANDOM_LOW_BITS) - 1
        return f"{number:032x}"
