"""A9 and A11 on both databases: what was sent is enough to resume, and what is kept goes in time.

A company leaves, and the years go by: its invoices are kept for ten years, each from its own date.
In the end the company comes back with the file that its administrators were sent.
"""

import json
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from whenever import Date

from offramp.data.handover.export import digest
from offramp.data.proof.certificate import public_key_of, verify_certificate
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.restore import restore
from offramp.data.scope import Scope
from offramp.engine.archive import proof_name
from offramp.engine.brake import place_hold, release_hold
from offramp.engine.kept import list_kept
from offramp.engine.offboarding import renew
from offramp.engine.proof import verify_ledger
from tests.acceptance.departure import KINDS, TRAINING, depart

SIBLING, LEAVING = "1", "2"
DEADLINES = ("2032-08-31T22:59:59Z", "2032-08-31T23:00:00Z", "2033-08-31T23:00:00Z")


@dataclass
class Years:
    """What was seen while the years went by."""

    before: dict
    sibling: str
    kept: list = field(default_factory=list)  # (instant, ids of the invoices that are still there)
    listed: list = field(default_factory=list)
    held: list = field(default_factory=list)
    certificates: list = field(default_factory=list)
    swept: list = field(default_factory=list)
    sent: dict = field(default_factory=dict)
    back: dict = field(default_factory=dict)
    siblings: list = field(default_factory=list)


def invoices_of(departure, ids):
    table = sa.table("invoices", sa.column("id"))
    with departure.engine.connect() as connection:
        return sorted(connection.scalars(sa.select(table.c.id).where(table.c.id.in_(ids))))


def certificates_of(departure, offboarding, names):
    key = public_key_of(departure.context.keys.signing_key())
    for name in names:
        with departure.context.vault.read(proof_name(offboarding, name)) as source:
            yield verify_certificate(source.read(), public_key=key)


def sent_document(departure):
    """Give the file that the administrators got."""
    (message, *_) = [m for day, _, m in departure.mail if day == "2024-09-22"]
    (attachment,) = message.iter_attachments()
    file = departure.folder / "sent.json"
    file.write_bytes(attachment.get_content())
    return file


@pytest.fixture(scope="module", params=KINDS)
def years(request, tmp_path_factory):
    """Live through ten years on one kind of database, and then let the company come back."""
    folder = tmp_path_factory.mktemp(f"years-{request.param}")
    with depart(TRAINING, request.param, folder, request) as departure:
        renew(departure.context, SIBLING, until=Date(2040, 1, 31))
        belongings = departure.belongings(LEAVING)
        years = Years(before=belongings, sibling=repr(departure.belongings(SIBLING)))
        ids = [row["id"] for row in belongings["invoices"]]
        departure.run_until("2024-12-31T00:00:00Z")
        years.listed = [each.group for each in list_kept(departure.context, LEAVING)]
        for deadline in DEADLINES[:2]:
            departure.run_until(deadline)
            years.kept.append((deadline, invoices_of(departure, ids)))
        hold = place_hold(departure.context, LEAVING, owner="legal", reason="a dispute")
        departure.run_until(DEADLINES[2])
        years.held = invoices_of(departure, ids)
        release_hold(departure.context, hold.id)
        departure.run_until(DEADLINES[2])
        years.kept.append((DEADLINES[2], invoices_of(departure, ids)))
        with departure.context.store.transaction() as transaction:
            ledger = [entry.event for entry in transaction.ledger()]
            (row,) = [r for r in transaction.offboardings(LEAVING) if not r.subject.member]
        years.swept = [e for e in ledger if e.kind == "retention-swept" and e.offboarding == row.id]
        names = [event.detail["certificate"].split("/")[-1][:-5] for event in years.swept]
        years.certificates = list(certificates_of(departure, row.id, ["certificate", *names]))
        verify_ledger(departure.context)
        years.siblings.append(repr(departure.belongings(SIBLING)))
        come_back(departure, years)
        yield years


def come_back(departure, years):
    """Read the file in that was sent, and export what is there then."""
    file = sent_document(departure)
    years.sent = json.loads(file.read_text("utf-8"))
    data = departure.context.data
    with open_document(file) as document:
        restore(
            data.datamap,
            data.sources,
            document,
            seed=bytes(32),
            progress=lambda table, rows: None,
        )
    found = digest(data.datamap, data.sources, Scope(organization=LEAVING))
    years.back = {table: (each.rows, each.sha256) for table, each in found.items()}
    years.siblings.append(repr(departure.belongings(SIBLING)))


def test_a9_the_file_that_was_sent_is_enough_to_resume_even_years_later(years):
    """A9: read in again, every table gives the very digests that the file says."""
    said = years.sent["manifest"]["tables"]

    assert sum(rows for rows, _ in years.back.values()) > 100
    assert years.back == {table: (entry["rows"], entry["sha256"]) for table, entry in said.items()}


def test_a11_what_stays_is_listed_with_its_reason_and_the_end_of_each_group(years):
    """A11: by table and last day, in the certificate and for whoever asks."""
    (retained,) = years.certificates[0]["retained"]

    assert retained == {
        "table": "app.invoices",
        "rows": 3,
        "basis": "tax law, 10 years",
        "until": "issued_on + P10Y",
        "ends": {"2032-08-31": 1, "2033-08-31": 2},
    }
    assert [(str(group.ends_at), group.rows) for group in years.listed] == [
        ("2032-08-31T23:00:00Z", 1),
        ("2033-08-31T23:00:00Z", 2),
    ]


def test_a11_each_row_goes_when_its_own_time_is_over_and_not_a_second_before(years):
    """A11, L1: ten calendar years from its date, to the end of that day where the company was."""
    ids = sorted(row["id"] for row in years.before["invoices"])

    assert [left for _, left in years.kept] == [ids, ids[1:], []]


def test_a11_a_hold_keeps_them_and_its_release_lets_them_go(years):
    """A11, L25: after the organization has gone as well."""
    assert len(years.held) == 2


def test_a11_a_sweep_is_certified_and_on_record(years):
    """A11, L28."""
    supplements = years.certificates[1:]

    assert [each["certificate"] for each in supplements] == ["retention", "retention"]
    assert [each["tables"] for each in supplements] == [{"app.invoices": 1}, {"app.invoices": 2}]
    assert all(each["left"] == [] for each in supplements)
    assert [event.detail["rows"] for event in years.swept] == [1, 2]


def test_a11_the_sibling_stays_byte_identical_through_all_the_years(years):
    """A11, L42: its invoices are as old."""
    assert len(years.sibling) > 1000
    assert set(years.siblings) == {years.sibling}
