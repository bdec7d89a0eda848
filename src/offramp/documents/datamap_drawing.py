"""A data map as one self-contained SVG: the root on the left, every table on its way to it.

The ways form a tree, because each table has one that comes first; a table stands in the row of its
first child, so no line meets another. Boxes are as wide as the longest name; in a picture of many
tables a box is one line high. Light and dark follow the reader's preference.

Source: data/outline.py; WCAG 2.2 contrast of text (4.5 to 1).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from offramp.data.outline import Fate, TableOutline

MARGIN = 32
TOP = 112
BOX_WIDTH, BOX_HEIGHT = 244, 44
BOX_HEIGHT_LOW, LOW_FROM_TABLES = 26, 60
GAP_ACROSS, GAP_DOWN, GAP_DOWN_LOW = 48, 14, 6
WIDTH_MIN = 720
LETTER_WIDTH, LETTER_WIDTH_SMALL = 8.0, 6.2  # of bold and of muted text, at the most
NAME_LENGTH_MAX = 52
PADDING = 24

_STYLE = """
  svg { --paper:#ffffff; --ink:#1f2328; --muted:#59636e; --rule:#c3ccd5;
    --deleted:#b3261e; --kept:#9c5c00; --shared:#57606a; --box:#f6f8fa; }
  @media (prefers-color-scheme: dark) { svg { --paper:#0d1117; --ink:#e6edf3; --muted:#9aa5b1;
    --rule:#3d4650; --deleted:#f0655b; --kept:#d9952f; --shared:#8b949e; --box:#161b22; } }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
    fill: var(--ink); }
  .paper { fill: var(--paper); }
  .title { font-size: 20px; font-weight: 600; }
  .muted { fill: var(--muted); font-size: 12px; }
  .strong { font-weight: 600; }
  .box { fill: var(--box); stroke: var(--rule); }
  .line { fill: none; stroke: var(--rule); stroke-width: 1.5; }
  .deleted { fill: var(--deleted); } .kept { fill: var(--kept); } .shared { fill: var(--shared); }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """How large the boxes of one picture are."""

    box_width: int
    is_low: bool

    @property
    def box_height(self) -> int:
        return BOX_HEIGHT_LOW if self.is_low else BOX_HEIGHT

    @property
    def row(self) -> int:
        return self.box_height + (GAP_DOWN_LOW if self.is_low else GAP_DOWN)

    @property
    def column(self) -> int:
        return self.box_width + GAP_ACROSS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a table stands: its column counts hops from the root."""

    table: TableOutline
    column: int
    row: int
    scale: _Scale

    @property
    def x(self) -> int:
        return MARGIN + self.column * self.scale.column

    @property
    def y(self) -> int:
        return TOP + self.row * self.scale.row


def draw_datamap(tables: Sequence[TableOutline]) -> str:
    """Draw the tables of one map."""
    scale = _scale(tables)
    places = list(_places(tables, scale))
    columns = max((place.column for place in places), default=0) + 1
    rows = max((place.row for place in places), default=0) + 1
    width = max(WIDTH_MIN, 2 * MARGIN + (columns - 1) * scale.column + scale.box_width)
    height = TOP + rows * scale.row + MARGIN
    by_id = {place.table.id: place for place in places}
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
            '<title id="title">Where the data of an organization lives</title>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}" rx="12"/>',
            *_heading(tables),
            *(line for place in places for line in _connection(place, by_id)),
            *(line for place in places for line in _box(place)),
            "</svg>\n",
        ]
    )


def _scale(tables: Sequence[TableOutline]) -> _Scale:
    """Make boxes wide enough for every name, and low where there are many."""
    is_low = len(tables) >= LOW_FROM_TABLES
    longest = max((_name_width(table, is_low=is_low) for table in tables), default=0)
    return _Scale(box_width=max(BOX_WIDTH, longest + PADDING), is_low=is_low)


def _name_width(table: TableOutline, *, is_low: bool) -> int:
    """Say how wide the name of a table is, with its way behind it where there is one line."""
    width = len(_name(table)) * LETTER_WIDTH
    if is_low:
        width += (3 + len(" · ".join(_via(table)))) * LETTER_WIDTH_SMALL
    return int(width)


def _name(table: TableOutline) -> str:
    number = f"{table.number}. " if table.number is not None else ""
    return number + _shortened(table.table, NAME_LENGTH_MAX)


def _places(tables: Sequence[TableOutline], scale: _Scale) -> Iterator[_Place]:
    """Give every table its row: trees first, one below the other, then what is shared."""
    owned = [table for table in tables if table.fate is not Fate.SHARED]
    children: dict[str, list[TableOutline]] = {}
    for table in owned:
        above = f"{table.source}.{table.way[1]}" if len(table.way) > 1 else ""
        children.setdefault(above, []).append(table)
    row = 0
    for root in children.get("", []):
        for place in _tree(root, children, row, scale):
            row = max(row, place.row + 1)
            yield place
    shared = [table for table in tables if table.fate is Fate.SHARED]
    across = max(max((len(table.way) for table in owned), default=1), 2)
    below = row + 1  # a free row parts what is owned from what is not
    for number, table in enumerate(shared):
        yield _Place(table=table, column=number % across, row=below + number // across, scale=scale)


def _tree(
    table: TableOutline, children: Mapping[str, Sequence[TableOutline]], row: int, scale: _Scale
) -> Iterator[_Place]:
    yield _Place(table=table, column=len(table.way) - 1, row=row, scale=scale)
    for child in children.get(table.id, ()):
        below = list(_tree(child, children, row, scale))
        yield from below
        row = max(place.row for place in below) + 1


def _heading(tables: Sequence[TableOutline]) -> Iterator[str]:
    yield _text(MARGIN, 46, "Where the data of an organization lives", "title")
    counts = [f"{sum(table.fate is fate for table in tables)} {fate.value}" for fate in Fate]
    told = f"{len(tables)} tables: {', '.join(counts)} · numbers are the order of erasure"
    yield _text(MARGIN, 70, told, "muted")


def _connection(place: _Place, by_id: Mapping[str, _Place]) -> Iterator[str]:
    table = place.table
    if table.fate is Fate.SHARED or len(table.way) < 2:
        return
    parent = by_id[f"{table.source}.{table.way[1]}"]
    start, middle = parent.x + place.scale.box_width, place.scale.box_height // 2
    bend = start + 12
    path = f"M{start} {parent.y + middle}H{bend}V{place.y + middle}H{place.x}"
    yield f'<path class="line" d="{path}"/>'


def _box(place: _Place) -> Iterator[str]:
    table, scale = place.table, place.scale
    yield f"<g><title>{escape(_told(table))}</title>"
    yield (
        f'<rect class="box" x="{place.x}" y="{place.y}" width="{scale.box_width}" '
        f'height="{scale.box_height}" rx="6"/>'
    )
    yield (
        f'<rect class="{table.fate.value}" x="{place.x}" y="{place.y}" width="5" '
        f'height="{scale.box_height}" rx="2"/>'
    )
    if scale.is_low:
        behind = f'<tspan class="muted" dx="8">{escape(" · ".join(_via(table)))}</tspan>'
        name = f'<tspan class="strong">{escape(_name(table))}</tspan>'
        yield f'<text x="{place.x + 14}" y="{place.y + 18}">{name}{behind}</text>'
    else:
        yield _text(place.x + 14, place.y + 18, _name(table), "strong")
        words = " · ".join([table.fate.value, *_via(table), *table.words])
        room = int((scale.box_width - PADDING) / LETTER_WIDTH_SMALL)
        yield _text(place.x + 14, place.y + 35, _shortened(words, room), "muted")
    yield "</g>"


def _via(table: TableOutline) -> list[str]:
    return [f"via {' + '.join(table.via)}"] if table.via else []


def _told(table: TableOutline) -> str:
    """Say everything of a table, for those who rest the pointer on it."""
    way = [" > ".join(table.way)] if len(table.way) > 1 else []
    return "\n".join([f"{table.id}: {table.fate.value}", *way, *_via(table), *table.words])


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _text(x: int, y: int, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'
