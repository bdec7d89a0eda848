"""The same question put to engines for rules: parsed once, with the stage as one of the facts.

They are told the stage, which Offramp works out for itself; no more is asked of them than the
table of the policy, by role and place. That is less work, never more.
"""

from collections.abc import Callable

import casbin
import cedarpy
from casbin.model import FastModel

from benchmarks.access.world import POLICY, ROLES, SURFACES, Asked
from offramp.core.policy import Capability
from offramp.documents.policy import find_policy

STAGE = "expired"
Ask = Callable[[Asked], bool]
_CACHED_BY = (0, 1, 2)  # every part of a request
_MODEL = """\
[request_definition]
r = role, place, act
[policy_definition]
p = role, place, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.role == p.role && r.place == p.place && r.act == p.act
"""


def table() -> frozenset[tuple[str, str, str]]:
    """Give what the stage allows: role, surface, capability."""
    policy = find_policy(POLICY)
    (stage,) = (each for each in policy.stages if each.id == STAGE)
    return frozenset(
        (role, surface, each.value)
        for role in {each.value for each in ROLES}
        for surface in SURFACES
        for each in policy.capabilities(stage.level(role=role, surface=surface))
    )


def by_cedar() -> Ask:
    """Ask Cedar, with policies and entities that were parsed before."""
    rules = "\n".join(
        f'permit(principal in Role::"{role}", action == Action::"{act}",'
        f' resource == Surface::"{surface}");'
        for role, surface, act in sorted(table())
    )
    policies = cedarpy.PolicySet.from_str(rules)
    entities = cedarpy.Entities.from_json_str("[]")

    def ask(asked: Asked) -> bool:
        request = {
            "principal": {"type": "Role", "id": asked.role.value},
            "action": {"type": "Action", "id": asked.capability.value},
            "resource": {"type": "Surface", "id": asked.surface},
        }
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    return ask


def by_casbin() -> Ask:
    """Ask Casbin, with its index over the rules."""
    model = FastModel(_CACHED_BY)
    model.load_model_from_text(_MODEL)
    enforcer = casbin.FastEnforcer(model, cache_key_order=_CACHED_BY)
    enforcer.add_policies([list(row) for row in sorted(table())])

    def ask(asked: Asked) -> bool:
        return bool(enforcer.enforce(asked.role.value, asked.surface, asked.capability.value))

    return ask


def by_dictionary() -> Ask:
    """Look the answer up by everything that was asked: what no decision can be faster than."""
    allowed, roles = table(), {role.value for role in ROLES}
    known = {
        (role, surface, each): (role, surface, each.value) in allowed
        for role in roles
        for surface in SURFACES
        for each in Capability
    }

    def ask(asked: Asked) -> bool:
        return known[asked.role.value, asked.surface, asked.capability]

    return ask
