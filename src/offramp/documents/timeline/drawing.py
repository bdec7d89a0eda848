"""A timeline as one self-contained SVG: a band of stages, and below it every date in words.

The band is drawn to scale as far as every stage stays wide enough for its name; the list below
it is set in rows, so no text can meet another. Light and dark follow the reader's preference.

Source: mission A7; WCAG 2.2 contrast of text (4.5 to 1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from textwrap import wrap

from whenever import Date, Instant

from offramp.core.model import ANCHOR_OF, Anchor, Facts
from offramp.core.plan import PlannedStep, Span, Timeline
from offramp.core.policy import Action, Capability, Stage
from offramp.documents.timeline.rows import Row, timeline_rows, words

MARGIN = 32
WIDTH_MIN = 880
STAGE_WIDTH_MIN, STAGE_WIDTH_MAX = 132, 260
BAND_TOP, BAND_HEIGHT = 128, 44
GAP = 4
BADGE = 11  # radius
ROW_HEIGHT, LINE_HEIGHT = 30, 19
TEXT_COLUMN = 196  # from the left margin
CHARACTER_WIDTH = 6.9  # of 13 px text, generously
NAME_CHARACTER_WIDTH = 8  # the same in bold

_STYLE = """
  svg { --paper:#ffffff; --ink:#1f2328; --muted:#59636e; --rule:#d1d9e0;
    --open:#1a7f5a; --partial:#9c5c00; --shut:#57606a; --gone:#a8323e;
    --notify:#0b63c5; --export:#0f766e; --erase:#b3261e; }
  @media (prefers-color-scheme: dark) { svg { --paper:#0d1117; --ink:#e6edf3; --muted:#9aa5b1;
    --rule:#30363d; --open:#1d7f5c; --partial:#a06000; --shut:#636d78; --gone:#b8404c;
    --notify:#1f6feb; --export:#0f7a70; --erase:#cf3b34; } }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
    fill: var(--ink); }
  .paper { fill: var(--paper); }
  .title { font-size: 20px; font-weight: 600; }
  .muted { fill: var(--muted); }
  .strong { font-weight: 600; }
  .onto { fill: #ffffff; font-weight: 600; }
  .badge { fill: #ffffff; font-size: 11px; font-weight: 700; }
  .rule { stroke: var(--rule); stroke-width: 1; }
  .open { fill: var(--open); } .partial { fill: var(--partial); }
  .shut { fill: var(--shut); } .gone { fill: var(--gone); }
  .notify { fill: var(--notify); } .export { fill: var(--export); } .erase { fill: var(--erase); }
  .stem { stroke: var(--muted); stroke-width: 1.5; }
"""
_NOW_STYLE = "  .now { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 4 3; }\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One stage on the band, with the instants that it is drawn from and to."""

    span: Span
    starts_at: Instant
    ends_at: Instant
    left: float
    width: float

    def x(self, moment: Instant) -> float:
        whole = (self.ends_at - self.starts_at).total("seconds")
        part = (moment - self.starts_at).total("seconds")
        return self.left + self.width * min(max(part / whole, 0.0), 1.0)


def draw_timeline(timeline: Timeline, facts: Facts) -> str:
    """Draw a timeline."""
    needed = sum(_least_width(span.stage) for span in timeline.spans)
    width = max(WIDTH_MIN, MARGIN * 2 + needed)
    segments = _segments(timeline, width=width)
    rows = timeline_rows(timeline)
    body = [*_heading(timeline, facts), *_band(timeline, segments), *_marks(rows, segments)]
    lines, bottom = _list(timeline, rows, width=width)
    height = bottom + MARGIN - 12
    title = timeline.policy.title or timeline.policy.policy
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}" rx="12"/>',
            *body,
            *lines,
            "</svg>\n",
        ]
    )


def draw_band(timeline: Timeline, *, now: Instant | None) -> str:
    """Draw the stages with their steps above them, a line at an instant, and no words beside."""
    needed = sum(_least_width(span.stage) for span in timeline.spans)
    width = max(WIDTH_MIN, MARGIN * 2 + needed)
    segments = _segments(timeline, width=width)
    top, bottom = BAND_TOP - 72, BAND_TOP + BAND_HEIGHT + 34
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom - top}" '
            f'viewBox="0 {top} {width} {bottom - top}">',
            f"<style>{_STYLE}{_NOW_STYLE}</style>",
            *_band(timeline, segments),
            *_marks(timeline_rows(timeline), segments),
            *(_now(_place(now, segments), top=top, width=width) if now else ()),
            "</svg>\n",
        ]
    )


def _now(x: float, *, top: int, width: int) -> Iterator[str]:
    below = BAND_TOP + BAND_HEIGHT + 6
    yield f'<line class="now" x1="{x:.1f}" y1="{top + 22}" x2="{x:.1f}" y2="{below}"/>'
    inside = min(max(x, 2 * MARGIN), width - 2 * MARGIN)
    yield _text(inside, top + 16, "now", "strong", anchor="middle")


def _heading(timeline: Timeline, facts: Facts) -> Iterator[str]:
    policy = timeline.policy
    yield _text(MARGIN, 48, policy.title or policy.policy, "title")
    told = (_counted_from(facts), timeline.zone, f"one {timeline.kind.value}")
    yield _text(MARGIN, 72, " · ".join(told), "muted")


def _counted_from(facts: Facts) -> str:
    anchor = ANCHOR_OF[facts.cause]
    end = facts.anchors.get(anchor, facts.anchors.get(Anchor.EXPIRY))
    if end is None:
        return "No end date"
    name = "Valid until" if anchor is Anchor.EXPIRY else words(anchor)
    return f"{name} {_day(end) if isinstance(end, Date) else end}"


def _least_width(stage: Stage) -> int:
    """Give the width that a stage needs for its name, and for the date below it."""
    name = stage.title or stage.id
    return min(max(STAGE_WIDTH_MIN, len(name) * NAME_CHARACTER_WIDTH + 24), STAGE_WIDTH_MAX)


def _segments(timeline: Timeline, *, width: int) -> list[_Segment]:
    """Give every stage the width it needs, and share what is left by length of time."""
    edges = _edges(timeline)
    least = [_least_width(span.stage) for span in timeline.spans]
    lengths = [(later - earlier).total("seconds") for earlier, later in pairwise(edges)]
    spare = (width - 2 * MARGIN - sum(least)) / sum(lengths)
    segments, left = [], float(MARGIN)
    for position, span in enumerate(timeline.spans):
        stage_width = least[position] + spare * lengths[position]
        segments.append(
            _Segment(
                span=span,
                starts_at=edges[position],
                ends_at=edges[position + 1],
                left=left,
                width=stage_width,
            )
        )
        left += stage_width
    return segments


def _edges(timeline: Timeline) -> list[Instant]:
    """Give the instants between the stages, with some room before the first and after the last.

    What a deletion opens is drawn where its window closes: until then it may not have happened.
    """
    inner: list[Instant] = []
    for span in timeline.spans[1:]:
        closing = _closing(timeline, span)
        edge = span.starts_at if closing is None else closing.deadline_at
        assert edge is not None, "only the first stage has always been there"
        inner.append(max([edge, *(before.add(seconds=1) for before in inner[-1:])]))
    moments = [*(row.at for row in timeline_rows(timeline)), *inner]
    if not moments:
        return [Instant.from_utc(2000, 1, 1), Instant.from_utc(2000, 1, 2)]
    first, last = min(moments), max(moments)
    room = max((last - first).total("seconds") * 0.06, 3600.0)
    return [first.subtract(seconds=room), *inner, last.add(seconds=room)]


def _band(timeline: Timeline, segments: Sequence[_Segment]) -> Iterator[str]:
    for segment in segments:
        stage = segment.span.stage
        yield (
            f'<rect class="{_kind(timeline, segment.span)}" x="{segment.left:.1f}" y="{BAND_TOP}" '
            f'width="{segment.width - GAP:.1f}" height="{BAND_HEIGHT}" rx="7"/>'
        )
        fits = int((segment.width - GAP - 16) / NAME_CHARACTER_WIDTH)
        name = _shortened(stage.title or stage.id, fits)
        middle = segment.left + (segment.width - GAP) / 2
        yield _text(middle, BAND_TOP + 27, name, "onto", anchor="middle")
    below = BAND_TOP + BAND_HEIGHT
    for segment in segments[1:]:
        yield _text(segment.left, below + 20, _from(timeline, segment), "muted")


def _from(timeline: Timeline, segment: _Segment) -> str:
    closing = _closing(timeline, segment.span)
    if closing is not None and closing.deadline_on is not None:
        return f"by {_day(closing.deadline_on)}"
    assert segment.span.first_on is not None, "only the first stage has always been there"
    return _day(segment.span.first_on)


def _closing(timeline: Timeline, span: Span) -> PlannedStep | None:
    """Give the deletion that opens a stage, if it may be carried out until a later day."""
    step = timeline.find(span.after_step or "")
    if step is None or span.starts_at != step.due_at or step.deadline_on == step.due_on:
        return None
    return step if step.deadline_at is not None else None


def _marks(rows: Sequence[Row], segments: Sequence[_Segment]) -> Iterator[str]:
    """Set a numbered badge above the band for every step, pushed apart where they are close."""
    steps = [row for row in rows if row.planned.stage is None]
    wanted = [_place(row.at, segments) for row in steps]
    placed = _apart(wanted, least=2 * BADGE + 4, until=segments[-1].left + segments[-1].width)
    y = BAND_TOP - 26
    for number, (row, at, x) in enumerate(zip(steps, wanted, placed, strict=True), start=1):
        yield (
            f'<line class="stem" x1="{x:.1f}" y1="{y + BADGE}" x2="{at:.1f}" y2="{BAND_TOP - 3}"/>'
        )
        yield from _badge(x, y, number, row.planned.action)


def _place(moment: Instant, segments: Sequence[_Segment]) -> float:
    for segment in segments:
        if moment < segment.ends_at:
            return segment.x(moment)
    return segments[-1].left + segments[-1].width


def _apart(wanted: Sequence[float], *, least: float, until: float) -> list[float]:
    placed: list[float] = []
    for x in wanted:
        placed.append(max([x, *(before + least for before in placed[-1:])]))
    for position in range(len(placed) - 1, -1, -1):
        limit = placed[position + 1] - least if position + 1 < len(placed) else until - BADGE
        placed[position] = min(placed[position], limit)
    return placed


def _badge(x: float, y: float, number: int, action: Action) -> Iterator[str]:
    yield f'<circle class="{action.value}" cx="{x:.1f}" cy="{y}" r="{BADGE}"/>'
    yield _text(x, y + 4, str(number), "badge", anchor="middle")


def _list(timeline: Timeline, rows: Sequence[Row], *, width: int) -> tuple[list[str], int]:
    """Write every date in words; give the lines of the picture and where they end."""
    y = BAND_TOP + BAND_HEIGHT + 84
    parts = [
        f'<line class="rule" x1="{MARGIN}" y1="{y - 40}" x2="{width - MARGIN}" y2="{y - 40}"/>'
    ]
    fits = int((width - 2 * MARGIN - TEXT_COLUMN) / CHARACTER_WIDTH)
    number = 0
    for row in rows:
        number += row.planned.stage is None
        parts += _row_mark(timeline, row.planned, number, y)
        parts.append(_text(MARGIN + 34, y, _day(row.on), "strong"))
        parts.append(_text(MARGIN + 136, y, row.local_time, "muted"))
        parts.append(_text(MARGIN + TEXT_COLUMN, y, row.what, "strong"))
        for line in wrap(_words(row), fits):
            y += LINE_HEIGHT
            parts.append(_text(MARGIN + TEXT_COLUMN, y, line, "muted"))
        y += ROW_HEIGHT
    return parts, y - ROW_HEIGHT + LINE_HEIGHT


def _row_mark(timeline: Timeline, planned: PlannedStep, number: int, y: int) -> Iterator[str]:
    if planned.stage is None:
        yield from _badge(MARGIN + BADGE, y - 4, number, planned.action)
        return
    span = next(span for span in timeline.spans if span.stage is planned.stage)
    side = 2 * BADGE - 4
    yield (
        f'<rect class="{_kind(timeline, span)}" x="{MARGIN + 2}" y="{y - 13}" '
        f'width="{side}" height="{side}" rx="4"/>'
    )


def _words(row: Row) -> str:
    return " · ".join(part for part in (row.who, row.note) if part)


def _kind(timeline: Timeline, span: Span) -> str:
    """Say how much a stage leaves to people: everything, a part, nothing, or no data either."""
    if span.after_step is not None:
        return "gone"
    return _openness(timeline, span.stage)


def _openness(timeline: Timeline, stage: Stage) -> str:
    capabilities = [timeline.policy.capabilities(level) for level in stage.levels]
    if not any(capabilities):
        return "shut"
    return "open" if frozenset(Capability) in capabilities else "partial"


def _day(day: Date) -> str:
    return f"{day.day} {day.to_stdlib():%b} {day.year}"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(length - 1, 1)].rstrip() + "…"


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> str:
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.0f}"{where}>{escape(text)}</text>'
