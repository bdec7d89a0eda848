"""The rows of the license-pool policy, on both databases, with real mail: A1-A3, A5, A6, A8, A10.

One company leaves on 2024-08-30, one keeps half of its pools, two stay. The months are lived once
for each kind of database; every row of the contract is then read off what was left behind.
"""

import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from itertools import chain

import pypdf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3Verifier
from whenever import Instant

from offramp.core.model import Role
from offramp.core.policy import Capability
from offramp.core.transitions import OffboardingStatus
from offramp.data.credential.issuer import Issuer, published_files
from offramp.data.credential.reading import read_keys, tokens_in
from offramp.data.credential.token import verify_credential
from offramp.engine.access import may
from tests.acceptance.departure import KINDS, TRAINING, Departure, depart, dump
from tests.acceptance.installation import Installation
from tests.archive import faults

SIBLING, LEAVING, HALF_LEAVING = "1", "2", "3"
LAST_SECOND = Instant.parse_iso("2024-08-30T22:59:59Z")
MIDNIGHT = Instant.parse_iso("2024-08-30T23:00:00Z")
SESSIONS = "sign_in_sessions"
KEPT = "invoices"  # what the data map keeps, as tax law asks


@dataclass(frozen=True)
class Story:
    """What was seen while the months went by."""

    departure: Departure
    before: dict
    sibling_before: dict
    members: tuple
    access: dict
    names: frozenset
    all_before: dict


def names_of(departure, organization):
    """Collect what tells who a company and its people are, unless others are called that too."""

    def called(each):
        return {
            text.casefold()
            for member in departure.members(each)
            for text in (member.email, member.name)
        }

    (company,) = departure.belongings(organization)["companies"]
    others = called(SIBLING) | called(HALF_LEAVING) | called("4")
    own = called(organization) | {company["name"].casefold(), company["slug"]}
    return frozenset(own - others)


def everybody_may(departure, organization, now):
    store = departure.context.store
    return {
        member.id: may(
            store, organization, member.id, Capability.SIGN_IN, surface="app", now=now
        ).is_allowed
        for member in departure.members(organization)
    }


@pytest.fixture(scope="module", params=KINDS)
def story(request, tmp_path_factory):
    """Live through the months on one kind of database."""
    folder = tmp_path_factory.mktemp(f"license-pool-{request.param}")
    with depart(TRAINING, request.param, folder, request) as departure:
        told = Story(
            departure=departure,
            before=departure.belongings(LEAVING),
            sibling_before=departure.belongings(SIBLING),
            members=departure.members(LEAVING),
            access={
                (organization, now): everybody_may(departure, organization, now)
                for organization in (SIBLING, LEAVING, HALF_LEAVING)
                for now in (LAST_SECOND, MIDNIGHT)
            },
            names=names_of(departure, LEAVING),
            all_before=dump(departure.engine),
        )
        departure.run_until("2024-12-31T00:00:00Z")
        yield told


def admins(story):
    return {member.email for member in story.members if Role.ADMIN in member.roles}


def test_a1_who_has_a_seat_in_another_live_pool_keeps_access_and_the_others_lose_it(story):
    """A1: seats, not companies, decide."""
    departure = story.departure
    with departure.context.store.transaction() as transaction:
        live = {
            pool.id for pool in transaction.pools(HALF_LEAVING) if str(pool.ends) > "2024-08-30"
        }
    seated = {m.id for m in departure.members(HALF_LEAVING) if m.pools & live}
    unseated = {m.id for m in departure.members(HALF_LEAVING) if m.pools and not m.pools & live}

    access = everybody_may(departure, HALF_LEAVING, Instant.parse_iso("2024-08-31T12:00:00Z"))

    assert seated
    assert unseated
    assert all(access[member] for member in seated)
    assert not any(access[member] for member in unseated)


def test_a1_a_company_leaves_with_its_last_pool_and_not_before(story):
    """A1, L11: the half-leaving company is neither warned nor emptied."""
    departure = story.departure
    admins_there = {m.email for m in departure.members(HALF_LEAVING) if Role.ADMIN in m.roles}
    without_seat = {m.email for m in departure.members(HALF_LEAVING) if len(m.pools) == 1}

    written_to = {to for _, to, _ in departure.mail}

    assert not (admins_there - without_seat) & written_to
    assert departure.steps(HALF_LEAVING) == {}
    assert len(departure.belongings(HALF_LEAVING)["users"]) == len(departure.members(HALF_LEAVING))


def test_a2_access_lasts_to_the_end_of_the_last_day_with_no_worker_running_at_all(story):
    """A2, L1: asked before any worker has ever run; the answer is a matter of time alone."""
    last_second = story.access[LEAVING, LAST_SECOND]
    midnight = story.access[LEAVING, MIDNIGHT]

    seated = {m.id for m in story.members if m.pools}
    assert seated
    assert all(last_second[member] for member in seated)
    assert not any(midnight.values())
    assert story.access[SIBLING, LAST_SECOND] == story.access[SIBLING, MIDNIGHT]


def oracle_for(public_key):
    """Give the verifier of an independent implementation that trusts one key."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return OB3Verifier(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_a3_every_user_gets_every_achievement_signed_and_it_stands_when_all_else_is_gone(story):
    """A3, L13: checked after the deletion, with the published keys and by another's program."""
    departure = story.departure
    keys = departure.context.keys.public_keys()
    published = published_files(Issuer(name="Vendor"), keys)["jwks.json"]
    oracle = oracle_for(keys[0])
    names = {member.email: member.name for member in story.members}

    earned = []
    for day, address, message in departure.mail:
        for part in message.iter_attachments():
            if part.get_filename() == "open-badges.json" and address in names:
                content = part.get_payload(decode=True)
                for token in tokens_in(content, file="open-badges.json"):
                    said = verify_credential(token, public_keys=read_keys(published, file="jwks"))
                    assert oracle.verify(token).achievement.name == said["name"]
                    assert said["credentialSubject"]["identifier"][0]["identityHash"]
                    earned.append((day, said["name"]))

    courses = {row["id"]: row["title"] for row in story.all_before["courses"]}
    taken = {row["id"]: courses[row["course_id"]] for row in story.before["enrolments"]}
    titles = [taken[row["enrolment_id"]] for row in story.before["certificates"]]
    titles += [row["title"] for row in story.before["achievements"]]
    assert Counter(name for _, name in earned) == Counter(titles)
    assert {day for day, _ in earned} == {"2024-08-31"}
    assert departure.belongings(LEAVING).keys() <= {KEPT, "invoice_lines"}
    assert not departure.context.keys.has_key(LEAVING)


def papers_in(message):
    """Give every PDF that a mail carries, in a zip or not."""
    for part in message.iter_attachments():
        content = part.get_payload(decode=True)
        if part.get_content_type() == "application/pdf":
            yield content
        elif part.get_content_type() == "application/zip":
            with zipfile.ZipFile(BytesIO(content)) as packed:
                yield from map(packed.read, packed.namelist())


def attached_to(paper):
    """Read what is attached to a PDF with another library, and nothing of ours."""
    (files,) = pypdf.PdfReader(BytesIO(paper)).attachments.values()
    (content,) = files
    return content


def test_a3_every_paper_is_valid_and_what_is_in_it_stands_when_all_else_is_gone(story, tmp_path):
    """A3, L13: after the deletion, by other programs, and by ours in an otherwise empty folder."""
    departure = story.departure
    addresses = {member.email for member in story.members}
    mails = [message for _, to, message in departure.mail if to in addresses]
    keys = departure.context.keys.public_keys()
    (tmp_path / "jwks.json").write_bytes(published_files(Issuer(name="Vendor"), keys)["jwks.json"])

    papers = list(chain.from_iterable(map(papers_in, mails)))
    tokens = [text.decode() for text in map(attached_to, papers) if text.startswith(b"ey")]
    named = Counter(oracle_for(keys[0]).verify(token).achievement.name for token in tokens)
    told = []
    for paper in papers[:2]:
        (tmp_path / "kept.pdf").write_bytes(paper)
        said = Installation(tmp_path).ask("credential", "verify", "kept.pdf", "--keys", "jwks.json")
        told.append([credential["name"] for credential in said["credentials"]])

    earned = len(story.before["certificates"]) + len(story.before["achievements"])
    assert named.total() == earned > 0
    assert [faults(paper) for paper in papers] == [[]] * len(papers)
    listed, (first, *others) = told
    assert (first, others) == (listed[0], [])
    assert departure.belongings(LEAVING) == {}
    assert not departure.context.keys.has_key(LEAVING)


def test_a5_all_administrators_are_told_fourteen_days_before(story):
    """A5, L8: each of them once, nobody else."""
    told = Counter(to for day, to, _ in story.departure.mail if day == "2024-08-16")

    assert len(admins(story)) > 1
    assert told == Counter(admins(story))


def test_a6_a_user_hears_from_us_only_once_the_account_has_been_deactivated(story):
    """A6: no user mail before deactivation; afterwards everybody's."""
    users = {member.email for member in story.members} - admins(story)

    days = {to: [day for day, _ in story.departure.mail_to(to)] for to in users}

    assert users
    assert {min(found) for found in days.values()} == {"2024-08-31"}


def test_a8_every_administrator_is_sent_all_company_data_seven_days_before_deletion(story):
    """A8: the JSON holds as many rows of every table as foreign keys lead to the company.

    But for open sessions, which have ended with access (A2).
    """
    sent = [(to, m) for day, to, m in story.departure.mail if day == "2024-09-22"]

    assert {to for to, _ in sent} == admins(story)
    assert len(sent) == len(admins(story))
    for _, message in sent:
        (attachment,) = message.iter_attachments()
        document = json.loads(attachment.get_content())
        rows = {name: len(found) for name, found in document["data"].items() if found}
        assert rows == {n: len(found) for n, found in story.before.items() if n != SESSIONS}


def test_a10_no_table_of_the_application_holds_a_row_of_the_company(story):
    """A10: found by following foreign keys, with nothing of ours; invoices are kept without it.

    Sessions of other companies end with the seats of their people (`test_sessions.py`).
    """
    departure = story.departure

    assert departure.belongings(LEAVING) == {}
    now = dump(departure.engine)
    for name, rows in story.all_before.items():
        if name == SESSIONS:
            continue
        gone = 0 if name == KEPT else len(story.before.get(name, ()))
        assert len(now[name]) == len(rows) - gone, name


def test_a10_the_sibling_stays_byte_identical(story):
    """A10, L42."""
    assert story.sibling_before
    assert repr(story.departure.belongings(SIBLING)) == repr(story.sibling_before)


def test_a10_nowhere_is_a_name_or_an_address_left(story):
    """A10, A11, L30: every column of every table, every file, of the vendor's and of ours."""
    departure = story.departure

    places = {
        f"{where}.{name}": repr(rows)
        for where, tables in (
            ("application", dump(departure.engine)),
            ("store", departure.store_tables()),
        )
        for name, rows in tables.items()
    }
    for file in (departure.folder / "offramp").rglob("*"):
        if file.is_file() and file.suffix != ".sqlite":
            places[str(file.relative_to(departure.folder))] = file.read_bytes().decode(
                errors="replace"
            )

    assert len(story.names) > 10
    found = {
        (place, name)
        for place, text in places.items()
        for name in story.names
        if name in text.casefold()
    }
    assert found == set()


def test_a10_everything_was_done_in_its_order_on_its_day_and_is_on_record(story):
    """A10, L3: each step on the published date, whatever happened to those before."""
    departure = story.departure
    done = {
        key: step.receipt.done_at.to_tz("Europe/Dublin").date().format_iso()
        for (_, key), step in departure.steps(LEAVING).items()
    }

    assert done == {
        "expiring-soon": "2024-08-16",
        "stage:expired": "2024-08-31",
        "achievements": "2024-08-31",
        "company-data": "2024-09-22",
        "erase": "2024-09-29",
    }
    with departure.context.store.transaction() as transaction:
        whole = [r for r in transaction.offboardings(LEAVING) if r.subject.member is None]
    assert [row.status for row in whole] == [OffboardingStatus.COMPLETED]
    assert not departure.context.keys.has_key(LEAVING)
