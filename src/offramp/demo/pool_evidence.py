"""Rows A1 to A12 of the mission, looked for in what the training platform's play has left."""

import json
from collections.abc import Sequence
from itertools import chain

from whenever import Date, Instant

from offramp.adapters.achievement_file import BADGES_FILE
from offramp.core.ledger import GENESIS
from offramp.data.credential.reading import read_keys, tokens_in
from offramp.data.credential.token import verify_credential
from offramp.demo.afterwards import AGAIN, KEPT
from offramp.demo.artefact import Artefacts, Row
from offramp.demo.evidence import (
    Evidence,
    Link,
    MissionRow,
    counted,
    file_link,
    levels,
    probes_at,
    statuses,
)
from offramp.demo.play import local
from offramp.demo.record import SUPPLEMENT
from offramp.demo.scenes import CALENDAR, CASE_PAGE, ORGANIZATION_PAGE

EXPIRES_ON = Date(2024, 8, 30)
# In Dublin, where the company is, and by the clock of its administrator in Berlin.
LAST_DAY = ("30 August 2024", "31. August 2024, 01:00")
NOBODY = {"none"}
MAILS_OPENED = 5  # with all of their PDFs, which take long to read


def seats_end(play: Artefacts) -> Evidence:
    """A1: who loses the only seat loses access, who has another keeps it."""
    before, after = (
        levels(probes_at(play, time)) for time in ("2024-08-30 22:59", "2024-08-30 23:01")
    )
    only, other = ("a user whose only seat ends", "app"), ("a user with another seat", "app")
    members = {
        row["member"]
        for row in play.timeline["offboardings"]
        if row["source"] == "pool" and row["ends"] == EXPIRES_ON.format_iso()
    }
    ended = [row for row in play.offboardings(of_members=False) if row["status"] == "completed"]
    ends = max(pool["ends_on"] for pool in play.pools if pool["organization"] == play.leaving)
    found = (
        (before.get(only), after.get(only)) == ("full", "none")
        and _asked(play, "a user whose only seat ends") == ({200}, {403})
        and _asked(play, "a user with another seat") == ({200}, {200})
        and (before.get(other), after.get(other)) == ("full", "full")
        and [row["ends"] for row in ended] == [ends]
    )
    text = (
        f"Of a company with two pools, {counted(len(members), 'user')} lost access with the only "
        f"seat, over HTTP too; a colleague with a seat in the other pool kept it. The company with "
        f"no pool left was off-boarded from its last end, {ends}."
    )
    links = (
        file_link(play, "access.json"),
        file_link(play, "visits.json"),
        file_link(play, "roster/pools.csv"),
        file_link(play, "timeline.json"),
    )
    return Evidence(found=found, text=text, links=links)


def last_day(play: Artefacts) -> Evidence:
    """A2: access until the end of the day, none from the first instant of the next."""
    before = levels(probes_at(play, "2024-08-30 23:59"))
    after = levels(probes_at(play, "2024-08-31 00:01"))
    stage = play.step("stage:expired")
    revoked = [
        event
        for event in play.events
        if event["kind"] == "sessions-revoked" and event["organization"] == play.leaving
    ]
    woke_at = Instant.parse_iso(stage["done_at"]) if stage else local("2024-08-31 00:00")
    found = (
        len(before) == len(after) == 4
        and set(before.values()) == {"full"}
        and set(after.values()) == NOBODY
        and set(statuses(play, "2024-08-30 23:59").values()) == {200}
        and set(statuses(play, "2024-08-31 00:01").values()) == {403}
        and woke_at > local("2024-08-31 00:01")
        and len(revoked) == 1
    )
    text = (
        "23:59: full access for user and administrator, in app and console. 00:01: none, for "
        "anybody, while every worker was down: the application answered 403 to sessions that were "
        "still open. The first worker woke a minute later, and shut them all."
    )
    names = ("access.json", "visits.json", "events.json")
    links = tuple(file_link(play, name) for name in names)
    return Evidence(found=found, text=text, links=links)


def _asked(play: Artefacts, who: str) -> tuple[set[int], set[int]]:
    """Give what somebody was answered a minute before and after a company lost a pool."""
    before, after = (
        {status for (name, _), status in statuses(play, time).items() if name == who}
        for time in ("2024-08-30 22:59", "2024-08-30 23:01")
    )
    return before, after


def achievements(play: Artefacts) -> Evidence:
    """A3: every user gets all achievements as files, the day after."""
    mails = play.mails_of("achievements")
    people = {id_ for id_, m in play.people().items() if m["pools"]}
    refused = play.step("achievements").get("proof", {}).get("refused", 0)
    reached = {mail.member for mail in mails}
    with_files = [m for m in mails if BADGES_FILE in m.attachments]
    keys = read_keys((play.folder / "credentials" / "jwks.json").read_bytes(), file="jwks.json")
    earned = sum(len(_verified(mail.attachments[BADGES_FILE], keys)) for mail in with_files)
    opened = [
        [_verified(content, keys) for _, content in mail.files]
        for mail in with_files[:MAILS_OPENED]
    ]
    found = (
        {mail.on for mail in mails} == {EXPIRES_ON.add(days=1)}
        and reached <= {*play.people()}
        and len(people - reached) <= refused
        and earned > 0
        and all(map(_is_twice_inside, opened))
    )
    text = (
        f"{counted(len(mails), 'mail')} on 2024-08-31, {len(with_files)} of them with diplomas to "
        f"print and their credentials, {earned} achievements in all. Each signature was checked "
        "after the deletion, with nothing but the published keys. Who has earned nothing gets no "
        "file."
    )
    first = with_files[0].file if with_files else "mail"
    links = (file_link(play, first), file_link(play, "credentials/jwks.json"))
    return Evidence(found=found, text=text, links=links)


def _verified(content: bytes, keys: Sequence[bytes]) -> list[str]:
    """Check the credentials of a file, and give their ids."""
    tokens = tokens_in(content, file=BADGES_FILE)
    return [verify_credential(token, public_keys=keys)["id"] for token in tokens]


def _is_twice_inside(files: Sequence[Sequence[str]]) -> bool:
    """Whether all credentials of the data file are in the list, and each in its own diploma."""
    listed, *diplomas, data = files
    return list(listed) == list(data) == list(chain.from_iterable(diplomas))


def lost_mail(play: Artefacts) -> Evidence:
    """A4: a message that did not arrive is visible, and is sent again."""
    proof = play.step("achievements").get("proof", {})
    reached = {mail.member for mail in play.mails_of("achievements")}
    again = {mail.member for mail in play.mails_of("achievements", round_=2)}
    returned = {e["detail"]["recipient"] for e in play.events if e["kind"] == "message-bounced"}
    written_to = int(proof.get("deliveries", 0))
    refused = int(proof.get("refused", 0))
    found = (
        refused == 1
        and written_to - len(reached) == 1
        and len(again) == 2
        and again & reached == returned
        and len(returned) == 1
    )
    text = (
        f"One mailbox was gone: of {written_to} messages {len(reached)} were taken, and {refused} "
        f"was refused. {len(returned)} of those that were taken came back half an hour later. On "
        "2024-09-04 support sent one of them again, and the other was asked for by its reader, "
        "with nothing but an address; nobody else heard of it."
    )
    return Evidence(
        found=found,
        text=text,
        links=(file_link(play, "events.json"), file_link(play, "ledger.jsonl")),
    )


def told_support(play: Artefacts) -> Evidence:
    """A12: what went wrong is known when somebody says so, and mended in one go."""
    (case,) = play.cases
    (mail,) = [each for each in case["messages"] if each["step"] == "achievements"]
    again = {mail.member for mail in play.mails_of("achievements", round_=2)}
    done = [e["kind"] for e in play.ledger if e["detail"].get("case") == case["case"]]
    found = (
        case["complaint"] == "no-achievements"
        and mail["history"][-1] == mail["status"] == "bounced"
        and case["member"] in again
        and done == ["case-opened", "case-repaired", "case-closed"]
        and case["said_by"] == ["user"]
        and "I never got my certificates." in play.page(CASE_PAGE)
    )
    text = (
        "A user told support in the portal that no certificates had come. The case opened with "
        f"what had become of the mail, taken and then sent back ({mail['reason']}); one action "
        "sent it again, and the user reads so in the portal."
    )
    return Evidence(
        found=found,
        text=text,
        links=(
            file_link(play, f"portal/{CASE_PAGE}"),
            file_link(play, "cases.json"),
            file_link(play, "ledger.jsonl"),
        ),
    )


def admins_told(play: Artefacts) -> Evidence:
    """A5: every administrator hears 14 days before."""
    mails = play.mails_of("expiring-soon")
    admins = play.people(role="admin")
    found = (
        {mail.member for mail in mails} == {*admins}
        and {mail.on for mail in mails} == {EXPIRES_ON.subtract(days=14)}
        and bool(admins)
    )
    text = f"On 2024-08-16 all {len(admins)} administrators of the roster had their mail."
    return Evidence(found=found, text=text, links=_mail_links(play, "expiring-soon"))


def users_not_before(play: Artefacts) -> Evidence:
    """A6: a user hears nothing before the account has been deactivated."""
    admins = play.people(role="admin")
    people = {m["email"]: id_ for id_, m in play.people().items() if id_ not in admins}
    firsts = [
        mail.at for mail in play.mails if mail.to in people and mail.member in people.values()
    ]
    ended_at = local("2024-08-31 00:00")
    found = bool(firsts) and min(firsts) >= ended_at
    text = (
        f"{counted(len(people), 'user')}; the first mail to any of them is dated "
        f"{min(firsts, default=ended_at).to_tz('Europe/Dublin').to_stdlib():%Y-%m-%d %H:%M}, "
        "after access had ended at midnight."
    )
    return Evidence(found=found, text=text, links=_mail_links(play, "achievements"))


def look_up(play: Artefacts) -> Evidence:
    """A7: when each pool expires, and what happens on which day."""
    pools = [p for p in play.pools if p["organization"] == play.leaving]
    steps = play.timeline["plan"]["steps"]
    mails = play.mails_of("expiring-soon")
    page = play.page(ORGANIZATION_PAGE)
    days = {p["ends_on"] for p in pools} | {step["due_on"] for step in steps}
    found = (
        bool(pools)
        and len(steps) >= 4
        and all(f'datetime="{day}"' in page for day in days)
        and all(any(day in m.text for day in LAST_DAY) for m in mails)
        and bool(mails)
    )
    text = (
        f"On 2024-08-20 an administrator signed in to the portal by a mail, and read when each of "
        f"the {len(pools)} pools ends and on which day each of the {len(steps)} steps falls; every "
        "notice to an administrator states the dates as well."
    )
    return Evidence(
        found=found,
        text=text,
        links=(
            file_link(play, f"portal/{ORGANIZATION_PAGE}"),
            file_link(play, f"export/{CALENDAR}"),
            file_link(play, "timeline.svg"),
        ),
    )


def company_data(play: Artefacts) -> Evidence:
    """A8: every administrator is sent the JSON file, 7 days before deletion."""
    mails = play.mails_of("company-data")
    admins = play.people(role="admin")
    documents = [json.loads(m.attachments.get("data.json", b"{}")) for m in mails]
    document = play.exports.get("export/company-data.json", {})
    tables = document.get("manifest", {}).get("tables", {})
    rows = sum(len(lines) for lines in document.get("data", {}).values())
    found = (
        {mail.member for mail in mails} == {*admins}
        and {mail.on for mail in mails} == {EXPIRES_ON.add(days=23)}
        and rows == sum(table["rows"] for table in tables.values()) > 0
        and all(each == document for each in documents)
    )
    text = (
        f"On 2024-09-22 all {len(admins)} administrators were sent the same file: {rows} rows of "
        f"{len(tables)} tables, as many as its manifest counts."
    )
    links = (*_mail_links(play, "company-data"), file_link(play, "export/company-data.json"))
    return Evidence(found=found, text=text, links=links)


def came_back(play: Artefacts) -> Evidence:
    """A9: the file that was kept is read in again after the deletion, and the data is the same."""
    kept, again = (play.exports.get(name, {}) for name in (KEPT, AGAIN))
    rows = sum(len(lines) for lines in kept.get("data", {}).values())
    digests = [_digests(document) for document in (kept, again)]
    found = rows > 0 and kept["data"] == again.get("data") and digests[0] == digests[1]
    text = (
        f"After the deletion the file of 2024-09-22 was read in again: {rows} rows of "
        f"{len(digests[0])} tables. A second export holds the same rows with the same digests."
    )
    return Evidence(found=found, text=text, links=(file_link(play, KEPT), file_link(play, AGAIN)))


def _digests(document: Row) -> dict[str, str]:
    tables = document.get("manifest", {}).get("tables", {})
    return {name: table["sha256"] for name, table in tables.items()}


def erased(play: Artefacts) -> Evidence:
    """A10: everything is hashed and deleted, in the application and in Offramp."""
    certificate = play.certificate
    verification = certificate["verification"]
    left = [*verification["counts"].values(), *verification["orphans"].values()]
    own = play.own_tables
    found = (
        certificate["erased_at"].startswith("2024-09-29")
        and not any(left)
        and not any(verification["residue"].values())
        and certificate["key_destroyed"]
        and not any(table["found"] for table in own["tables"].values())
        and own["searched_for"] > 0
        and same_siblings(play)
        and set(statuses(play, "2024-10-04 11:00").values()) == {401}
    )
    text = (
        f"On 2024-09-29 {sum(certificate['tables'].values())} rows of "
        f"{len(certificate['tables'])} tables went; a list made from the live catalog found 0 left "
        f"in {len(verification['checked'])} tables. Of {own['searched_for']} names and addresses "
        f"none is in any of our own {len(own['tables'])} tables. What stays is "
        f"{len(certificate['tombstone']['marks'])} keyed hashes whose key is destroyed. The "
        f"signature is valid, and {len(play.siblings)} other companies are byte for byte what "
        "they were. The application knows nobody of them any more: 401."
    )
    names = (
        *("certificate.json", "own-tables.json", "siblings.json"),
        *("ledger.jsonl", "visits.json"),
    )
    return Evidence(
        found=found and is_chained(play),
        text=text,
        links=tuple(file_link(play, name) for name in names),
    )


def retained(play: Artefacts) -> Evidence:
    """A11: what remains is listed with its reason and its end."""
    kept = play.certificate["retained"]
    counted_left = sum(play.certificate["verification"]["retained"].values())
    gone = sum(sum(each["tables"].values()) for each in play.supplements)
    found = (
        all(each["basis"] and each["until"] for each in kept)
        and gone == sum(each["rows"] for each in kept) > 0
        and play.kept["rows"] == 0
        and not any(each["left"] for each in play.supplements)
    )
    text = "; ".join(
        f"{each['rows']} rows of {each['table']}: {each['basis']}, until {each['until']}"
        for each in kept
    )
    return Evidence(
        found=found,
        text=f"Kept and listed in the certificate: {text}. Still found as the company's own: "
        f"{counted_left}. The clock went on until its own time was over: {gone} rows went then, "
        f"each time with a certificate of its own, and {play.kept['rows']} are left.",
        links=(
            file_link(play, "certificate.json"),
            *(
                file_link(play, f"certificates/{SUPPLEMENT}{number}.json")
                for number, _ in enumerate(play.supplements, start=1)
            ),
        ),
    )


def same_siblings(play: Artefacts) -> bool:
    """Whether every other organization's rows are what they were."""
    return bool(play.siblings) and all(
        each["before"] == each["after"] and any(t["rows"] for t in each["before"].values())
        for each in play.siblings.values()
    )


def is_chained(play: Artefacts) -> bool:
    """Whether every entry of the ledger names the seal of the one before it."""
    seals = [GENESIS, *(entry["seal"] for entry in play.ledger)]
    numbers = [entry["number"] for entry in play.ledger]
    return (
        numbers == list(range(1, len(numbers) + 1))
        and [entry["previous"] for entry in play.ledger] == seals[:-1]
    )


def _mail_links(play: Artefacts, step: str) -> tuple[Link, ...]:
    return tuple(file_link(play, mail.file) for mail in play.mails_of(step)[:1])


ROWS = (
    MissionRow(
        number="A1",
        promise="Seats end with their pool, a company with its last pool",
        judge=seats_end,
    ),
    MissionRow(number="A2", promise="The end date is the last day of access", judge=last_day),
    MissionRow(
        number="A3", promise="Every user gets all achievements, a day later", judge=achievements
    ),
    MissionRow(
        number="A4",
        promise="A message that did not arrive is visible, and can be sent again",
        judge=lost_mail,
    ),
    MissionRow(
        number="A5", promise="All administrators are told 14 days before", judge=admins_told
    ),
    MissionRow(
        number="A6",
        promise="A user hears only once the account has been deactivated",
        judge=users_not_before,
    ),
    MissionRow(
        number="A7", promise="An administrator can look up what happens when", judge=look_up
    ),
    MissionRow(
        number="A8",
        promise="Every administrator is sent the company's data as JSON",
        judge=company_data,
    ),
    MissionRow(
        number="A9",
        promise="That file is enough to resume",
        judge=came_back,
    ),
    MissionRow(
        number="A10", promise="30 days after expiry everything is hashed and deleted", judge=erased
    ),
    MissionRow(
        number="A11", promise="What remains is listed with its reason and its end", judge=retained
    ),
    MissionRow(
        number="A12",
        promise="A person can tell support at once, the repair is one action",
        judge=told_support,
    ),
)
