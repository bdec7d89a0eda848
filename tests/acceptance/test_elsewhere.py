"""A company leaves whose data is also in a folder of files and at a service (A8, A10, L16).

The whole way is walked, in virtual time: both take part in the export, in the comparison before the
deletion, in the deletion itself chunk by chunk, in the verification, and in the certificate.
"""

import json
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from offramp.core.transitions import StepStatus
from offramp.data.proof.certificate import public_key_of, verify_certificate
from offramp.data.sources.wire import read_secrets
from offramp.engine.brake import place_hold, release_hold
from offramp.engine.handover import Request, hand_over, preview_erasure
from offramp.testing.participant import TABLES, Fault, Participant, serve
from tests.acceptance.departure import TRAINING, Departure, depart

SIBLING, LEAVING = "1", "2"
SECRET = "whsec_" + "c2VjcmV0" * 5
ELSEWHERE = """\
  files: {kind: objects, url: "%s", prefix: "companies/{companies.slug}/"}
  crm: {kind: http, url: "%s", secret: "env:CRM_SECRET"}
tables:
"""
TAKING_PART = ("files.objects", *(f"crm.{table}" for table in TABLES))
FILES_EACH, ROWS_EACH = 7, 5


@dataclass
class Abroad:
    """What lies outside of the database: files by the slug of a company, rows by its key."""

    departure: Departure
    files: Path
    participant: Participant

    def slug(self, organization):
        (company,) = self.departure.belongings(organization)["companies"]
        return company["slug"]

    def folder(self, organization):
        return self.files / "companies" / self.slug(organization)

    def fill(self, organization):
        for number in range(FILES_EACH):
            file = self.folder(organization) / f"course {number % 2}" / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{organization} {number}")
        self.participant.held[organization] = {
            table: [{"id": n, "of": organization} for n in range(ROWS_EACH)] for table in TABLES
        }

    def held(self, organization):
        paths = sorted(self.folder(organization).rglob("*.txt"))
        rows = self.participant.held[organization]
        return [path.read_bytes() for path in paths], json.dumps(rows)

    def vault(self, pattern):
        return sorted((self.departure.folder / "offramp" / "vault").rglob(pattern))

    def certificate(self):
        (file,) = self.vault("certificate.json")
        key = self.departure.context.keys.signing_key()
        return verify_certificate(file.read_bytes(), public_key=public_key_of(key))


@contextmanager
def going_abroad(folder, request):
    """Stand at the beginning of a departure whose data map names two further sources."""
    files, participant = folder / "files", Participant(seal=read_secrets(SECRET), now=lambda: None)
    files.mkdir()
    with serve(participant) as address, pytest.MonkeyPatch.context() as environment:
        environment.setenv("CRM_SECRET", SECRET)
        text = TRAINING.datamap.read_text("utf-8")
        datamap = folder / "datamap.yaml"
        named = ELSEWHERE % (files.as_uri(), address)
        datamap.write_text(text.replace("\ntables:\n", f"\n{named}", 1), "utf-8")
        with depart(TRAINING, "sqlite", folder, request, datamap=datamap) as departure:
            participant.now = lambda: departure.now.to_stdlib()
            abroad = Abroad(departure=departure, files=files, participant=participant)
            for organization in (SIBLING, LEAVING, "3", "4"):
                abroad.fill(organization)
            yield abroad


@pytest.fixture
def abroad(tmp_path, request):
    with going_abroad(tmp_path, request) as found:
        yield found


def test_files_and_services_leave_with_their_company(abroad):
    slug, sibling = abroad.slug(LEAVING), abroad.held(SIBLING)

    abroad.departure.run_until("2024-11-15T00:00:00Z")

    certificate = abroad.certificate()
    assert not (abroad.files / "companies" / slug).exists()
    assert not any(abroad.participant.held[LEAVING].values())
    assert abroad.held(SIBLING) == sibling
    counts = certificate["verification"]["counts"]
    assert {name: certificate["tables"][name] for name in TAKING_PART} == {
        "files.objects": FILES_EACH,
        **{f"crm.{table}": ROWS_EACH for table in TABLES},
    }
    assert {name: counts[name] for name in TAKING_PART} == dict.fromkeys(TAKING_PART, 0)
    assert {receipt["source"] for receipt in certificate["receipts"]} == {"crm"}
    assert any("crm" in words for words in certificate["not_verified"])


def test_no_proof_names_the_folder_that_is_gone(abroad):
    slug = abroad.slug(LEAVING)

    abroad.departure.run_until("2024-11-15T00:00:00Z")

    proofs = [path.read_text("utf-8") for path in abroad.vault("*.json")]
    assert proofs
    assert [text for text in proofs if f'"{slug}"' in text] == []


def test_rows_that_a_service_gets_late_go_again(abroad):
    departure = abroad.departure
    departure.run_until("2024-10-01T00:00:00Z")
    certificate = abroad.certificate()
    abroad.participant.held[LEAVING]["contacts"].append({"id": 99, "of": LEAVING})

    departure.run_until("2024-12-31T00:00:00Z")

    assert certificate == abroad.certificate()
    assert not any(abroad.participant.held[LEAVING].values())


def test_a_file_that_came_after_the_export_is_handed_over_before_it_goes(abroad):
    departure = abroad.departure
    departure.run_until("2024-09-25T00:00:00Z")
    (abroad.folder(LEAVING) / "late.txt").write_text("late")

    departure.run_until("2024-11-15T00:00:00Z")

    issues = {row.issue for (_, key), row in departure.steps(LEAVING).items() if "data" in key}
    assert issues == {2}
    assert abroad.certificate()["tables"]["files.objects"] == FILES_EACH + 1


def test_a_service_that_refuses_stops_the_deletion_and_nothing_is_certified(abroad):
    departure = abroad.departure
    departure.run_until("2024-09-25T00:00:00Z")
    users = len(departure.belongings(LEAVING)["users"])
    abroad.participant.faults = [Fault.REDIRECTED] * 10_000

    departure.run_until("2024-11-15T00:00:00Z")

    assert abroad.vault("certificate.json") == []
    assert len(departure.belongings(LEAVING)["users"]) == users
    statuses = {row.status for row in departure.steps(LEAVING).values()}
    assert StepStatus.ABANDONED in statuses


def test_what_may_be_of_a_held_category_waits_until_it_is_released(abroad):  # L25
    departure, before = abroad.departure, abroad.held(LEAVING)
    hold = place_hold(
        departure.context,
        LEAVING,
        owner="counsel@vendor.example",
        reason="litigation",
        category="user.behavior",
    )

    departure.run_until("2024-10-15T00:00:00Z")
    held = abroad.held(LEAVING)
    (part,) = abroad.vault("certificate-held-*.json")
    release_hold(departure.context, hold.id)
    departure.run_until("2024-11-15T00:00:00Z")

    said = json.loads(part.read_text("utf-8"))["certificate"]
    assert held == before
    assert said["waiting_elsewhere"] == ["files", "crm"]
    assert abroad.certificate()["tables"]["files.objects"] == FILES_EACH
    assert not any(abroad.participant.held[LEAVING].values())


def test_an_export_by_hand_and_a_dry_run_name_what_takes_part(abroad, tmp_path):
    context, asked = abroad.departure.context, Request(organization=LEAVING)
    before = abroad.held(LEAVING)

    with (tmp_path / "export.json").open("wb") as sink:
        manifest = hand_over(context, asked, sink)
    statements = preview_erasure(context, asked)

    document = json.loads((tmp_path / "export.json").read_text("utf-8"))
    assert {name: manifest.tables[name].rows for name in TAKING_PART} == {
        name: len(document["data"][name]) for name in TAKING_PART
    }
    assert set(TAKING_PART) <= {statement.table for statement in statements}
    assert abroad.held(LEAVING) == before


def test_an_export_by_hand_takes_the_files_along_when_asked(abroad, tmp_path):
    asked = Request(organization=LEAVING, with_files=True)

    with (tmp_path / "export.zip").open("wb") as sink:
        hand_over(abroad.departure.context, asked, sink)

    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        files = [name for name in archive.namelist() if name.startswith("files/files/")]
    assert len(files) == FILES_EACH
