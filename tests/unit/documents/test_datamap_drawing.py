"""The picture of a map: every table once, nothing upon another, no name taken for markup."""

import re
from xml.etree import ElementTree as ET

from offramp.data.outline import Fate, TableOutline
from offramp.documents.datamap_drawing import BOX_HEIGHT, BOX_WIDTH, draw_datamap

SVG = "{http://www.w3.org/2000/svg}"


def table(name, *above, fate=Fate.DELETED, number=1, words=()):
    via = ("parent_id",) if above else ()
    return TableOutline(
        source="app", table=name, fate=fate, number=number, via=via, way=(name, *above),
        words=words,
    )  # fmt: skip


TABLES = [
    table("likes", "posts", "users", "companies"),
    table("posts", "users", "companies", number=2),
    table("teams", "companies", number=3),
    table("users", "companies", number=4),
    table("bills", "companies", fate=Fate.KEPT, number=5, words=("until due_on + P10Y",)),
    table("companies", number=6),
    *(table(f"shared_{n}", fate=Fate.SHARED, number=None) for n in range(5)),
]


MANY = [
    *(table(f"schema.part_of_a_long_name_{n}", "companies", number=n) for n in range(200)),
    table("companies", number=200),
]


def boxes(drawn):
    found = [each for each in ET.fromstring(drawn).iter(f"{SVG}rect") if each.get("class") == "box"]
    return [(int(box.get("x")), int(box.get("y"))) for box in found]


def test_every_table_has_its_box_and_no_box_meets_another():
    places = boxes(draw_datamap(TABLES))

    assert len(places) == len(TABLES)
    for number, (x, y) in enumerate(places):
        for other_x, other_y in places[:number]:
            assert abs(x - other_x) >= BOX_WIDTH or abs(y - other_y) >= BOX_HEIGHT


def test_everything_is_inside_the_picture():
    drawn = draw_datamap(TABLES)

    root = ET.fromstring(drawn)
    for x, y in boxes(drawn):
        assert x + BOX_WIDTH <= int(root.get("width"))
        assert y + BOX_HEIGHT <= int(root.get("height"))


def test_each_table_below_the_root_is_joined_to_the_one_above_it():
    drawn = draw_datamap(TABLES)

    assert len(re.findall('class="line"', drawn)) == 5


def test_a_picture_says_what_becomes_of_each():
    drawn = draw_datamap(TABLES)

    assert "11 tables: 5 deleted, 1 kept, 5 shared" in drawn
    assert "until due_on + P10Y" in drawn


def test_a_name_is_never_taken_for_markup_nor_lost_in_length():
    drawn = draw_datamap([table('<b>&"' + "x" * 80)])

    texts = [each.text for each in ET.fromstring(drawn).iter(f"{SVG}title")]
    assert f'app.<b>&"{"x" * 80}: deleted' in texts
    assert "…" in drawn


def test_two_hundred_tables_are_told_apart_on_a_picture_of_their_size():
    drawn = draw_datamap(MANY)

    root = ET.fromstring(drawn)
    texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    widths = {int(each.get("width")) for each in root.iter(f"{SVG}rect") if each.get("rx") == "6"}
    assert all(any(name.table in text for text in texts) for name in MANY)
    assert len(widths) == 1
    assert int(root.get("height")) < 200 * 34
    (width,), places = widths, boxes(drawn)
    assert all(x + width <= int(root.get("width")) for x, _ in places)
    assert len({y for _, y in places}) == 200
