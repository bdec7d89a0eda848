"""Children before parents, and cycles broken only where they can be."""

import pytest

from offramp.data.catalog.catalog import Reference
from offramp.data.erasure.order import CycleUnbroken, order_tables


def refer(label, *, optional=False):
    table, _, parent = label.partition(">")
    return Reference(
        table=table,
        columns=(f"{parent}_id",),
        parent=parent,
        parent_columns=("id",),
        emptied=(f"{parent}_id",) if optional else (),
        indexed=True,
        on_delete="NO ACTION",
    )


def order(*references, fixed=(), checked=()):
    tables = {name for each in references for name in (each.table, each.parent)}
    return order_tables(tables, references, fixed=fixed, checked=checked)


def test_children_go_before_their_parents():
    found = order(refer("users>companies"), refer("notes>users"), refer("notes>companies"))

    assert found.tables == ("notes", "users", "companies")
    assert found.cut == ()


def test_a_cycle_is_cut_where_the_reference_may_be_empty():
    lead = refer("teams>users", optional=True)

    found = order(refer("users>teams"), lead, refer("teams>companies"))

    assert found.cut == (lead,)
    assert found.tables == ("users", "teams", "companies")


def test_of_two_references_that_may_be_empty_the_few_are_emptied_and_not_the_many():
    member, lead = refer("people>teams", optional=True), refer("teams>people", optional=True)

    found = order(member, lead, refer("visits>people"), refer("notes>people"))

    assert found.cut == (lead,)
    assert found.tables == ("notes", "visits", "people", "teams")


def test_a_reference_that_a_rule_may_need_is_cut_only_where_no_other_can_be():
    member, lead = refer("people>teams", optional=True), refer("teams>people", optional=True)

    found = order(member, lead, refer("visits>people"), refer("notes>people"), checked=[lead])

    assert found.cut == (member,)
    assert order(refer("people>teams"), lead, checked=[lead]).cut == (lead,)


def test_the_way_to_the_root_is_never_cut():
    team, lead = refer("users>teams", optional=True), refer("teams>users", optional=True)

    found = order(team, lead, refer("teams>companies"), fixed=[lead])

    assert found.cut == (team,)


def test_only_the_tables_of_the_cycle_are_cut():
    bystander = refer("companies>agents", optional=True)
    lead = refer("teams>users", optional=True)

    found = order(bystander, refer("users>teams"), lead, refer("users>companies"))

    assert found.cut == (lead,)
    assert found.tables[-1] == "agents"


def test_a_cycle_without_an_empty_place_is_refused_by_name():
    with pytest.raises(CycleUnbroken, match="teams, users"):
        order(refer("users>teams"), refer("teams>users"), refer("teams>companies"))


def test_a_table_that_refers_to_itself_is_no_cycle():
    assert order(refer("comments>comments"), refer("comments>users")).tables == (
        "comments",
        "users",
    )


def test_the_order_does_not_depend_on_the_order_of_the_references():
    references = [refer("a>root"), refer("b>root"), refer("c>a"), refer("c>b")]

    assert order(*references).tables == order(*reversed(references)).tables
