"""What is wrong between the values of a policy is found, named, and told with a way out."""

import copy

import pytest

from offramp.core.advice import warnings
from offramp.core.lint import faults, override_faults
from offramp.core.policy import Policy

GOOD = {
    "offramp": 1,
    "policy": "small",
    "version": 1,
    "applies_to": ["organization", "member"],
    "periods": {"grace": {"value": "P40D", "at_least": "P1M", "at_most": "P2M"}},
    "levels": {"look": ["sign-in", "read", "export"]},
    "stages": [
        {"id": "active", "access": {"*": "full"}},
        {"id": "expired", "from": "expiry", "access": {"*": "none", "admin": {"app": "look"}}},
        {"id": "erased", "from": "erase", "access": {"*": "none"}, "final": True},
    ],
    "steps": [
        {"id": "warning", "at": "expiry - P7D", "useful_until": "expiry", "notify": "subject"},
        {"id": "data", "at": "expiry + P2D", "export": "subject", "send_to": "admins"},
        {
            "id": "erase",
            "at": "expiry + grace",
            "no_later_than": "expiry + P3M",
            "erase": "subject",
            "requires": [{"delivered": "warning", "at_least_before": "P7D"}],
        },
    ],
}
STAGE, STEP = "stages", "steps"


def changed(*changes):
    """Give the good policy with values set at paths; none removes a key."""
    data = copy.deepcopy(GOOD)
    for path, value in changes:
        node = data
        for part in path[:-1]:
            node = node[part]
        if path[-1] == "+":
            node.append(value)
        elif value is None:
            del node[path[-1]]
        else:
            node[path[-1]] = value
    return Policy.model_validate(data)


FAULTS = [
    # names
    ([((STAGE, 1, "id"), "active")], (STAGE, 1, "id"), "already the name of a stage"),
    ([((STEP, 1, "id"), "expired")], (STEP, 1, "id"), "already the name of a stage"),
    ([((STEP, 0, "id"), "cancelled")], (STEP, 0, "id"), "already the name of an anchor"),
    ([((STEP, 0, "id"), "never")], (STEP, 0, "id"), "a word of the language"),
    ([(("periods", "erase"), {"value": "P1D"})], ("periods", "erase"), "the name of a step"),
    # moments
    ([((STEP, 0, "at"), "expirey - P7D")], (STEP, 0, "at", "*", 0), "no anchor, stage or step"),
    ([((STEP, 2, "at"), "expiry + grase")], (STEP, 2, "at", "*", 0), "no period grase"),
    ([((STEP, 0, "useful_until"), "expried")], (STEP, 0, "useful_until"), "expried"),
    ([((STEP, 2, "no_later_than"), "end + P1D")], (STEP, 2, "no_later_than"), "step end"),
    ([((STAGE, 1, "from"), "latest(expiry, ended)")], (STAGE, 1, "from", "*", 0), "ended"),
    (
        [((STEP, 2), None), ((STAGE, 2, "from"), "deletion")],
        (STAGE, 2, "from", "*", 0),
        "no step erases",
    ),
    # counted from itself
    ([((STEP, 1, "at"), "data + P2D")], (STEP, 1), "counted from itself"),
    ([((STAGE, 1, "from"), "erased - P9D"), ((STEP, 2, "at"), "expired + P9D")], None, "itself"),
    # stages and access
    ([((STAGE, 0, "from"), "expiry")], (STAGE, 0, "from"), "has always been there"),
    ([((STAGE, 1, "from"), None)], (STAGE, 1), "never begins"),
    ([((STAGE, 1, "from"), ["expiry", "cancelled"])], (STAGE, 1, "from", "*"), "begins once"),
    ([((STAGE, 1, "final"), True)], (STAGE, 1, "final"), "follows the final stage"),
    ([((STAGE, 0, "access"), {"*": "ful"})], (STAGE, 0, "access", "*"), "no level ful"),
    ([((STAGE, 0, "access"), {"admn": "full"})], (STAGE, 0, "access", "admn"), "no role admn"),
    (
        [((STAGE, 0, "access"), {"*": {"The App": "full"}})],
        (STAGE, 0, "access", "*", "The App"),
        "not the name of a surface",
    ),
    ([((STAGE, 1, "from"), "expiry + P4M")], (STAGE, 2, "from"), "would begin before expired"),
    ([((STAGE, 2, "reactivate"), {"by": ["admin"]})], (STAGE, 2, "reactivate"), "nothing is left"),
    ([((STAGE, 2, "from"), "expiry + P40D")], (STEP, 2, "erase"), "no stage begins"),
    # steps and guards
    ([((STEP, 0, "send_to"), "admins")], (STEP, 0, "send_to"), "send_to means nothing"),
    ([((STEP, 1, "attach"), "achievements")], (STEP, 1, "attach"), "attach means nothing"),
    ([((STEP, 1, "if_unmet"), "ask")], (STEP, 1, "if_unmet"), "if_unmet means nothing"),
    (
        [(("applies_to",), ["member"]), ((STEP, 0, "applies_to"), ["organization"])],
        (STEP, 0, "applies_to"),
        "organization",
    ),
    (
        [((STEP, 1, "applies_to"), ["member"]), ((STEP, 1, "export"), "organization")],
        (STEP, 1, "export"),
        "which it does not apply to",
    ),
    (
        [((STEP, 2, "requires", 0, "delivered"), "warnign")],
        (STEP, 2, "requires", 0, "delivered"),
        "no step warnign",
    ),
    (
        [((STEP, 2, "requires", 0, "delivered"), "erase")],
        (STEP, 2, "requires", 0, "delivered"),
        "delivered to nobody",
    ),
    (
        [((STEP, 1, "send_to"), None), ((STEP, 2, "requires", 0, "delivered"), "data")],
        (STEP, 2, "requires", 0, "delivered"),
        "delivered to nobody",
    ),
    (
        [((STEP, 0, "applies_to"), ["member"])],
        (STEP, 2, "requires", 0, "delivered"),
        "not planned for the organization",
    ),
    (
        [((STEP, 0, "at"), "expiry + P4M"), ((STEP, 0, "useful_until"), None)],
        (STEP, 2, "requires", 0),
        "planned after erase",
    ),
    ([((STEP, 0, "optional"), True)], (STEP, 2, "requires", 0, "delivered"), "may decline it"),
    (
        [
            ((STEP, "+"), {"id": "late", "at": "expiry", "notify": "admins", "optional": True}),
            ((STEP, 2, "instead"), "late"),
        ],
        (STEP, 2, "instead"),
        "may decline it",
    ),
    ([((STEP, 2, "instead"), "warnin")], (STEP, 2, "instead"), "no notice warnin"),
    ([((STEP, 2, "instead"), "data")], (STEP, 2, "instead"), "no notice data"),
    ([((STEP, 0, "useful_until"), "expiry - P9D")], (STEP, 0, "useful_until"), "has passed"),
    ([((STEP, 2, "no_later_than"), "expiry + P9D")], (STEP, 2, "no_later_than"), "closes before"),
    (
        [((STEP, "+"), {"id": "again", "at": "expiry + P3M", "erase": "member"})],
        (STEP, 3),
        "a second step erases the member",
    ),
    ([((STEP, 2, "at"), ["expiry + P40D", "expiry + P41D"])], (STEP, 2, "at"), "erased again"),
    # periods
    ([(("periods", "grace", "value"), "P27D")], ("periods", "grace"), "P27D is shorter than P1M"),
    ([(("periods", "grace", "value"), "P63D")], ("periods", "grace"), "P63D is longer than P2M"),
    ([(("periods", "grace", "value"), "never")], ("periods", "grace"), "never is longer"),
]


@pytest.mark.parametrize(("changes", "path", "problem"), FAULTS)
def test_a_fault_is_found_where_it_is(changes, path, problem):
    found = faults(changed(*changes))

    assert any(problem in fault.problem for fault in found), found
    assert path is None or path in [fault.path for fault in found]
    assert all(fault.expected for fault in found)


def test_a_policy_without_faults_has_none():
    assert faults(changed()) == ()


@pytest.mark.parametrize(
    ("path", "word", "hint"),
    [
        ((STEP, 0, "at"), "expirey - P7D", "did you mean expiry?"),
        ((STAGE, 0, "access", "*"), "ful", "did you mean full?"),
        ((STEP, 2, "requires", 0, "delivered"), "warnin", "did you mean warning?"),
        ((STEP, 2, "at"), "expiry + grase", "did you mean grace?"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest_one(path, word, hint):
    assert faults(changed((path, word)))[0].hint == hint


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"grace": "P45D"}, None),
        ({"grace": "P2M"}, None),
        ({"grace": "P20D"}, "P20D is shorter than P1M"),
        ({"grace": "P1Y"}, "P1Y is longer than P2M"),
        ({"grace": "never"}, "never is longer than P2M"),
        ({"grace": "immediately"}, "immediately is shorter than P1M"),
        ({"grace": "a while"}, "'a while' is not a period."),
        ({"grac": "P45D"}, "there is no period grac"),
        ({"fixed": "P45D"}, "the period fixed may not be changed by a contract"),
    ],
)
def test_a_contract_moves_a_period_only_inside_its_bounds(overrides, problem):
    policy = changed((("periods", "fixed"), {"value": "P1D"}))

    found = override_faults(policy, overrides)

    assert [fault.problem for fault in found] == ([problem] if problem else [])


WARNINGS = [
    ("W1", [((STEP, 2, "at"), "expiry + P20D"), ((STAGE, 1, "access"), {"*": "none"})], (STEP, 2)),
    ("W2", [((STEP, 2, "requires"), [])], (STEP, 2)),
    ("W3", [((STEP, 1, "fallback"), "admins")], (STEP, 1)),
    (
        "W4",
        [((STAGE, 1, "from"), "expiry + P9D"), ((STEP, 2, "at"), "expired + P60D")],
        (STEP, 2, "at"),
    ),
    ("W5", [((STEP, 2, "no_later_than"), None)], (STEP, 2)),
    ("W6", [((STEP, 0, "at"), {"cancelled": "expiry - P7D"})], (STEP, 2, "requires", 0)),
    (
        "W7",
        [
            ((STEP, 2, "requires", 0, "at_least_before"), "P90D"),
            ((STEP, 2, "no_later_than"), None),
        ],
        (STEP, 2, "requires", 0),
    ),
    ("W8", [(("periods", "spare"), {"value": "P1D"})], ("periods", "spare")),
]


@pytest.mark.parametrize(("rule", "changes", "path"), WARNINGS)
def test_what_is_unwise_is_told_by_its_rule(rule, changes, path):
    policy = changed(*changes)

    told = {(warning.rule, warning.path) for warning in warnings(policy)}

    assert faults(policy) == ()
    assert (rule, path) in told


def test_a_careful_policy_is_not_warned():
    assert warnings(changed()) == ()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([((STAGE, 1, "access"), {"*": "look"})], id="people can export"),
        pytest.param([((STAGE, 1, "export_on_request"), ["member"])], id="on request"),
        pytest.param([((STEP, 1, "at"), "expiry + P1D")], id="handed over early"),
    ],
)
def test_thirty_days_of_retrieval_can_be_given_in_several_ways(changes):
    shut = [((STAGE, 1, "access"), {"*": "none"}), ((STEP, 1, "at"), "expiry + P30D")]

    assert "W1" in {warning.rule for warning in warnings(changed(*shut))}
    assert warnings(changed(*shut, *changes)) == ()
