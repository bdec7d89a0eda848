"""What every kind of source promises, as a suite of tests: derive from it, and give a world.

    class TestMyKind(SourceContract):
        @pytest.fixture
        def world(self, tmp_path):
            return MyWorld(folder=tmp_path)

It needs no plug-in: each test is a plain function of a world, and asserts. The tests work on
organizations whose keys and folders begin alike, with chunks smaller than what is held.

Source: docs/sources.md; lessons L16, L18, L21, L42.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

from offramp.core.errors import OfframpError, Unavailable, Uncertain
from offramp.data.check import Finding, check
from offramp.data.erasure.erase import ErasureResult, erase, preview
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest, export
from offramp.data.manifest import Manifest, TableDigest
from offramp.data.proof.verify import Verification, verify
from offramp.testing.source_world import OURS, SIBLING, FenceBroken, RecordingFence, SourceWorld

CHUNK_ROWS_MAX = 1
KEY = bytes(range(32))


class SourceContract:
    """Give the world in a fixture named `world`."""

    def test_the_world_is_worth_testing(self, world: SourceWorld) -> None:
        """Both organizations hold several things, and not the same."""
        ours, siblings = world.held(OURS), world.held(SIBLING)

        assert all(len(rows) > 1 for rows in (*ours.values(), *siblings.values()))
        assert ours != siblings

    def test_a_source_that_works_passes_the_check(self, world: SourceWorld) -> None:
        """Nothing is wrong with it."""
        assert _check(world) == ()

    def test_an_export_names_all_that_is_held_and_nothing_of_others(
        self, world: SourceWorld
    ) -> None:
        """As many rows as are held, in a document that fits its schema's names."""
        document, manifest = _export(world)

        held = world.held(OURS)
        assert {table: manifest.tables[table].rows for table in held} == _sizes(held)
        assert set(document["data"]) == {entry.name for entry in manifest.tables.values()}
        assert all(
            len(document["data"][entry.name]) == entry.rows for entry in manifest.tables.values()
        )

    def test_an_export_changes_nothing(self, world: SourceWorld) -> None:
        """What was held is held."""
        before = world.held(OURS)

        _export(world)

        assert world.held(OURS) == before

    def test_the_same_content_has_the_same_digest(self, world: SourceWorld) -> None:
        """However often it is asked."""
        _, manifest = _export(world)

        assert _digest(world) == manifest.digests() == _digest(world)

    def test_what_was_written_since_changes_the_digest(self, world: SourceWorld) -> None:
        """A late write is seen before anything is deleted."""
        _, manifest = _export(world)

        world.write_late(OURS)

        assert _digest(world) != manifest.digests()

    def test_a_preview_changes_nothing_and_names_every_table(self, world: SourceWorld) -> None:
        """Saying what would happen is not doing it."""
        before = world.held(OURS)

        statements = preview(world.datamap, world.sources, OURS, elsewhere=world.elsewhere(OURS))

        assert set(before) <= {statement.table for statement in statements}
        assert all(statement.text for statement in statements)
        assert world.held(OURS) == before

    def test_an_erasure_leaves_nothing_and_the_sibling_as_it_was(self, world: SourceWorld) -> None:
        """Not a row of ours, and every byte of theirs."""
        ours, siblings = world.held(OURS), world.held(SIBLING)

        result = _erase(world, RecordingFence())

        assert {table: result.tables[table] for table in ours} == _sizes(ours)
        assert not any(world.held(OURS).values())
        assert world.held(SIBLING) == siblings

    def test_every_chunk_goes_through_the_fence(self, world: SourceWorld) -> None:
        """Several chunks, each recorded with what it destroyed."""
        held = world.held(OURS)
        fence = RecordingFence()

        _erase(world, fence)

        for table, rows in held.items():
            recorded = [count for name, count in fence.recorded if name == table]
            assert sum(recorded) == len(rows)
            assert len(recorded) > 1

    def test_a_broken_fence_stops_the_work_and_the_rest_goes_later(
        self, world: SourceWorld
    ) -> None:
        """What stands behind a fence that does not open stays."""
        held, siblings = world.held(OURS), world.held(SIBLING)

        broken = _broken(world, RecordingFence(breaks_before=1))

        left = world.held(OURS)
        assert broken
        assert any(left.values())
        assert left != held
        _erase(world, RecordingFence())
        assert not any(world.held(OURS).values())
        assert world.held(SIBLING) == siblings

    def test_a_fence_that_never_opens_lets_nothing_go(self, world: SourceWorld) -> None:
        """Not even the first row."""
        before = world.held(OURS)

        broken = _broken(world, RecordingFence(breaks_before=0))

        assert broken
        assert world.held(OURS) == before

    def test_erasing_twice_is_erasing_once(self, world: SourceWorld) -> None:
        """The second run finds nothing to do."""
        _erase(world, RecordingFence())
        fence = RecordingFence()

        _erase(world, fence)

        assert sum(rows for _, rows in fence.recorded) == 0

    def test_a_verification_counts_what_is_there(self, world: SourceWorld) -> None:
        """Before, each thing; afterwards, none, in the same tables."""
        held = world.held(OURS)

        before = _verify(world)
        _erase(world, RecordingFence())
        after = _verify(world)

        assert {table: before.counts[table] for table in held} == _sizes(held)
        assert {table: after.counts[table] for table in held} == dict.fromkeys(held, 0)
        assert (before.clean, after.clean) == (False, True)

    def test_a_verification_finds_what_was_written_behind_the_deletion(
        self, world: SourceWorld
    ) -> None:
        """It asks the store, not the deletion."""
        elsewhere_only = bool(world.others)
        if elsewhere_only:
            _erase(world, RecordingFence())

        world.write_late(OURS)

        assert not _verify(world).clean

    def test_what_cannot_be_reached_is_never_empty(self, world: SourceWorld) -> None:
        """Export, digest, erasure and verification fail, and the check says so (L16)."""
        world.cut()

        for work in (_export, _digest, _verify, lambda it: _erase(it, RecordingFence())):
            assert isinstance(_error(work, world), Unavailable | Uncertain)
        assert _error(_check, world) is not None or _check(world)


def _sizes(held: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {table: len(rows) for table, rows in held.items()}


def _check(world: SourceWorld) -> tuple[Finding, ...]:
    return check(world.datamap, world.sources, world.others)


def _export(world: SourceWorld) -> tuple[dict[str, Any], Manifest]:
    sink = BytesIO()
    manifest = export(
        world.datamap,
        world.sources,
        OURS,
        sink,
        header={},
        taken_at=world.clock.now(),
        progress=_ignore,
        elsewhere=world.elsewhere(OURS),
    )
    return json.loads(sink.getvalue()), manifest


def _digest(world: SourceWorld) -> dict[str, TableDigest]:
    return digest(world.datamap, world.sources, OURS, elsewhere=world.elsewhere(OURS))


def _erase(world: SourceWorld, fence: RecordingFence) -> ErasureResult:
    tombstone = take_tombstone(world.datamap, world.sources, OURS, key=KEY, digests={})
    return erase(
        world.datamap,
        world.sources,
        OURS,
        key=KEY,
        fence=fence,
        elapsed=world.elapsed(),
        tombstone=tombstone,
        progress=_ignore,
        chunk_rows_max=CHUNK_ROWS_MAX,
        elsewhere=world.elsewhere(OURS),
    )


def _verify(world: SourceWorld) -> Verification:
    tombstone = take_tombstone(world.datamap, world.sources, OURS, key=KEY, digests={})
    return verify(
        world.datamap,
        world.sources,
        OURS,
        tombstone=tombstone,
        key=KEY,
        elsewhere=world.elsewhere(OURS),
    )


def _broken(world: SourceWorld, fence: RecordingFence) -> bool:
    try:
        _erase(world, fence)
    except FenceBroken:
        return True
    return False


def _error(work: Callable[[SourceWorld], object], world: SourceWorld) -> OfframpError | None:
    try:
        work(world)
    except OfframpError as error:
        return error
    return None


def _ignore(_table: str, _rows: int) -> None:
    """Tell nobody."""
