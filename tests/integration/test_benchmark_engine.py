"""The benchmark of the engine lets every side do its whole work, and says what it found."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from benchmarks.engine.execution import carry_by, prepare
from benchmarks.engine.fill import (
    ORGANIZATION,
    fill_members,
    fill_offboardings,
    fill_organizations,
    unopened_offboardings,
)
from benchmarks.engine.finish import Finish
from benchmarks.engine.ground import BEFORE, DATABASES, DUE_AT, POSTGRES, Place, Sizes, fresh_ground
from benchmarks.engine.page import page
from benchmarks.engine.rows import HEADINGS, TABLE, chosen
from benchmarks.engine.suite import MEASUREMENTS, measure
from benchmarks.engine.takeover import TAKEOVER
from benchmarks.flow import SidesDiffer
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.run import read_run, read_runs, summed_up, write_run
from benchmarks.samples import Samples
from offramp.core.model import Member
from offramp.core.transitions import StepStatus
from offramp.engine.sweep import run_until_quiet

TINY = Sizes(
    scheduled=60,
    scheduled_in_file=60,
    admitted_in_file=20,
    claims=20,
    members=50,
    steps=12,
    parked=8,
    lease_seconds=2,
)


@pytest.fixture
def place(postgres_server, tmp_path):
    return Place(base_url=postgres_server, folder=tmp_path, sizes=TINY, samples=Samples())


@pytest.fixture(params=DATABASES)
def ground(request, place):
    with fresh_ground(place, request.param) as ground:
        yield ground


def test_a_run_at_a_tiny_size_prints_and_keeps_every_row(postgres_server, tmp_path):
    samples = measure(postgres_server, tmp_path, sizes=TINY)
    lines = tuple(lines_of(TABLE, samples))
    with redirect_stdout(StringIO()) as shown:
        print_lines(lines, title="tiny", headings=HEADINGS)
    write_json(lines, tmp_path / "engine.json")
    run = summed_up(samples, lines, size=TINY.scheduled, rounds=1, server="a server")
    write_run(run, tmp_path / "runs", name="engine")

    kept = json.loads((tmp_path / "engine.json").read_text("utf-8"))
    assert read_run(tmp_path / "runs" / "engine.json", table=TABLE) == run
    assert read_runs(tmp_path / "runs") == [], "it is no run of the other suite"
    shape = {"name", "ours", "baseline", "ratio", "limit", "holds"}
    assert [set(row) for row in kept] == [shape] * len(TABLE)
    text = page(run)
    assert [line.name for line in lines if line.name not in text] == []
    assert [line.name for line in lines if line.name not in shown.getvalue()] == []
    assert [line.name for line in lines if min(line.ours, line.baseline) <= 0] == []
    assert all(line.holds == (line.ratio <= line.limit) for line in lines)
    assert [samples.middle((TAKEOVER[each],)) > 1 for each in DATABASES] == [True, True]


def test_one_row_can_be_measured_alone(postgres_server, tmp_path):
    table = tuple(chosen(["3"]))

    samples = measure(postgres_server, tmp_path, sizes=TINY, table=table)

    wanted = frozenset().union(*(row.wanted for row in table))
    assert set(samples.numbers) == wanted | set(TINY.by_name())


def test_every_number_of_the_table_is_measured_by_one_piece_of_work():
    given = [name for each in MEASUREMENTS for name in each.gives]

    assert sorted(given) == sorted(frozenset().union(*(row.wanted for row in TABLE)))


def test_what_is_filled_by_the_set_is_what_the_engine_would_have_written(ground):
    with ground.connection() as connection:
        fill_organizations(connection, 3)
        fill_offboardings(connection, 3)
        fill_members(connection, 2)

    with ground.worker(at=BEFORE) as (context, _), context.store.transaction() as transaction:
        offboardings = transaction.offboardings()
        members = transaction.members(ORGANIZATION)

    assert offboardings == tuple(unopened_offboardings(3))
    assert [(type(each), each.email) for each in members] == [
        (Member, "person-1@organization-1.example"),
        (Member, "person-2@organization-1.example"),
    ]


def test_what_is_prepared_is_due_with_one_step_each(ground):
    prepare(ground, 3)

    with ground.worker(at=DUE_AT) as (context, _):
        carried = run_until_quiet(context)
        with context.store.transaction() as transaction:
            next_due_at = transaction.next_due_at()

    assert [step.status for step in carried] == [StepStatus.DONE] * 3
    assert next_due_at is None


def test_a_program_that_only_says_that_it_did_its_steps_is_not_compared(place):
    with pytest.raises(SidesDiffer, match="did 0 steps of 12, and told of 12"):
        carry_by(place, "claimed", "benchmarks.engine.admitting", database=POSTGRES)

    assert place.samples.numbers == {}


def test_steps_that_are_done_are_counted_and_others_are_not():
    finish = Finish(2)

    for status in (StepStatus.DONE, StepStatus.HELD, StepStatus.DONE):
        finish("step", {"status": status.value})
    finish("void", {})

    assert finish.is_reached()
    assert finish.wait() == 2


def test_nobody_waits_for_a_process_that_has_ended():
    finish = Finish(2)

    finish.give_up(None)

    assert finish.wait() == 0
