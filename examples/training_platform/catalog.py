"""The courses that every company may take; they belong to nobody."""

from __future__ import annotations

from collections.abc import Mapping

from examples.training_platform.companies import LEADERSHIP, SAFETY

COURSES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "SAFE-101": (
        "Fire safety basics",
        SAFETY,
        ("Why fires start", "Extinguishers and their colors", "The way out"),
    ),
    "SAFE-210": (
        "Working at height",
        SAFETY,
        ("Ladders", "Harness and anchor", "Rescue plan", "Final test"),
    ),
    "SAFE-330": ("Chemicals & labels", SAFETY, ("Reading a label", "Storage", "Spills")),
    "LEAD-101": ("The first ninety days", LEADERSHIP, ("Listening", "Goals", "Feedback")),
    "LEAD-220": ("Difficult conversations", LEADERSHIP, ("Preparing", "Holding", "Following up")),
}

BADGES: tuple[tuple[str, str, int], ...] = (
    ("first-lesson", "First lesson done", 10),
    ("night-owl", "Night owl 🦉", 25),
    ("perfect-score", "Nothing but the best: 100 %", 100),
    ("helping-hand", 'Helping hand ("you\'re a star")', 50),
)

# What people really type: quotes, tabs, backslashes, line breaks, other scripts.
REMARKS: tuple[str, ...] = (
    "Danke – das war großartig! 🎉",  # noqa: RUF001 - a dash that people do type
    'The form says "N/A"; is that\n\tC:\\safety\\forms\\7b or the new one?',
    "C'est l'étape 3 qui m'échappe… quelqu'un peut m'aider ?",
    "これは分かりやすい。ありがとう!",
    "100 % agreed, see lesson 2; it's <b>not</b> optional, {really}",
    "👩🏽‍🚒 best lesson so far",
)
