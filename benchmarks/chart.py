"""The picture of the page of speeds: every row against its limit, one circle for each size.

The limits differ, so each row is drawn in its own measure: 1 is the limit, and left of it is good.
"""

from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.report import Line
from benchmarks.run import Run, measured_rows

_WIDTH, _LEFT, _RIGHT = 880.0, 372.0, 800.0
_TOP, _ROW, _FOOT = 112.0, 26.0, 24.0
_MOST = 2.0  # what is further from its limit is drawn at the edge
_RADII = (3.5, 5.5, 8.0)
_LIMIT_X = _LEFT + (_RIGHT - _LEFT) / _MOST

_STYLE = """
  svg { --paper:#ffffff; --ink:#1f2328; --muted:#59636e; --rule:#d1d9e0; --better:#dff2e8;
    --beyond:#1a7f5a; --yes:#0b63c5; --no:#b3261e; }
  @media (prefers-color-scheme: dark) { svg { --paper:#0d1117; --ink:#e6edf3; --muted:#9aa5b1;
    --rule:#30363d; --better:#12261e; --beyond:#3fb98a; --yes:#4c9bf5; --no:#ef6b62; } }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
    fill: var(--ink); }
  .paper { fill: var(--paper); } .better { fill: var(--better); }
  .title { font-size: 20px; font-weight: 600; } .muted { fill: var(--muted); }
  .rule { stroke: var(--rule); } .limit { stroke: var(--ink); stroke-width: 1.5; }
  .beyond { fill: var(--beyond); } .yes { fill: var(--yes); } .no { fill: var(--no); }
  circle { fill-opacity: 0.85; }
"""


def chart(runs: Sequence[Run]) -> str:
    """Draw the runs, the smallest first."""
    names = measured_rows(runs)
    height = _TOP + _ROW * len(names) + _FOOT
    title = "How far every row of the table is from its limit"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:g}" height="{height:g}"'
        f' viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-labelledby="title">',
        f'<title id="title">{title}</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH:g}" height="{height:g}" rx="12"/>',
        f'<text class="title" x="24" y="40">{title}</text>',
        *_legend(runs),
        *_ground(height),
        *(part for place, name in enumerate(names) for part in _row(runs, name, place)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend(runs: Sequence[Run]) -> Iterator[str]:
    x = 28.0
    for run, radius in zip(runs, _RADII, strict=False):
        yield f'<circle class="muted" cx="{x:g}" cy="68" r="{radius:g}"/>'
        yield f'<text class="muted" x="{x + 14:g}" y="72">{run.middles["rows"]:,.0f} rows</text>'
        x += 146
    for kind, text in (("beyond", "beyond"), ("yes", "holds"), ("no", "not yet")):
        yield f'<circle class="{kind}" cx="{x:g}" cy="68" r="5.5"/>'
        yield f'<text class="muted" x="{x + 14:g}" y="72">{text}</text>'
        x += 84


def _ground(height: float) -> Iterator[str]:
    top, bottom = _TOP - 10, height - _FOOT
    yield (
        f'<rect class="better" x="{_LEFT:g}" y="{top:g}"'
        f' width="{_LIMIT_X - _LEFT:g}" height="{bottom - top:g}"/>'
    )
    yield f'<line class="limit" x1="{_LIMIT_X:g}" x2="{_LIMIT_X:g}" y1="{top:g}" y2="{bottom:g}"/>'
    yield f'<text class="muted" x="{_LIMIT_X:g}" y="{top - 6:g}" text-anchor="middle">limit</text>'


def _row(runs: Sequence[Run], name: str, place: int) -> Iterator[str]:
    y = _TOP + _ROW * place + _ROW / 2
    yield f'<text x="24" y="{y + 4:g}">{escape(name)}</text>'
    yield f'<line class="rule" x1="{_LEFT:g}" x2="{_RIGHT:g}" y1="{y:g}" y2="{y:g}"/>'
    found = [
        (line, radius)
        for run, radius in zip(runs, _RADII, strict=False)
        for line in run.lines
        if line.name == name
    ]
    for line, radius in reversed(found):  # the large ones behind the small ones
        share = _share(line)
        x = _LEFT + (_RIGHT - _LEFT) * min(share, _MOST) / _MOST
        yield f'<circle class="{line.verdict}" cx="{x:.1f}" cy="{y:g}" r="{radius:g}"/>'
    furthest = max(_share(line) for line, _ in found)
    if furthest > _MOST:
        yield f'<text class="no" x="{_RIGHT + 14:g}" y="{y + 4:g}">{furthest:.1f} times</text>'


def _share(line: Line) -> float:
    return line.ratio / line.limit
