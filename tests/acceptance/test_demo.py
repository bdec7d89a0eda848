"""The demo, as a stranger runs it: both policies, on SQLite and on PostgreSQL, end to end.

It runs once for each database; what it leaves is judged row by row. The judges themselves are
judged too: take something out of the artefacts, and the row is not found any more.
"""

import fcntl
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from offramp.data.credential.token import CredentialForged
from offramp.data.proof.certificate import CertificateForged
from offramp.demo import grace_evidence, pool_evidence
from offramp.demo.artefact import Artefacts
from offramp.demo.evidence import Verdict
from offramp.demo.vendor import NOTES, TRAINING

ROOT = Path(__file__).parents[2]
DEMO_SECONDS_MAX = 300  # a machine with nothing else to do needs less than a minute
SHOWN = (
    "A1",
    "A2",
    "A3",
    "A4",
    "A5",
    "A6",
    "A7",
    "A8",
    "A9",
    "A10",
    "A11",
    "A12",
    "B1",
    "B2",
    "B3",
    "B4",
    "B5",
    "B6",
    "B7",
    "B8",
    "B9",
    "B10",
    "B11",
)
VENDORS = {"A": TRAINING, "B": NOTES}
JUDGES = {row.number: row.judge for row in (*pool_evidence.ROWS, *grace_evidence.ROWS)}


def run_demo(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "offramp", "demo", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS_MAX,
        check=False,
    )


def run_once(kind, request, tmp_path_factory, worker_id):
    """Run the demo once for all test processes, over what an earlier run has left.

    Returns:
        What it printed, for people on SQLite and as JSON on PostgreSQL, and its folder.
    """
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    out, printed = shared / f"demo-{kind}", shared / f"demo-{kind}.txt"
    with (shared / f"demo-{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            leftover(out).parent.mkdir(parents=True)
            leftover(out).write_text("From the run before")
            (out / ".offramp-demo").touch()
            options = ()
            if kind == "postgresql":
                options = ("--json", "--database", request.getfixturevalue("postgres_server"))
            done = run_demo("--out", out, *options)
            assert done.returncode == 0, done.stderr
            printed.write_text(done.stdout)
    return printed.read_text(), out


def leftover(out):
    return out / "license-pool" / "mail" / "9999.eml"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shown(request, tmp_path_factory, worker_id):
    """Give the folder that the demo filled, on each kind of database."""
    return run_once(request.param, request, tmp_path_factory, worker_id)[1]


@pytest.fixture(scope="session")
def answer(request, tmp_path_factory, worker_id):
    """Give what the demo answers a program."""
    return json.loads(run_once("postgresql", request, tmp_path_factory, worker_id)[0])


@pytest.fixture(scope="session")
def printed(request, tmp_path_factory, worker_id):
    """Give what the demo tells people."""
    return run_once("sqlite", request, tmp_path_factory, worker_id)[0]


@pytest.fixture
def altered(shown, tmp_path):
    """Give a copy of the artefacts that a test may alter."""
    return Path(shutil.copytree(shown, tmp_path / "altered"))


def judge(number, folder):
    vendor = VENDORS[number[0]]
    return JUDGES[number](Artefacts(folder / vendor.policy, vendor=vendor)).verdict


def change(file, edit):
    document = json.loads(file.read_text())
    edit(document)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize("number", SHOWN)
def test_the_artefacts_show_the_row(shown, number):
    """A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12, B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11."""
    assert judge(number, shown) is Verdict.SHOWN


def test_every_row_of_the_mission_is_judged(answer):
    rows = [f"A{n}" for n in range(1, 13)] + [f"B{n}" for n in range(1, 12)]

    assert [row["number"] for row in answer["rows"]] == rows
    assert sorted(SHOWN) == sorted(rows)
    assert {row["missing"] for row in answer["rows"]} == {""}


@pytest.mark.parametrize(
    ("number", "step"),
    [
        ("A3", "achievements"),
        ("A5", "expiring-soon"),
        ("A8", "company-data"),
        ("B8", "now-expired"),
    ],
)
def test_a_row_is_not_found_when_its_mails_are_not_there(altered, number, step):
    vendor = VENDORS[number[0]]
    play = Artefacts(altered / vendor.policy, vendor=vendor)
    for mail in play.mails_of(step)[:2]:
        (play.folder / mail.file).unlink()

    assert judge(number, altered) is Verdict.FAILED


@pytest.mark.parametrize(
    ("number", "file", "said", "otherwise"),
    [
        ("A7", "portal/organization.html", 'datetime="2024-09-22"', ""),
        ("A11", "kept.json", '"rows": 0', '"rows": 1'),
        ("A12", "portal/case.html", "I never got my certificates.", ""),
        ("A12", "cases.json", '"user"', '"operator"'),
        ("B9", "ledger.jsonl", '"own-copy-downloaded"', '"own-copy-failed"'),
        ("B11", "seats.json", '"taken": 15', '"taken": 17'),
    ],
)
def test_what_people_did_in_the_portal_is_not_found_when_it_did_not_happen(
    altered, number, file, said, otherwise
):
    path = altered / VENDORS[number[0]].policy / file
    text = path.read_text()
    assert said in text
    path.write_text(text.replace(said, otherwise))

    assert judge(number, altered) is Verdict.FAILED


def test_what_was_kept_is_not_found_gone_without_its_certificate(altered):
    """A11."""
    (altered / TRAINING.policy / "certificates" / "kept-rows-1.json").unlink()

    assert judge("A11", altered) is Verdict.FAILED


def test_a_comeback_is_not_found_when_one_value_came_back_changed(altered):
    file = altered / TRAINING.policy / "export" / "company-data-again.json"
    document = json.loads(file.read_bytes())
    next(iter(document["data"].values()))[0]["id"] = 4711
    file.write_text(json.dumps(document))

    assert judge("A9", altered) is Verdict.FAILED


@pytest.mark.parametrize(("number", "level"), [("A2", "full"), ("B3", "full"), ("B5", "read-only")])
def test_a_row_is_not_found_when_the_product_would_have_let_somebody_in(altered, number, level):
    file = altered / VENDORS[number[0]].policy / "access.json"

    def open_up(probes):
        for probe in probes:
            if probe["level"] == "none" and probe["who"] == "a user":
                probe["level"] = level

    change(file, open_up)

    assert judge(number, altered) is Verdict.FAILED


@pytest.mark.parametrize(
    ("number", "answered", "otherwise"),
    [
        ("A1", 403, 200),
        ("A2", 403, 200),
        ("A10", 401, 200),
        ("B2", 201, 403),
        ("B3", 403, 201),
        ("B5", 403, 200),
        ("B6", 401, 200),
    ],
)
def test_a_row_is_not_found_when_the_application_answers_otherwise_over_http(
    altered, number, answered, otherwise
):
    file = altered / VENDORS[number[0]].policy / "visits.json"

    def answer(visits):
        for visit in visits:
            for reply in visit["replies"]:
                if reply["status"] == answered:
                    reply["status"] = otherwise

    change(file, answer)

    assert judge(number, altered) is Verdict.FAILED


def test_the_application_says_at_every_stage_why_and_until_when(shown):
    play = Artefacts(shown / NOTES.policy, vendor=NOTES)
    told = {
        (visit["at"][:10], reply["status"], reply["stage"], reply["until"])
        for visit in play.visits
        if visit["who"] == "an admin"
        for reply in visit["replies"]
        if reply["request"] == "sign in"
    }

    assert told == {
        ("2024-08-30", 200, "active", "2024-08-30T23:00:00Z"),
        ("2024-08-30", 200, "expired", "2024-11-29T00:00:00Z"),
        ("2024-11-28", 200, "expired", "2024-11-29T00:00:00Z"),
        ("2024-11-29", 403, "deactivated", "2025-08-30T23:00:00Z"),
        ("2025-08-30", 403, "marked-for-deletion", "2025-08-31T01:00:00Z"),
        ("2025-10-10", 401, None, None),
    }


@pytest.mark.parametrize("number", ["A10", "B6"])
@pytest.mark.parametrize("file", ["siblings.json", "own-tables.json", "ledger.jsonl"])
def test_a_deletion_is_not_found_when_its_proof_is_spoiled(altered, number, file):
    path = altered / VENDORS[number[0]].policy / file
    text = path.read_text()
    spoiled = {
        "siblings.json": re.sub(r'"sha256": "\w', '"sha256": "x', text, count=1),
        "own-tables.json": re.sub(r'"found": 0', '"found": 1', text, count=1),
        "ledger.jsonl": "".join(text.splitlines(keepends=True)[1:]),
    }[file]
    assert spoiled != text
    path.write_text(spoiled)

    assert judge(number, altered) is Verdict.FAILED


def test_a_certificate_of_which_a_byte_was_changed_is_refused(altered):
    file = altered / TRAINING.policy / "certificate.json"
    file.write_bytes(file.read_bytes().replace(b'"app.users":60', b'"app.users":61'))

    with pytest.raises(CertificateForged):
        judge("A10", altered)


def test_a_credential_that_was_altered_is_refused(altered):
    play = Artefacts(altered / TRAINING.policy, vendor=TRAINING)
    keys = play.folder / "credentials" / "jwks.json"

    def forge(document):
        document["keys"][0]["x"] = "A" * 43

    change(keys, forge)

    with pytest.raises(CredentialForged):
        judge("A3", altered)


def test_the_story_names_nobody(shown):
    for vendor in VENDORS.values():
        play = Artefacts(shown / vendor.policy, vendor=vendor)
        told = json.dumps(play.story, ensure_ascii=False) + json.dumps(play.ledger)

        assert [m for m in play.members if m["name"] in told or m["email"] in told] == []


def test_the_report_needs_nothing_else_and_every_link_in_it_leads_somewhere(shown):
    page = (shown / "report.html").read_text()

    links = [link for link in re.findall(r'href="([^"#][^"]*)"', page)]
    loaded = re.findall(r'(?:src|poster|data)="([^"]*)"', page) + re.findall(r"url\((.*?)\)", page)

    assert len(links) > 40
    assert [link for link in links if not (shown / link).exists()] == []
    assert [source[:40] for source in loaded if not source.startswith("data:image/svg+xml")] == []


def test_a_folder_that_the_demo_has_not_made_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")

    done = run_demo("--out", tmp_path)

    assert (done.returncode, [f.name for f in tmp_path.iterdir()]) == (3, ["thesis.txt"])
    assert "left alone" in done.stderr


@pytest.mark.parametrize(
    ("url", "exit_code"),
    [
        ("sqlite:///some.sqlite", 2),
        ("postgresql://nobody@127.0.0.1:9/nothing", 5),
        ("no url at all", 2),
    ],
)
def test_a_database_that_will_not_do_is_one_message_and_clears_nothing(tmp_path, url, exit_code):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".offramp-demo").touch()
    (out / "report.html").write_text("of the run before")

    done = run_demo("--out", out, "--database", url)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith("error: ")
    assert (out / "report.html").read_text() == "of the run before"


def test_a_wheel_carries_the_sample_applications_and_the_page(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    samples = {f"offramp/samples/examples/{v.package}/generate.py" for v in VENDORS.values()}
    assert samples | {"offramp/demo/templates/report.html.j2"} <= names


def test_a_second_run_starts_clean(shown):
    assert not leftover(shown).exists()


def test_people_are_told_how_many_promises_were_seen(printed):
    assert "Everything deleted and verified" in printed
    assert f"{len(SHOWN)} promises: {len(SHOWN)} shown" in printed.replace("\n", " ")
