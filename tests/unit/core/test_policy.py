import jsonschema
import pytest
from pydantic import ValidationError
from whenever import Date, Time

from offramp.core.dates import Period
from offramp.core.model import Cause, SubjectKind
from offramp.core.moment import Moment
from offramp.core.policy import ANY, LEVELS, Action, Audience, Capability, Policy, Stage, schema
from offramp.documents.policy import find_policy
from offramp.documents.yaml import load_yaml
from offramp.testing.builders import make_policy

PRESETS = ("license-pool", "edit-only-grace")
NOTICE = {"id": "warn", "at": "expiry - P14D", "notify": "admins"}


def problems(error):
    """List where a document is wrong, without the words for it."""
    return {".".join(str(part) for part in found["loc"]) for found in error.errors()}


def test_one_moment_a_list_and_a_mapping_by_cause_are_all_schedules_N3_S2():
    single = make_policy(NOTICE).steps[0].at
    several = make_policy(NOTICE | {"at": ["expiry - P30D", "expiry - P14D"]}).steps[0].at
    by_cause = make_policy(NOTICE | {"at": {"removed": "removed", "*": "expiry"}}).steps[0].at

    assert single == {ANY: (Moment.parse("expiry - P14D"),)}
    assert [str(moment) for moment in several[ANY]] == ["expiry - P30D", "expiry - P14D"]
    assert by_cause == {Cause.REMOVED: (Moment.parse("removed"),), ANY: (Moment.parse("expiry"),)}


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"versoin": 2}, "versoin"),
        ({"offramp": 2}, "offramp"),
        ({"version": 0}, "version"),
        ({"stages": []}, "stages"),
        ({"applies_to": []}, "applies_to"),
        ({"applies_to": ["user"]}, "applies_to.0"),
        ({"send_at": "9:00"}, "send_at"),
        ({"send_at": 900}, "send_at"),
        ({"bounce_window": "a while"}, "bounce_window"),
        ({"holidays": ["2024-02-30"]}, "holidays.0"),
        ({"weekend": ["monday"] * 7}, "weekend"),
        ({"levels": {"some": ["read", "fly"]}}, "levels.some.1"),
    ],
)
def test_what_a_policy_cannot_say_is_refused_where_it_stands(parts, where):
    with pytest.raises(ValidationError) as caught:
        make_policy(**parts)

    assert any(place.startswith(where) for place in problems(caught.value))


@pytest.mark.parametrize(
    "step",
    [
        {"id": "nothing", "at": "expiry"},
        {"id": "both", "at": "expiry", "notify": "admins", "erase": "organization"},
        {"id": "Upper", "at": "expiry", "notify": "admins"},
        {"id": "vague", "at": "soon enough", "notify": "admins"},
        {"id": "nobody", "at": "expiry", "notify": []},
        {"id": "no-date", "at": [], "notify": "admins"},
        {"id": "cause", "at": {"bored": "expiry"}, "notify": "admins"},
        {"id": "typo", "at": "expiry", "notify": "admins", "usefull_until": "expiry"},
    ],
)
def test_a_step_does_exactly_one_known_thing_at_a_known_time(step):
    with pytest.raises(ValidationError):
        make_policy(step)


def test_an_error_keeps_the_expectation_and_the_hint_of_its_parser():
    with pytest.raises(ValidationError) as caught:
        make_policy(NOTICE | {"at": "expiry + P90D + P9M"})

    context = caught.value.errors()[0]["ctx"]
    assert "anchor" in context["expected"]
    assert "P12M" in context["hint"]


def test_unless_told_otherwise_mail_goes_at_nine_and_deletion_at_two_T4():
    policy = make_policy()

    assert (policy.send_at, policy.quiet_hour) == (Time(9), Time(2))
    assert policy.bounce_window == Period.parse("PT1H")


def test_a_step_knows_its_action_its_scope_and_its_readers():
    policy = make_policy(
        NOTICE,
        {"id": "data", "at": "expiry", "export": "organization", "send_to": ["admins", "owner"]},
        {"id": "erase", "at": "expiry", "erase": "member"},
    )

    notice, export, erase = policy.steps
    assert [s.action for s in policy.steps] == [Action.NOTIFY, Action.EXPORT, Action.ERASE]
    assert [s.scope for s in policy.steps] == ["subject", "organization", "member"]
    assert notice.audience == (Audience.ADMINS,)
    assert export.audience == (Audience.ADMINS, Audience.OWNER)
    assert erase.audience == ()
    assert [s.is_destructive for s in policy.steps] == [False, False, True]


@pytest.mark.parametrize(
    "step",
    [
        {"erase": "subject"},
        {"erase": "subject", "no_later_than": "expiry + P90D", "spread_over": "PT48H"},
        {"notify": "admins", "no_later_than": "expiry + P90D"},
    ],
)
def test_only_a_deletion_with_a_window_of_days_can_be_spread_T5(step):
    with pytest.raises(ValidationError, match="spread_over has no window"):
        make_policy({"id": "erase", "at": "expiry", "spread_over": "P30D"} | step)


def test_a_step_concerns_the_subjects_that_its_scope_or_its_policy_names_S7():
    policy = make_policy(
        NOTICE,
        NOTICE | {"id": "mine", "applies_to": ["member"]},
        {"id": "data", "at": "expiry", "export": "organization"},
    )

    ids = {kind: [s.id for s in policy.steps_for(kind)] for kind in SubjectKind}
    assert ids == {
        SubjectKind.ORGANIZATION: ["warn", "data"],
        SubjectKind.MEMBER: ["warn", "mine"],
    }


@pytest.mark.parametrize(
    ("role", "surface", "level"),
    [
        ("admin", "console", "none"),
        ("admin", "app", "edit-only"),
        ("member", "app", "read-only"),
        ("stranger", "app", "read-only"),
        ("owner", "app", "export-only"),
        ("owner", "console", "none"),
    ],
)
def test_access_is_role_by_surface_and_what_is_not_listed_gets_none_A1(role, surface, level):
    stage = Stage(
        id="some",
        access={
            "*": "read-only",
            "admin": {"*": "edit-only", "console": "none"},
            "owner": {"app": "export-only"},
        },
    )

    assert stage.level(role=role, surface=surface) == level


def test_a_role_that_no_row_names_gets_none_A1():
    stage = Stage(id="some", access={"admin": "full"})

    assert stage.level(role="member", surface="app") == "none"


def test_a_policy_can_add_levels_and_replace_the_known_ones_L38():
    policy = make_policy(levels={"look": ["read"], "edit-only": ["update"]})

    assert policy.capabilities("look") == {Capability.READ}
    assert policy.capabilities("edit-only") == {Capability.UPDATE}
    assert policy.capabilities("read-only") == LEVELS["read-only"]
    assert policy.capabilities("unheard-of") == frozenset()


def test_edit_only_can_change_and_take_along_but_not_create_B3():
    edit_only = LEVELS["edit-only"]

    assert {Capability.UPDATE, Capability.COPY, Capability.EXPORT} <= edit_only
    assert not {Capability.CREATE, Capability.INVITE, Capability.MANAGE} & edit_only


def test_the_work_calendar_has_the_weekend_and_the_holidays_of_the_policy():
    calendar = make_policy(weekend=["friday"], holidays=["2024-12-25"]).calendar

    days = [Date(2024, 12, 20), Date(2024, 12, 21), Date(2024, 12, 25), Date(2024, 12, 26)]
    assert [calendar.is_business_day(day) for day in days] == [False, True, False, True]


@pytest.mark.parametrize("name", PRESETS)
def test_a_published_policy_comes_back_from_json_as_it_was_S4(name):
    policy = find_policy(name)

    assert Policy.model_validate_json(policy.model_dump_json(by_alias=True)) == policy


def test_every_kind_of_value_comes_back_from_json_as_it_was():
    policy = make_policy(
        NOTICE | {"at": {"expired": ["latest(expiry, last-activity) + grace"], "*": "never"}},
        send_at="10:30",
        holidays=["2024-12-25"],
        periods={"grace": {"value": "P5B", "at_least": "P0D", "at_most": "never"}},
        levels={"some": ["read", "export", "sign-in", "copy"]},
        links={"support": "https://example.com"},
    )

    text = policy.model_dump_json(by_alias=True)

    assert Policy.model_validate_json(text) == policy
    assert '"send_at":"10:30"' in text
    assert '"some":["sign-in","read","copy","export"]' in text  # sets are written in one order


def test_the_schema_accepts_the_files_that_the_models_accept(tmp_path):
    validator = jsonschema.Draft202012Validator(schema())
    file = tmp_path / "policy.yaml"
    file.write_text(
        'offramp: 1\npolicy: p\nversion: 1\napplies_to: [organization]\nsend_at: "08:00"\n'
        'stages: [{id: active, access: {"*": full}}]\n'
        "steps: [{id: a, at: [expiry - P1D, expiry], notify: admins},\n"
        "  {id: b, at: {removed: removed, '*': [expiry]}, notify: [owner]}]\n",
        encoding="utf-8",
    )

    assert list(validator.iter_errors(load_yaml(file).data)) == []


@pytest.mark.parametrize(
    "parts", [{"versoin": 1}, {"steps": [{"id": "a", "at": 5, "notify": "admins"}]}]
)
def test_the_schema_refuses_what_the_models_refuse(parts):
    document = make_policy().model_dump(mode="json", by_alias=True, exclude_unset=True)

    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(document)) == []
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(document | parts))


def test_the_schema_writes_defaults_as_a_file_does():
    properties = schema()["properties"]

    assert properties["quiet_hour"]["default"] == "02:00"
    assert properties["bounce_window"]["default"] == "PT1H"
