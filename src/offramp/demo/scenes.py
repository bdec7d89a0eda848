"""The scenes of the two plays: who does what, when, beside what the policy does by itself.

Every date is one of a license that is valid until 2024-08-30 in Dublin.
"""

import json
from collections.abc import Callable

from whenever import Date

from offramp.core.case import Complaint
from offramp.core.model import Member
from offramp.demo.play import Play, Probe, Scene, admins, local, users
from offramp.demo.portal import ROOT as PORTAL
from offramp.demo.vendor import NOTES, TRAINING
from offramp.engine.bounces import take_back
from offramp.engine.cases import close_case, list_cases, read_case, repair_case
from offramp.engine.copying import tend_copies
from offramp.engine.correspondence import history
from offramp.engine.offboarding import reactivate, renew
from offramp.engine.offer import FILE_NAME
from offramp.engine.request import answer_requests, note_request
from offramp.ports import Return, Returned

CURTAIN_AT = local("2024-08-09 09:00")  # three weeks before the end
POOL_UNTIL = local("2024-10-04 12:00")
GRACE_UNTIL = local("2025-10-10 12:00")
MAILBOX_MENDED_AT = local("2024-09-04 09:00")
DOWNLOAD = "download-of-a-user.json"
CALENDAR = "dates.ics"
ORGANIZATION_PAGE, CASE_PAGE = "organization.html", "case.html"
PEOPLE_PAGE, ASKED_PAGE = "people.html", "copy-asked-for.html"

NO_PRODUCT = (None,)
MAILBOX_FULL = "5.2.2"  # RFC 3463

PRODUCTS = ("notes", "recordings")


def pool_scenes() -> tuple[Scene, ...]:
    """The training platform under ``license-pool``."""
    return (
        Scene(at=local("2024-08-20 10:00"), act=_look_up),
        Scene(at=local("2024-08-30 22:50"), act=_workers_go_down),
        Scene(at=local("2024-08-30 22:59"), act=_ask_seats),
        Scene(at=local("2024-08-30 23:01"), act=_ask_seats),
        Scene(at=local("2024-08-30 23:59"), act=_ask_everybody),
        Scene(at=local("2024-08-31 00:01"), act=_ask_everybody),
        Scene(at=local("2024-08-31 09:30"), act=_a_message_comes_back),
        Scene(at=local("2024-09-04 09:15"), act=_somebody_got_nothing),
        Scene(at=local("2024-09-04 09:30"), act=_somebody_asks_again),
        Scene(at=local("2024-09-20 12:00"), act=_renew_the_other),
        Scene(at=local("2024-10-04 11:00"), act=_come_back_in_vain),
    )


def grace_scenes() -> tuple[Scene, ...]:
    """The note-taking product under ``edit-only-grace``."""
    return (
        Scene(at=local("2024-08-20 23:59"), act=_ask_whoever_leaves_early),
        Scene(at=local("2024-08-21 00:01"), act=_ask_whoever_leaves_early),
        Scene(at=local("2024-08-30 23:50"), act=_workers_go_down),
        Scene(at=local("2024-08-30 23:59"), act=_ask_everybody),
        Scene(at=local("2024-08-31 00:01"), act=_ask_everybody),
        Scene(at=local("2024-10-14 10:00"), act=_end_two_users),
        Scene(at=local("2024-10-15 10:00"), act=_expire_one_early),
        Scene(at=local("2024-11-28 23:59"), act=_ask_everybody),
        Scene(at=local("2024-11-29 00:01"), act=_ask_everybody),
        Scene(at=local("2024-12-02 10:00"), act=_bring_two_users_back),
        Scene(at=local("2025-02-17 12:00"), act=_bring_the_other_back),
        Scene(at=local("2025-07-01 15:30"), act=_download),
        Scene(at=local("2025-08-31 00:01"), act=_ask_everybody),
        Scene(at=local("2025-10-10 11:00"), act=_come_back_in_vain),
    )


def _look_up(play: Play) -> None:
    """Let an administrator read in the portal what ends when, and what happens then (A7)."""
    admin = admins(play.members(TRAINING.leaving))[0]
    portal = play.at_portal(admin)
    play.pages[ORGANIZATION_PAGE] = portal.read(f"{PORTAL}/organization")
    play.downloads[CALENDAR] = portal.fetch(f"{PORTAL}/dates.ics")
    play.say("an admin, in the portal", "Looks up when each pool ends, and what happens then")


def _workers_go_down(play: Play) -> None:
    play.sleep(until=local("2024-08-31 00:02"))


def _ask_everybody(play: Play) -> None:
    """Ask for a user and an administrator of whoever is leaving, in the app and the console."""
    members = play.members(play.vendor.leaving)
    people = (("a user", users(members)[0]), ("an admin", admins(members)[0]))
    products = PRODUCTS[:1] if play.vendor is NOTES else NO_PRODUCT
    for product in products:
        play.ask(
            *(
                play.probe(who, member, surface=surface, product=product)
                for who, member in people
                for surface in ("app", "console")
            )
        )
    play.hear(*(play.visit(who, member, writes=True) for who, member in people))


def _come_back_in_vain(play: Play) -> None:
    """Let the same people try once more, with the cookies they have kept."""
    leaving = play.organization(play.vendor.leaving).id
    people = {v.who: v.member for v in play.visits if v.member.organization == leaving}
    play.hear(*(play.visit(who, member) for who, member in people.items()))


def _ask_seats(play: Play) -> None:
    """Ask for two users of a company that loses one of its two pools: it is midnight in Berlin."""
    people = (
        ("a user whose only seat ends", _seated(play, lambda count: count == 1)),
        ("a user with another seat", _seated(play, lambda count: count == 2)),
    )
    play.ask(*(play.probe(who, member) for who, member in people))
    play.hear(*(play.visit(who, member) for who, member in people))


def _seated(play: Play, is_wanted: Callable[[int], bool]) -> Member:
    ending = _ending_pool(play)
    people = users(play.members(TRAINING.other))
    return next(m for m in people if ending in m.pools and is_wanted(len(m.pools)))


def _ending_pool(play: Play) -> str:
    organization = play.organization(TRAINING.other).id
    with play.context.store.transaction() as transaction:
        pools = transaction.pools(organization)
    return min(pools, key=lambda pool: (str(pool.ends), pool.id)).id


def _a_message_comes_back(play: Play) -> None:
    """Let a server send back what it had taken: that mailbox was full."""
    person = users(play.members(TRAINING.leaving))[0]
    organization = play.organization(TRAINING.leaving).id
    (written,) = history(play.context, organization, member=person.id, step="achievements")
    assert written.delivery.message is not None, "it was handed over"
    take_back(
        play.context,
        Returned(message=written.delivery.message, why=Return.BOUNCED, reason=MAILBOX_FULL),
    )


def _somebody_got_nothing(play: Play) -> None:
    """Let the person whose mail came back say so, and support mend it in one go (A12)."""
    context, organization = play.context, play.organization(TRAINING.leaving)
    person = users(play.members(TRAINING.leaving))[0]
    portal = play.at_portal(person)
    complaint = {
        "complaint": Complaint.NO_ACHIEVEMENTS.value,
        "about": "2024-08-31",
        "words": "I never got my certificates.",
    }
    portal.send(f"{PORTAL}/cases", complaint)
    (opened,) = list_cases(context, organization.id)
    play.say("a user, in the portal", "Tells support that no certificates came", kind="trouble")
    play.cases.append(read_case(context, opened.id))
    repaired = repair_case(context, opened.id)
    close_case(context, opened.id)
    play.pages[CASE_PAGE] = portal.read(f"{PORTAL}/cases/{opened.id}")
    what = "Sees in the case that the mail came back, and has it sent again"
    play.say("the vendor's support", what, f"{repaired.messages} mail", kind="notify")


def _somebody_asks_again(play: Play) -> None:
    """Let the person whose mailbox was gone ask by nothing but their address, as on a page."""
    note_request(play.context, users(play.members(TRAINING.leaving))[-1].email)
    play.say("a user, with no account left", "Asks for what is theirs", kind="notify")
    answer_requests(play.context)


def _renew_the_other(play: Play) -> None:
    person = _seated(play, lambda count: count == 1)
    pool, organization = _ending_pool(play), play.organization(TRAINING.other)
    renew(play.context, organization.id, until=Date(2025, 8, 30), pool=pool)
    play.say(organization.name, "Renews the pool that had ended until 2025-08-30", kind="return")
    play.observe()
    play.ask(play.probe("a user whose only seat had ended", person))
    play.hear(play.visit("a user whose only seat had ended", person))


def _ask_whoever_leaves_early(play: Play) -> None:
    leaver = next(m for m in play.members(NOTES.leaving) if m.ends is not None and m.pools)
    play.ask(play.probe("a user with an own end date", leaver, product="notes"))
    play.hear(play.visit("a user with an own end date", leaver, writes=True))


def _two_users(play: Play) -> list[Member]:
    return [m for m in play.members(NOTES.other) if len(m.pools) == 2][-2:]


def _end_two_users(play: Play) -> None:
    people = _two_users(play)
    _change_people(play, people, do="end", until="2024-10-31")
    play.say("an admin, in the portal", "Gives two users an end date: 2024-10-31")
    play.observe()


def _expire_one_early(play: Play) -> None:
    """Let an administrator end somebody's access at once: the seat is free from then on (B11)."""
    person = _one_more(play)
    play.count_seats(NOTES.other)
    before = _ask_notes(play, person)
    _change_people(play, [person], do="expire")
    play.count_seats(NOTES.other)
    play.say("an admin, in the portal", "Expires a user at once, whose seat is free")
    play.observe()
    play.ask(before, _ask_notes(play, person))


def _bring_two_users_back(play: Play) -> None:
    people = _two_users(play)
    before = _ask_notes(play, people[0])
    play.pages[PEOPLE_PAGE] = _change_people(play, [*people, _one_more(play)], do="back")
    play.say("an admin, in the portal", "Takes all three users back", kind="return")
    play.observe()
    play.ask(before, _ask_notes(play, people[0]))


def _one_more(play: Play) -> Member:
    return [m for m in play.members(NOTES.other) if len(m.pools) == 2][-3]


def _change_people(play: Play, people: list[Member], *, do: str, until: str = "") -> str:
    """Let an administrator choose people on the page of them all, and do one thing to them."""
    portal = play.at_portal(admins(play.members(NOTES.other))[0])
    chosen = {"member": [each.id for each in people], "do": do, "until": until}
    return portal.send(f"{PORTAL}/people", chosen)


def _ask_notes(play: Play, member: Member) -> Probe:
    return play.probe("a user of the two", member, product="notes")


def _bring_the_other_back(play: Play) -> None:
    organization = play.organization(NOTES.other)
    admin = admins(play.members(NOTES.other))[0]
    before = play.probe("an admin of it", admin, surface="console", product="recordings")
    reactivate(play.context, organization.id, until=Date(2027, 12, 31))
    play.say(organization.name, "An admin reactivates it until 2027-12-31", kind="return")
    play.observe()
    play.ask(before, play.probe("an admin of it", admin, surface="console", product="recordings"))


def _download(play: Play) -> None:
    """Let a user ask for what is theirs, long after they could last sign in (B9)."""
    member = users(play.members(NOTES.leaving))[0]
    portal = play.at_portal(member)
    play.pages[ASKED_PAGE] = portal.send(f"{PORTAL}/copy")
    before = len(play.post.messages)
    tend_copies(play.context)
    link = portal.link_in_mail(member, after=before, below="/links")
    content = portal.fetch(f"{link}/{FILE_NAME}")
    play.downloads[DOWNLOAD] = content
    tables = json.loads(content)["data"]
    play.say(
        "a user, signed out for good",
        "Asks for their own content in the portal, and follows the link that a mail brings",
        f"{sum(map(len, tables.values()))} rows of {len(tables)} tables",
        kind="export",
    )
    play.observe()
