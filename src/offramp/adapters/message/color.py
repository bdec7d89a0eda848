"""Colors that can be read on each other, whatever color a vendor's brand has.

Source: WCAG 2.2, success criteria 1.4.3 (contrast, level AA) and its definition of luminance.
"""

from functools import lru_cache

CONTRAST_MIN = 4.5  # of text; large text and shapes need less
BLACK, WHITE = "#000000", "#ffffff"
_SHADES = 100
_KEPT = 64  # a brand has few colors, and every message asks for them


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colors: 1 for the same one, 21 for black and white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=_KEPT)
def readable_on(background: str) -> str:
    """Choose black or white, whichever is read better; one of them always reaches level AA."""
    return max(WHITE, BLACK, key=lambda color: contrast(color, background))


@lru_cache(maxsize=_KEPT)
def shaded_for(color: str, *, background: str) -> str:
    """Move a color towards black or white, as little as is needed to be read on a background."""
    towards = readable_on(background)
    shades = (_mixed(color, towards, share=step / _SHADES) for step in range(_SHADES + 1))
    return next((s for s in shades if contrast(s, background) >= CONTRAST_MIN), towards)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _mixed(color: str, other: str, *, share: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
