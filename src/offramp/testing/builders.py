"""Small values for tests: whatever is not said is what most cases have.

Everything that makes policies, facts, timelines and receipts out of one line lives here. Dates and
instants are written as text: ``2024-08-30`` is a last day, ``2024-08-30T12:00:00Z`` an instant.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from whenever import Instant

from offramp.core.dates import Boundary, parse_boundary
from offramp.core.due import Situation
from offramp.core.model import (
    Anchor,
    Cause,
    Facts,
    Hold,
    Member,
    Outcome,
    Pool,
    Receipt,
    Role,
    Subject,
    SubjectKind,
    Unlock,
)
from offramp.core.plan import PlannedStep, Timeline, plan
from offramp.core.policy import Policy

ZONE = "Europe/Dublin"
ENDS = "2024-08-30"
ACTIVE: Mapping[str, Any] = {"id": "active", "access": {"*": "full"}}
EXPIRED: Mapping[str, Any] = {"id": "expired", "from": "expiry", "access": {"*": "none"}}
ERASED: Mapping[str, Any] = {"id": "erased", "from": "erase", "access": {"*": "none"}}


def make_policy(*steps: Mapping[str, Any], **parts: object) -> Policy:
    """Make a policy of some steps; unless told otherwise access ends with the licence."""
    stages = [ACTIVE, EXPIRED]
    if any(step["id"] == "erase" for step in steps):
        stages.append(ERASED)
    document = {
        "offramp": 1,
        "policy": "made",
        "version": 1,
        "applies_to": ["organization", "member"],
        "stages": stages,
        "steps": steps,
    }
    return Policy.model_validate(document | parts)


def make_facts(
    ends: str | Boundary = ENDS,
    *,
    zone: str = ZONE,
    kind: SubjectKind = SubjectKind.ORGANIZATION,
    cause: Cause = Cause.EXPIRED,
    overrides: Mapping[str, str] | None = None,
    **anchors: str | Boundary,
) -> Facts:
    """Make the facts of a subject whose term ends; other anchors as ``last_activity=…``."""
    named = {name.replace("_", "-"): as_boundary(end) for name, end in anchors.items()}
    return Facts(
        kind=kind,
        zone=zone,
        anchors={Anchor.EXPIRY: as_boundary(ends)} | named,
        cause=cause,
        overrides=overrides or {},
    )


def as_boundary(end: str | Boundary) -> Boundary:
    """Read a date or an instant when it is text."""
    return parse_boundary(end) if isinstance(end, str) else end


def make_timeline(policy: Policy, ends: str | Boundary = ENDS, **facts: Any) -> Timeline:  # noqa: ANN401 (passed on to `make_facts`)
    """Plan a policy for a subject whose term ends."""
    return plan(policy, make_facts(ends, **facts))


def make_receipt(
    step: str | PlannedStep,
    done_at: str | Instant | None = None,
    *,
    outcome: Outcome = Outcome.DONE,
    delivered_at: str | None = None,
) -> Receipt:
    """Make the receipt of a step, carried out when it was due unless told otherwise."""
    key = step if isinstance(step, str) else step.key
    due_at = None if isinstance(step, str) else step.due_at
    done = Instant.parse_iso(done_at) if isinstance(done_at, str) else done_at or due_at
    assert done is not None, "a receipt of a bare key needs its time"
    return Receipt(
        step=key,
        outcome=outcome,
        due_at=due_at or done,
        done_at=done,
        delivered_at=None if delivered_at is None else Instant.parse_iso(delivered_at),
    )


def make_receipts(*receipts: Receipt) -> dict[str, Receipt]:
    """File receipts under their steps, as a situation has them."""
    return {receipt.step: receipt for receipt in receipts}


def make_situation(
    timeline: Timeline,
    receipts: Iterable[Receipt] = (),
    **known: Any,  # noqa: ANN401 (passed on to `Situation`)
) -> Situation:
    """Make the situation of a subject with some receipts and nothing in the way."""
    member = None if timeline.kind is SubjectKind.ORGANIZATION else "anna"
    subject = Subject(organization="acme", member=member)
    filed = make_receipts(*receipts)
    return Situation(subject=subject, timeline=timeline, receipts=filed, **known)


def make_pool(
    pool_id: str = "pool",
    ends: str | None = ENDS,
    *,
    organization: str = "acme",
    product: str = "training",
    seats: int = 10,
) -> Pool:
    """Make a pool of seats; ``ends=None`` makes an open-ended one."""
    return Pool(
        id=pool_id,
        organization=organization,
        product=product,
        kind="standard",
        seats=seats,
        ends=None if ends is None else as_boundary(ends),
    )


def make_member(
    member_id: str = "anna",
    *pools: str,
    organization: str = "acme",
    roles: Iterable[Role] = (Role.MEMBER,),
    ends: str | None = None,
    removed_at: str | None = None,
) -> Member:
    """Make a member with seats in some pools."""
    return Member(
        id=member_id,
        organization=organization,
        email=f"{member_id}@{organization}.example",
        name=member_id.title(),
        roles=frozenset(roles),
        locale="en",
        zone=ZONE,
        pools=frozenset(pools),
        ends=None if ends is None else as_boundary(ends),
        removed_at=None if removed_at is None else Instant.parse_iso(removed_at),
    )


def make_hold(placed_at: str, ends_at: str | None = None, *, member: str | None = None) -> Hold:
    """Make a legal hold on an organization, or on one of its members."""
    return Hold(
        id="hold",
        organization="acme",
        member=member,
        owner="legal",
        reason="litigation",
        placed_at=Instant.parse_iso(placed_at),
        ends_at=None if ends_at is None else Instant.parse_iso(ends_at),
    )


def make_unlock(starts_at: str, ends_at: str) -> Unlock:
    """Make a temporary unlock of an organization."""
    return Unlock(
        organization="acme",
        member=None,
        owner="support",
        reason="a certificate was lost",
        starts_at=Instant.parse_iso(starts_at),
        ends_at=Instant.parse_iso(ends_at),
    )
