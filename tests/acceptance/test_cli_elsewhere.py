"""The commands that need a data map alone, where files and a kind of somebody else take part."""

import json
import shutil
import zipfile

import pytest

from tests.acceptance.installation import DATAMAP, LEAVING, SIBLING, Installation

MAP = ("--map", "map.yaml")
WHOSE = (*MAP, "--organization", LEAVING)
SOURCES = """\
  files: {kind: objects, url: "env:FILES_URL", prefix: "companies/{companies.id}/"}
  logos: {kind: objects, url: "env:FILES_URL", prefix: "logos/{companies.slug}/"}
tables:
"""
OF_SOMEBODY_ELSE = "  notes: {kind: shelf, file: shelf.json}\ntables:\n"
# A kind as somebody else would ship it: a module, and an entry point in its package's metadata.
SHELF = '''
"""Notes in one file of JSON, by the key of their organization."""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from offramp.data.sources.source import Shape


class ShelfSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["shelf"]
    file: str


class Shelf:
    def __init__(self, name, file):
        self.name, self.file = name, Path(file)

    def covers(self, scope):
        return scope.member is None and scope.product is None

    def columns(self, scope):
        return ()

    def check(self):
        json.loads(self.file.read_text())

    def tables(self, errand):
        return {"note": Shape(columns={"text": "text"}, schema={"type": "object"})}

    def lines(self, errand, table):
        for note in json.loads(self.file.read_text()).get(errand.scope.organization, []):
            yield json.dumps({"text": note}).encode() + b"\\n"

    def preview(self, errand):
        return [("note", "forget the notes")]

    def erase(self, errand, table, *, fence, pace):
        with fence.chunk(f"{self.name}.{table}") as record:
            held = json.loads(self.file.read_text())
            gone = held.pop(errand.scope.organization, [])
            self.file.write_text(json.dumps(held))
            record.record(rows=len(gone))
        yield len(gone)

    def count(self, errand):
        held = json.loads(self.file.read_text())
        return {"note": len(held.get(errand.scope.organization, []))}

    def unseen(self):
        return None

    def close(self):
        pass


class ShelfKind:
    spec = ShelfSpec

    def open(self, name, spec, *, tools):
        return Shelf(name, spec.file)
'''


@pytest.fixture
def vendor(vendor_folder, tmp_path):
    """A folder with the vendor's database, files of two companies, and a map of both."""
    shutil.copy(vendor_folder / "app.sqlite", tmp_path)
    lonely = Installation(tmp_path, {"FILES_URL": (tmp_path / "store").as_uri()})
    for organization in (SIBLING, LEAVING):
        lonely.say("export", "--map", DATAMAP, organization, "--out", "plain.json")
        (company,) = json.loads((tmp_path / "plain.json").read_text())["data"]["companies"]
        put(lonely, f"companies/{organization}/report.txt", organization)
        put(lonely, f"companies/{organization}/deep/er.txt", organization * 2)
        put(lonely, f"logos/{company['slug']}/logo.png", organization)
    write_map(lonely, SOURCES)
    return lonely


def write_map(lonely, sources):
    text = DATAMAP.read_text("utf-8").replace("\ntables:\n", f"\n{sources}", 1)
    (lonely.folder / "map.yaml").write_text(text, "utf-8")


def put(lonely, key, content):
    file = lonely.folder / "store" / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def files_of(lonely):
    """Give every file of the store with its content."""
    root = lonely.folder / "store"
    found = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_text() for path in found}


def test_files_go_with_their_organization_and_come_back_from_the_zip(vendor):  # A9, A10
    before = files_of(vendor)
    vendor.say("export", *WHOSE, "--out", "data.zip")

    erase = ("erase", *WHOSE, "--certificate", "gone.json", "--export", "data.zip", "--yes")
    vendor.say(*erase)
    gone = files_of(vendor)
    left = vendor.ask("verify", *WHOSE, "--export", "data.zip")
    vendor.say("restore", "data.zip", *MAP)

    assert {name for name in before if name not in gone} == {
        name for name, content in before.items() if content in (LEAVING, LEAVING * 2)
    }
    assert left["verification"]["counts"]["files.objects"] == 0
    assert left["verification"]["elsewhere"] == ["files.objects"]
    assert any("logos" in words and "forgotten" in words for words in left["not_verified"])
    assert files_of(vendor) == before


def test_the_certificate_counts_the_files(vendor):  # L28
    vendor.say("export", *WHOSE, "--out", "data.json")

    erase = ("erase", *WHOSE, "--certificate", "gone.json", "--export", "data.json", "--yes")
    vendor.say(*erase)

    said = json.loads((vendor.folder / "gone.json").read_text())["certificate"]
    assert (said["tables"]["files.objects"], said["tables"]["logos.objects"]) == (2, 1)
    assert any("files.objects" in words for words in said["verified"])


def test_a_file_that_was_not_handed_over_stops_the_erasure(vendor):
    vendor.say("export", *WHOSE, "--out", "data.zip")
    put(vendor, f"companies/{LEAVING}/late.txt", "late")
    before = files_of(vendor)

    erase = ("erase", *WHOSE, "--certificate", "gone.json", "--export", "data.zip", "--yes")
    finished = vendor.run(*erase)

    assert finished.code == 3
    assert "files.objects" in finished.err
    assert files_of(vendor) == before


def test_a_zip_is_read_by_any_tool(vendor):
    vendor.say("export", *WHOSE, "--out", "data.zip")

    with zipfile.ZipFile(vendor.folder / "data.zip") as archive:
        names = archive.namelist()
        data = json.loads(archive.read("data.json"))["data"]

    assert {"data.json", "SHA256SUMS", "files/files/report.txt", "files/files/deep/er.txt"} <= {
        *names
    }
    assert [row["key"] for row in data["files.objects"]] == ["deep/er.txt", "report.txt"]


def test_the_check_of_a_map_looks_at_every_source(vendor):
    good = vendor.run("map", "check", "map.yaml")
    shutil.move(vendor.folder / "store", vendor.folder / "moved")

    bad = vendor.run("map", "check", "map.yaml")

    assert (good.code, bad.code) == (0, 5)
    assert "files" in bad.err


def test_a_map_is_shown_with_what_goes_before_its_tables(vendor):
    first, second, *_ = vendor.ask("map", "show", "map.yaml")

    assert [(each["table"], each["number"]) for each in (first, second)] == [
        ("files.*", 0),
        ("logos.*", 0),
    ]
    assert first["way"][-1] == "companies/{companies.id}/"


def test_a_dry_run_names_the_files_first(vendor):  # L27
    before = files_of(vendor)

    statements = vendor.ask("erase", *WHOSE, "--dry-run")

    assert [each["table"] for each in statements[:2]] == ["files.objects", "logos.objects"]
    assert files_of(vendor) == before


def test_a_kind_of_somebody_else_takes_part(vendor):
    package = vendor.folder / "packages"
    (package / "shelf-1.0.dist-info").mkdir(parents=True)
    (package / "shelf.py").write_text(SHELF)
    metadata = package / "shelf-1.0.dist-info"
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    points = "[offramp.sources]\nshelf = shelf:ShelfKind\n"
    (metadata / "entry_points.txt").write_text(points)
    vendor.settings["PYTHONPATH"] = str(package)
    (vendor.folder / "shelf.json").write_text(json.dumps({SIBLING: ["a"], LEAVING: ["b", "c"]}))
    write_map(vendor, OF_SOMEBODY_ELSE)

    vendor.say("map", "check", "map.yaml")
    vendor.say("export", *WHOSE, "--out", "data.json")
    vendor.say("erase", *WHOSE, "--certificate", "gone.json", "--export", "data.json", "--yes")

    data = json.loads((vendor.folder / "data.json").read_text())["data"]
    said = json.loads((vendor.folder / "gone.json").read_text())["certificate"]
    assert data["notes.note"] == [{"text": "b"}, {"text": "c"}]
    assert said["tables"]["notes.note"] == 2
    assert json.loads((vendor.folder / "shelf.json").read_text()) == {SIBLING: ["a"]}


def test_a_kind_that_nobody_ships_is_told(vendor):
    write_map(vendor, OF_SOMEBODY_ELSE)

    finished = vendor.run("map", "check", "map.yaml")

    assert finished.code == 2
    assert "sources.notes.kind" in finished.err
