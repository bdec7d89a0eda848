"""What the properties are tried on: every zone, odd days, and policies of every shape."""

import re
from datetime import date
from zoneinfo import available_timezones

from hypothesis import strategies as st
from whenever import Date, Instant, PlainDateTime

from offramp.core.dates import first_instant
from offramp.core.model import Cause, Facts, SubjectKind
from offramp.documents.policy import PRESETS, find_policy
from offramp.testing.builders import ACTIVE, ERASED, EXPIRED, make_facts, make_policy

ODD_ZONES = (
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Manila",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
)
ODD_DAYS = tuple(
    Date.parse_iso(text)
    for text in re.findall(
        r"\S+",
        "1970-01-01 1993-08-20 1993-08-21 2000-02-29 2008-11-01 2008-11-02 2011-12-29 2011-12-30"
        " 2011-12-31 2018-11-03 2018-11-04 2023-12-31 2024-01-31 2024-02-29 2024-03-10 2024-03-31"
        " 2024-04-25 2024-04-26 2024-08-30 2024-10-27 2024-11-03 2025-02-28 2099-12-31 2100-02-28",
    )
)
PERIODS = ("P0D", "P1D", "P7D", "P14D", "P30D", "P90D", "P2W", "P1M", "P12M", "P18M", "P1Y", "P5B")
EXACT_PERIODS = ("PT0M", "PT6H", "PT36H")


def is_known(zone):
    """Tell whether whenever knows a zone of zoneinfo."""
    try:
        PlainDateTime(2024, 1, 1).assume_tz(zone)
    except ValueError:
        return False
    return True


ALL_ZONES = tuple(zone for zone in sorted(available_timezones()) if is_known(zone))

zones = st.sampled_from(ODD_ZONES) | st.sampled_from(ALL_ZONES)
days = st.sampled_from(ODD_DAYS) | st.dates(date(1970, 1, 1), date(2100, 12, 31)).map(
    lambda day: Date(day.year, day.month, day.day)
)
instants = st.integers(0, 4_133_894_400).map(Instant.from_timestamp) | st.builds(
    lambda day, zone, minutes: first_instant(day, zone).add(minutes=minutes),
    st.sampled_from(ODD_DAYS),
    st.sampled_from(ODD_ZONES),
    st.integers(-180, 180),
)
boundaries = days | instants


@st.composite
def moments(draw, anchors):
    """Draw a moment that counts from one of some anchors, or from several."""
    anchor = draw(st.sampled_from(anchors))
    if draw(st.integers(0, 4)) == 0:
        anchor = f"{draw(st.sampled_from(['latest', 'earliest']))}({anchor}, expiry)"
    length = draw(st.sampled_from(("", *PERIODS, *EXACT_PERIODS)))
    sign = draw(st.sampled_from("+-"))
    return f"{anchor} {sign} {length}" if length else anchor


@st.composite
def notices(draw, number, anchors):
    """Draw a notice or an export."""
    step = {"id": f"step-{number}", "at": draw(moments(anchors))}
    if draw(st.integers(0, 4)) == 0:
        step["at"] = [step["at"], draw(moments(anchors))]
    if draw(st.booleans()):
        step["useful_until"] = draw(moments(("expiry",)))
    action = draw(st.sampled_from(["notify", "notify", "export"]))
    if action == "notify":
        return step | {"notify": "admins"}
    return step | {"export": "subject", "send_to": "admins"}


@st.composite
def made_policies(draw):
    """Draw a policy: some notices, each counted from the end or from one above, then a deletion."""
    steps, anchors = [], ["expiry", "expired", "immediately"]
    for number in range(draw(st.integers(1, 4))):
        step = draw(notices(number, [name for name in anchors if name != "immediately"]))
        steps.append(step)
        anchors.append(step["id"])
    required = draw(st.lists(st.sampled_from([step["id"] for step in steps]), unique=True))
    interval = st.sampled_from(("P0D", "P7D", "P1M", "P5B", "PT48H"))
    erase = {
        "id": "erase",
        "at": draw(moments(("expiry", "expired"))),
        "erase": "subject",
        "requires": [{"delivered": key, "at_least_before": draw(interval)} for key in required],
    }
    locked = {"id": "locked", "from": draw(moments(("expiry",))), "access": {"*": "read-only"}}
    return make_policy(
        *draw(st.permutations([*steps, erase])), stages=[ACTIVE, EXPIRED, locked, ERASED]
    )


policies = st.sampled_from(PRESETS).map(find_policy) | made_policies()


@st.composite
def facts(draw, ends=boundaries):
    """Draw the facts of a subject whose term ends."""
    return make_facts(
        draw(ends), zone=draw(zones), kind=draw(st.sampled_from(SubjectKind)), cause=Cause.EXPIRED
    )


def moved(known, ends):
    """Give the same facts with another end."""
    return Facts(kind=known.kind, zone=known.zone, anchors={"expiry": ends}, cause=known.cause)
