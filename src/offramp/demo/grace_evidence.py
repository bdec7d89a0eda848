"""Rows B1 to B11 of the mission, looked for in what the note-taking product's play has left."""

from collections.abc import Iterable

from whenever import Date, Instant

from offramp.demo.artefact import Artefacts, Mail
from offramp.demo.banner_page import PAGE
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
from offramp.demo.pool_evidence import is_chained, same_siblings
from offramp.demo.scenes import ASKED_PAGE, DOWNLOAD, PEOPLE_PAGE

ANSWERS = {"sign in": 200, "open": 200, "create": 201, "edit": 204, "export": 200, "console": 200}
EDIT_ONLY = {"sign-in", "read", "update", "delete", "copy", "export"}
STAGE_NOTICES = ("now-expired", "now-deactivated", "now-marked-for-deletion")
EXPIRES_ON = Date(2024, 8, 30)
EXPIRED_EARLY = "2024-10-15 10:00"
AGREEMENT, LEAVING = "https://example.com/agreement", "https://example.com/leaving"


def clocks(play: Artefacts) -> Evidence:
    """B1: organizations and single users, one clock for each product."""
    whole = play.offboardings(of_members=False)
    single = play.offboardings(of_members=True)
    products = {row["product"] for row in whole}
    dates = {row["ends"] for row in single}
    found = (
        len(products) == len(whole) == 2
        and {row["status"] for row in whole} == {"completed"}
        and dates == {"2024-08-20"}
        and {row["status"] for row in single} == {"completed"}
    )
    text = (
        f"{counted(len(whole), 'clock')} for the organization, one for each of "
        f"{' and '.join(sorted(products))}; a user with an own end date went through the same "
        "stages ten days earlier."
    )
    return Evidence(found=found, text=text, links=(file_link(play, "timeline.json"),))


def active(play: Artefacts) -> Evidence:
    """B2: normal access while active."""
    answers = levels(probes_at(play, "2024-08-30 23:59"))
    found = answers == {
        ("a user", "app"): "full",
        ("a user", "console"): "none",
        ("an admin", "app"): "full",
        ("an admin", "console"): "full",
    } and statuses(play, "2024-08-30 23:59") == {
        **_answered("a user", "console"),
        **_answered("an admin"),
    }
    text = (
        "In the last minute: users and admins full in the app, admins alone in the console. Over "
        "HTTP the application let both sign in, open, create, edit and export."
    )
    return Evidence(found=found, text=text, links=_access_links(play))


def expired(play: Artefacts) -> Evidence:
    """B3: ninety days of edit-only access, without the console."""
    first = probes_at(play, "2024-08-31 00:01")
    last = probes_at(play, "2024-11-28 23:59")
    after = probes_at(play, "2024-11-29 00:01")
    wanted = {
        ("a user", "app"): "edit-only",
        ("a user", "console"): "none",
        ("an admin", "app"): "edit-only",
        ("an admin", "console"): "none",
    }
    allowed = {c for probe in first + last for c in probe["capabilities"]}
    found = (
        levels(first) == levels(last) == wanted
        and "create" not in allowed
        and {"read", "update", "export"} <= allowed <= EDIT_ONLY
        and set(levels(after).values()) == {"none"}
        and all(
            statuses(play, time)
            == {
                **_answered("a user", "create", "console"),
                **_answered("an admin", "create", "console"),
            }
            for time in ("2024-08-31 00:01", "2024-11-28 23:59")
        )
    )
    text = (
        "From 2024-08-31 00:00 to the end of 2024-11-28 (90 days): "
        f"{', '.join(sorted(allowed))}; nothing new can be created, and the console is shut for "
        "everybody: over HTTP both are answered with 403, and the rest goes on."
    )
    return Evidence(found=found, text=text, links=_access_links(play))


def reactivated(play: Artefacts) -> Evidence:
    """B4: brought back while expired, with everything intact."""
    answers = [p["level"] for p in probes_at(play, "2025-02-17 12:00")]
    other = play.vendor.other
    content = play.siblings[other]
    canceled = [
        row
        for row in play.timeline["offboardings"]
        if row["status"] == "canceled" and row["product"] == "recordings" and row["member"] is None
    ]
    found = (
        answers == ["none", "full"]
        and content["before"] == content["after"]
        and any(s["key"] == "stage:expired" for row in canceled for s in row["steps"])
    )
    rows = sum(table["rows"] for table in content["after"].values())
    text = (
        "Another organization, 47 days into Expired, was brought back by an admin: the console "
        f"opened at once, nothing that was pending happened, and its {rows} rows are byte for "
        "byte what they were."
    )
    links = (file_link(play, "access.json"), file_link(play, "siblings.json"))
    return Evidence(found=found, text=text, links=links)


def deactivated(play: Artefacts) -> Evidence:
    """B5: nobody has access, the content is intact."""
    answers = levels(probes_at(play, "2024-11-29 00:01"))
    stages = {stage["id"]: stage for stage in play.timeline["plan"]["stages"]}
    deactivated_until = stages["deactivated"]["last_on"]
    document = play.exports.get(f"export/{DOWNLOAD}", {})
    taken_at = document.get("manifest", {}).get("taken_at", "")
    found = (
        set(answers.values()) == {"none"}
        and set(statuses(play, "2024-11-29 00:01").values()) == {403}
        and deactivated_until == "2025-08-30"
        and "2024-11-29" < taken_at[:10] < "2025-08-31"
        and any(document["data"].values())
    )
    text = (
        f"From 2024-11-29 to the end of {deactivated_until}, 12 months after expiry, nobody gets "
        "in, and the application answers 403 to everything; the content is whole, as the download "
        "taken seven months later shows."
    )
    links = (*_access_links(play), file_link(play, f"export/{DOWNLOAD}"))
    return Evidence(found=found, text=text, links=links)


def deleted(play: Artefacts) -> Evidence:
    """B6: marked after 12 months, deleted before 18 are over."""
    certificate = play.certificate
    verification = certificate["verification"]
    erased_at = Instant.parse_iso(certificate["erased_at"])
    rows = sum(sum(each["tables"].values()) for each in play.certificates)
    own = play.own_tables
    found = (
        local("2025-08-31 00:00") < erased_at < local("2026-03-01 00:00")
        and not any(verification["counts"].values())
        and not any(verification["residue"].values())
        and certificate["key_destroyed"]
        and not any(table["found"] for table in own["tables"].values())
        and own["searched_for"] > 0
        and same_siblings(play)
        and is_chained(play)
        and set(statuses(play, "2025-08-31 00:01").values()) == {403}
        and set(statuses(play, "2025-10-10 11:00").values()) == {401}
    )
    text = (
        f"Marked on 2025-08-31, deleted on {certificate['erased_at'][:10]}, thirty days after the "
        f"last notice: {rows} rows in all, 0 left in {len(verification['checked'])} tables, none "
        f"of {own['searched_for']} names and addresses in our own tables, the key destroyed, the "
        "signature valid. The application knows nobody of them any more: 401."
    )
    names = ("certificate.json", "own-tables.json", "siblings.json", "visits.json")
    return Evidence(found=found, text=text, links=tuple(file_link(play, name) for name in names))


def banners(play: Artefacts) -> Evidence:
    """B7: the product can show a notice for the whole of Expired."""
    times = ("2024-08-31 00:01", "2024-11-28 23:59")
    shown = [probe["banner"] for time in times for probe in probes_at(play, time)]
    outside = [
        probe["banner"]
        for time in ("2024-08-30 23:59", "2024-11-29 00:01")
        for probe in probes_at(play, time)
    ]
    told = [banner for banner in shown if banner is not None]
    advice = {banner["audience"]: banner["advice"] for banner in told}
    found = (
        len(told) == len(shown) > 0
        and {banner["ends_on"] for banner in told} == {"2024-11-28"}
        and all(banner["heading"] and banner["until"] for banner in told)
        and len(set(advice.values())) == len(advice) == 2
        and not any(outside)
    )
    days = sorted({banner["days_left"] for banner in told}, reverse=True)
    text = (
        "In the first and in the last minute of Expired the product shows a banner: the stage, "
        f"until 2024-11-28, {' and '.join(map(str, days))} days left, and what to do, which is "
        "something else for an administrator than for a user. Before and after: none."
    )
    links = (file_link(play, PAGE), file_link(play, "access.json"))
    return Evidence(found=found, text=text, links=links)


def stage_mails(play: Artefacts) -> Evidence:
    """B8: an e-mail at each change of stage."""
    dates = dict(zip(STAGE_NOTICES, ("2024-08-31", "2024-11-29", "2025-08-31"), strict=True))
    mails = {step: play.mails_of(step) for step in STAGE_NOTICES}
    written_to = {(m.offboarding, m.step, m.member) for sent in mails.values() for m in sent}
    promised = {
        (row["id"], step, member)
        for row in play.offboardings(of_members=False)
        for step in STAGE_NOTICES
        for member in _seated(play, row["product"])
    }
    found = bool(promised) and promised <= written_to
    for step, sent in mails.items():
        found = found and {mail.on.format_iso() for mail in sent} == {dates[step]}
    counts = ", ".join(f"{len(sent)} on {dates[step]}" for step, sent in mails.items())
    text = (
        f"Everybody with a seat was written to, for each product: {counts}. The "
        "last notice announces the deletion; after it there is nobody left to write to."
    )
    return Evidence(found=found, text=text, links=_first_of_each(play, mails.values()))


def download(play: Artefacts) -> Evidence:
    """B9: a user's own content, at any time before deletion."""
    document = play.exports.get(f"export/{DOWNLOAD}", {})
    manifest = document.get("manifest", {})
    data = document.get("data", {})
    owned = [*data.get("notes", ()), *data.get("recordings", ())]
    who = play.people().get(str(manifest.get("member")), {})
    mails = [mail for mail in play.copies() if mail.to == who.get("email")]
    done = [e["kind"] for e in play.ledger if e["kind"].startswith("own-copy-")]
    found = (
        bool(owned)
        and {str(each["owner_id"]) for each in owned} == {manifest.get("member")}
        and [mail.on for mail in mails] == [Date(2025, 7, 1)]
        and done == ["own-copy-asked", "own-copy-downloaded"]
    )
    rows = sum(len(lines) for lines in data.values())
    text = (
        "On 2025-07-01, seven months after access had ended for good, a user asked for their "
        f"content in the portal. A mail brought a link of their own, and behind it were {rows} "
        f"rows: {', '.join(data)}. Nobody else's are among them."
    )
    return Evidence(
        found=found,
        text=text,
        links=(
            file_link(play, f"portal/{ASKED_PAGE}"),
            *(file_link(play, mail.file) for mail in mails),
            file_link(play, f"export/{DOWNLOAD}"),
        ),
    )


def links_in_notices(play: Artefacts) -> Evidence:
    """B10: notices link to the agreement and to further information."""
    mails = play.mails
    linked = [mail for mail in mails if AGREEMENT in mail.text and LEAVING in mail.text]
    banners = [probe["banner"] for probe in play.probes if probe["banner"] is not None]
    pointing = [b for b in banners if {li["href"] for li in b["links"]} >= {AGREEMENT, LEAVING}]
    found = len(linked) == len(mails) > 0 and len(pointing) == len(banners) > 0
    text = f"{len(linked)} of {len(mails)} mails link to both, and so does every banner."
    return Evidence(found=found, text=text, links=_first_of_each(play, [mails]))


def own_ends(play: Artefacts) -> Evidence:
    """B11: own end dates, several users at once, and back again."""
    single = {row["id"]: row for row in play.offboardings(of_members=True)}
    warned = [m for m in play.mails if m.step == "ending-soon" and m.offboarding in single]
    before, after = (
        levels(probes_at(play, time)) for time in ("2024-08-20 23:59", "2024-08-21 00:01")
    )
    who = ("a user with an own end date", "app")
    pair = _ended_together(play)
    back = [probe["level"] for probe in probes_at(play, "2024-12-02 10:00")]
    freed = _freed(play)
    found = (
        {mail.on for mail in warned} == {Date(2024, 8, 13)}
        and (before.get(who), after.get(who)) == ("full", "edit-only")
        and len(pair) == 2
        and back == ["edit-only", "full"]
        and [probe["level"] for probe in probes_at(play, EXPIRED_EARLY)] == ["full", "edit-only"]
        and freed > 0
    )
    text = (
        "A user whose end was 2024-08-20 was told on 08-13 and had edit-only access from 08-21. "
        "Elsewhere an admin gave two users an end in the portal, both at once, and expired a third "
        f"on the spot: {counted(freed, 'seat')} of theirs were free from then on. All three were "
        "brought back there a month later."
    )
    return Evidence(
        found=found,
        text=text,
        links=(
            *_first_of_each(play, [warned]),
            file_link(play, f"portal/{PEOPLE_PAGE}"),
            file_link(play, "seats.json"),
            file_link(play, "access.json"),
        ),
    )


def _answered(who: str, *refused: str) -> dict[tuple[str, str], int]:
    """Give what somebody is to be answered over HTTP who is refused some of it."""
    return {(who, each): 403 if each in refused else status for each, status in ANSWERS.items()}


def _access_links(play: Artefacts) -> tuple[Link, ...]:
    return file_link(play, "access.json"), file_link(play, "visits.json")


def _seated(play: Artefacts, product: str) -> set[str]:
    """Give everybody who has a seat in a product and no end date of their own."""
    pools = {pool["pool"] for pool in play.pools if pool["product"] == product}
    return {
        member
        for member, row in play.people().items()
        if pools & set(row["pools"].split(";")) and not row["ends_on"]
    }


def _freed(play: Artefacts) -> int:
    """Count the seats that were in use before somebody was expired, and not any more after it."""
    half = len(play.seats) // 2
    before, after = (
        sum(s["taken"] for s in part) for part in (play.seats[:half], play.seats[half:])
    )
    return int(before - after)


def _ended_together(play: Artefacts) -> set[str]:
    return {
        row["member"]
        for row in play.timeline["offboardings"]
        if row["ends"] == "2024-10-31" and row["status"] == "canceled"
    }


def _first_of_each(play: Artefacts, groups: Iterable[list[Mail]]) -> tuple[Link, ...]:
    return tuple(file_link(play, group[0].file) for group in groups if group)


ROWS = (
    MissionRow(
        number="B1",
        promise="Organizations and single users, a clock for each product",
        judge=clocks,
    ),
    MissionRow(number="B2", promise="Active: normal access, admins to the console", judge=active),
    MissionRow(
        number="B3", promise="Expired: 90 days of edit-only access, no console", judge=expired
    ),
    MissionRow(
        number="B4", promise="Expired can be reactivated with everything intact", judge=reactivated
    ),
    MissionRow(
        number="B5",
        promise="Deactivated until 12 months after expiry, content intact",
        judge=deactivated,
    ),
    MissionRow(number="B6", promise="Marked after 12 months, deleted within 18", judge=deleted),
    MissionRow(
        number="B7", promise="Notices inside the product for the whole of Expired", judge=banners
    ),
    MissionRow(number="B8", promise="An e-mail at each change of stage", judge=stage_mails),
    MissionRow(
        number="B9", promise="A download of one's own content until deletion", judge=download
    ),
    MissionRow(
        number="B10", promise="Notices link to agreement and information", judge=links_in_notices
    ),
    MissionRow(number="B11", promise="Own end dates, many users at once, and back", judge=own_ends),
)
