"""Files travel beside the document in a zip, and come back with it: all, or none."""

import io
import zipfile
from dataclasses import replace
from hashlib import sha256

import pytest
import sqlalchemy as sa

from offramp.core.errors import OfframpError
from offramp.data.handover.bundle import DOCUMENT, SUMS, BundleDamaged, write_bundle
from offramp.data.handover.export import export
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.files import FilesNotIncluded
from offramp.data.restoration.restore import restore
from offramp.data.sources.objects import READ_BYTES, FileInTheWay
from offramp.data.sources.source import FileChanged
from offramp.testing.source_world import OURS, SIBLING, SourceWorld
from tests.integration.data.sources.file_world import FILES, TABLE, FolderWorld, bucket_world
from tests.integration.data.sources.test_http import take as take_elsewhere


class Forward(io.RawIOBase):
    """A sink that cannot go back, as a pipe or a socket cannot."""

    def __init__(self):
        self.content = bytearray()

    def writable(self):
        return True

    def write(self, part):
        self.content += part
        return len(part)


@pytest.fixture(params=["folder", "bucket"])
def world(request, tmp_path):
    if request.param == "folder":
        return FolderWorld(folder=tmp_path)
    return bucket_world(tmp_path, request.getfixturevalue("bucket"))


def document(world, sink):
    return export(
        world.datamap,
        world.sources,
        OURS,
        sink,
        header={},
        taken_at=world.clock.now(),
        progress=lambda _table, _rows: None,
        elsewhere=world.elsewhere(OURS),
    )


def document_of(world):
    """Export the document alone, and give its rows and their digests."""
    sink = io.BytesIO()
    manifest = document(world, sink)
    return sink.getvalue(), manifest.digests()


def bundle(world, *, write=document):
    sink = Forward()
    write_bundle(
        sink,
        document=lambda inner: write(world, inner),
        elsewhere=world.elsewhere(OURS),
        taken_at=world.clock.now(),
    )
    return bytes(sink.content)


def keep(world, content, name="export.zip"):
    file = world.folder / name
    file.write_bytes(content)
    return file


def take_back(world, file, *, is_dry_run=False, progress=lambda _table, _rows: None):
    with open_document(file) as found:
        return restore(
            world.datamap,
            world.sources,
            found,
            seed=b"seed",
            progress=progress,
            is_dry_run=is_dry_run,
            others=world.others,
        )


def erase_all(world):
    """Let files and rows go."""
    take_elsewhere(world)
    with world.sources["app"].engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM users WHERE company_id = 1"))
        connection.execute(sa.text("DELETE FROM companies WHERE id = 1"))


def rows(world, scope):
    return SourceWorld.held(world, scope)


def whole(world, scope):
    return world.held(scope), rows(world, scope)


def damaged(content, change):
    """Write a zip again, entry by entry, with one thing changed."""
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(found, "w") as after:
        entries = {name: before.read(name) for name in before.namelist()}
        for name, text in change(entries).items():
            after.writestr(name, text)
    return found.getvalue()


def test_the_zip_holds_the_document_every_file_and_their_sums(world):
    with zipfile.ZipFile(io.BytesIO(bundle(world))) as archive:
        names = set(archive.namelist())
        sums = dict(
            reversed(line.split("  ", 1)) for line in archive.read(SUMS).decode().splitlines()
        )
        told = {name: sha256(archive.read(name)).hexdigest() for name in names - {SUMS}}

    assert names == {DOCUMENT, SUMS, *(f"files/further/{name}" for name in FILES)}
    assert sums == told


def test_nothing_of_a_sibling_is_in_it(world):
    with zipfile.ZipFile(io.BytesIO(bundle(world))) as archive:
        contents = [archive.read(name) for name in archive.namelist() if "files/" in name]

    assert sorted(contents) == sorted(content + b"1" for content in FILES.values())


def test_what_was_exported_and_erased_comes_back(world):
    before, siblings = whole(world, OURS), whole(world, SIBLING)
    file = keep(world, bundle(world))
    erase_all(world)

    result = take_back(world, file)

    assert whole(world, OURS) == before
    assert whole(world, SIBLING) == siblings
    assert (result.tables[TABLE].added, result.tables[TABLE].present) == (len(FILES), 0)


def test_taking_back_twice_is_taking_back_once(world):
    before = whole(world, OURS)
    file = keep(world, bundle(world))
    erase_all(world)
    take_back(world, file)

    again = take_back(world, file)

    assert whole(world, OURS) == before
    assert (again.tables[TABLE].added, again.tables[TABLE].present) == (0, len(FILES))


def test_a_dry_run_puts_nothing_back(world):
    file = keep(world, bundle(world))
    erase_all(world)
    gone = whole(world, OURS)

    result = take_back(world, file, is_dry_run=True)

    assert whole(world, OURS) == gone
    assert result.tables[TABLE].added == len(FILES)


def test_a_document_without_its_files_cannot_bring_them_back(world):
    sink = io.BytesIO()
    document(world, sink)
    file = keep(world, sink.getvalue(), "export.json")
    erase_all(world)
    gone = whole(world, OURS)

    with pytest.raises(FilesNotIncluded) as caught:
        take_back(world, file)

    assert caught.value.count == len(FILES)
    assert whole(world, OURS) == gone


def test_a_document_alone_is_enough_while_the_files_are_there(world):
    before = whole(world, OURS)
    sink = io.BytesIO()
    document(world, sink)
    file = keep(world, sink.getvalue(), "export.json")

    result = take_back(world, file)

    assert result.tables[TABLE].present == len(FILES)
    assert whole(world, OURS) == before


def test_another_file_in_the_way_leaves_everything_as_it_is(world):
    file = keep(world, bundle(world))
    erase_all(world)
    world.write_late(OURS)
    name = "report.pdf"
    if isinstance(world, FolderWorld):
        world.put(OURS, name, b"another")
    else:
        world.bucket.objects[world.root(OURS) + name] = b"another"
    there = whole(world, OURS)

    with pytest.raises(FileInTheWay):
        take_back(world, file)

    assert whole(world, OURS) == there


def test_whatever_fails_later_takes_away_what_was_put_back(world):
    file = keep(world, bundle(world))
    erase_all(world)
    gone = whole(world, OURS)

    def die(table, count):
        if table == TABLE and count == len(FILES):
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        take_back(world, file, progress=die)

    assert whole(world, OURS) == gone


def test_files_go_where_the_organization_is_now(tmp_path, bucket):
    world = bucket_world(tmp_path, bucket)
    before = world.held(OURS)
    file = keep(world, bundle(world))
    erase_all(world)
    with world.sources["app"].engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO companies VALUES (1, 'somebody-else')"))

    result = take_back(world, file)

    assert result.organization != "1"
    assert world.held(OURS) == {TABLE: []}
    assert world.held(replace(OURS, organization=result.organization)) == before


@pytest.mark.parametrize("entry", [DOCUMENT, "files/further/report.pdf"])
def test_a_zip_of_which_a_byte_was_changed_is_refused(world, entry):
    content = bundle(world)
    changed = damaged(content, lambda found: found | {entry: found[entry][:-1] + b"?"})

    with pytest.raises(BundleDamaged, match="does not match"):
        take_back(world, keep(world, changed))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda found: found | {"files/further/more": b"more"}, "no sum"),
        (lambda found: {n: t for n, t in found.items() if n != "files/further/empty"}, "missing"),
        (lambda found: {n: t for n, t in found.items() if n != SUMS}, "sums are missing"),
    ],
)
def test_a_zip_with_too_much_or_too_little_is_refused(world, change, reason):
    changed = damaged(bundle(world), change)

    with pytest.raises(BundleDamaged, match=reason):
        take_back(world, keep(world, changed))


def test_a_zip_that_was_cut_is_refused(world):
    content = bundle(world)

    with pytest.raises(BundleDamaged):
        take_back(world, keep(world, content[: len(content) // 2]))


def test_a_file_that_changes_while_files_are_read_makes_the_export_fail(world):
    def write(world, inner):
        manifest = document(world, inner)
        world.write_late(OURS)
        return manifest

    with pytest.raises(FileChanged) as caught:
        bundle(world, write=write)

    assert caught.value.retry


def test_a_name_with_a_backslash_or_a_line_break_keeps_its_sum(tmp_path):
    world = FolderWorld(folder=tmp_path)
    world.put(OURS, "a\\b.txt", b"backslash")
    before = whole(world, OURS)
    file = keep(world, bundle(world))
    erase_all(world)

    take_back(world, file)

    assert whole(world, OURS) == before


def test_a_file_that_is_read_in_several_parts_comes_back_whole(tmp_path, bucket):
    world = bucket_world(tmp_path, bucket)
    key = world.root(OURS) + "film.mp4"
    content = bytes(range(256)) * 4096 * 20
    bucket.objects[key] = content
    file = keep(world, bundle(world))
    erase_all(world)

    take_back(world, file)

    assert len(content) > READ_BYTES
    assert bucket.objects[key] == content


def test_what_comes_back_has_the_same_tags_and_types(tmp_path, bucket):
    world = bucket_world(tmp_path, bucket)
    _, before = document_of(world)
    file = keep(world, bundle(world))
    erase_all(world)

    take_back(world, file)

    assert document_of(world)[1] == before
    assert bucket.types["companies/1/report.pdf"] == "application/pdf"


def test_rows_of_a_service_are_told_as_not_given_back(asked):
    sink = io.BytesIO()
    document(asked, sink)
    file = keep(asked, sink.getvalue(), "export.json")

    result = take_back(asked, file)

    assert set(result.left_out) == {"further.contacts", "further.messages"}


def test_no_error_of_a_zip_quotes_a_name(world):
    changed = damaged(
        bundle(world), lambda found: {n: t for n, t in found.items() if "report" not in n}
    )

    with pytest.raises(OfframpError) as caught:
        take_back(world, keep(world, changed))

    assert "report" not in f"{caught.value} {caught.value.hint} {caught.value.attributes}"
