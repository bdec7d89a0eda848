"""The same question put to two libraries that decide by rules, and to a plain dictionary.

Each is given what is best for it: policies and entities parsed beforehand, an index where it has
one, and nothing but what this question needs. Casbin and the dictionary know nothing of time: for
Casbin the stage is worked out beforehand, and the dictionary is right for one stage alone.

Source: Cedar 4 by cedarpy; PyCasbin's FastEnforcer; docs/performance-access.md.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import casbin
import cedarpy

from benchmarks.access.ground import ENDS, NOW, ORGANIZATION, member_id
from offramp.core.access import capabilities_of, levels_of
from offramp.core.model import Role
from offramp.core.plan import Span
from offramp.core.policy import Capability
from offramp.documents.policy import find_policy
from offramp.sdk.clock import ForwardClock
from offramp.testing.builders import make_timeline

Ask = Callable[[str, Capability], bool]
PEOPLE = 100  # that Cedar is given; it is slower with more
_TIMELINE = make_timeline(find_policy("edit-only-grace"), ENDS)
_MODEL = """\
[request_definition]
r = stage, act

[policy_definition]
p = stage, act

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.stage == p.stage && r.act == p.act
"""


def cedar() -> Ask:
    """Give Cedar a rule for each stage that allows anything, and let it compare the instants."""
    policies = cedarpy.PolicySet.from_str("\n".join(map(_rule, _open_spans())))
    acme = {"type": "Organization", "id": ORGANIZATION}
    people = [
        {"uid": {"type": "User", "id": member_id(number)}, "attrs": {}, "parents": [acme]}
        for number in range(PEOPLE)
    ]
    organization = {"uid": acme, "attrs": {}, "parents": []}
    clock = ForwardClock()
    entities = cedarpy.Entities.from_json_str(json.dumps([organization, *people]))

    def ask(member: str, capability: Capability) -> bool:
        request = {
            "principal": {"type": "User", "id": member},
            "action": {"type": "Action", "id": capability.value},
            "resource": acme,
            "context": {"now": clock().timestamp()},
        }
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    return ask


def by_casbin() -> Ask:
    """Give Casbin one line for each capability of each stage, found by an index."""
    lines = [f"p, {span.stage.id}, {each}" for span in _open_spans() for each in _allowed(span)]
    with tempfile.TemporaryDirectory() as folder:
        model, rules = Path(folder) / "model.conf", Path(folder) / "rules.csv"
        model.write_text(_MODEL, "utf-8")
        rules.write_text("\n".join(lines), "utf-8")
        enforcer = casbin.FastEnforcer(str(model), str(rules), cache_key_order=[0, 1])
    stage = _TIMELINE.span_at(NOW, receipts={}).stage.id

    def ask(member: str, capability: Capability) -> bool:
        return bool(enforcer.enforce(stage, capability.value))

    return ask


def dictionary(members: int) -> Ask:
    """Look up what was worked out for this stage; nothing can be quicker."""
    allowed = _allowed(_TIMELINE.span_at(NOW, receipts={}))
    answers = {
        (member_id(number), each): each in allowed
        for number in range(members)
        for each in Capability
    }

    def ask(member: str, capability: Capability) -> bool:
        return answers[member, capability]

    return ask


def _open_spans() -> list[Span]:
    return [span for span in _TIMELINE.spans if _allowed(span)]


def _allowed(span: Span) -> frozenset[Capability]:
    levels = levels_of(span.stage, roles=frozenset({Role.MEMBER}), surface="app")
    return capabilities_of(levels, _TIMELINE.policy)


def _rule(span: Span) -> str:
    actions = ", ".join(f'Action::"{each}"' for each in sorted(_allowed(span)))
    since = 0 if span.starts_at is None else span.starts_at.timestamp()
    assert span.ends_at is not None, "nothing is allowed in the last stage"
    return (
        f"permit(principal, action in [{actions}], resource) when {{ principal in resource"
        f" && context.now >= {since} && context.now < {span.ends_at.timestamp()} }};"
    )
