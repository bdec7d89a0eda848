"""What columns seem to hold; who the people are; what an organization is recognized by."""

import pytest

from offramp.data.category import CATEGORIES
from offramp.data.inference.infer import infer
from tests.unit.data.catalogs import catalog

ROOT = "companies: id* name:text slug:text~ code~"
USERS = "users: id* company_id>companies! email:text! first_name:text last_name:text tz:text"


def propose(*lines, **options):
    return infer(catalog(*lines), source="app", root="companies.id", member=None, **options)


def column(line, **options):
    proposal = propose(ROOT, USERS, f"things: id* company_id>companies! {line}", **options)
    (table,) = [table for table in proposal.tables if table.name == "things"]
    return table.columns[-1]


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("email:text", "user.contact.email"),
        ("billingEmail:text", "user.contact.email"),
        ("email_2:text", "user.contact.email"),
        ("email_verified:bool", "system.operations"),
        ("email_template:text", "user.content"),
        ("first_name:text", "user.name.first"),
        ("surname:text", "user.name.last"),
        ("phone:text", "user.contact.phone_number"),
        ("street:text", "user.contact.address.street"),
        ("address_line_2:text", "user.contact.address.street"),
        ("zip:text", "user.contact.address.postal_code"),
        ("ip_address:text", "user.device.ip_address"),
        ("birth_date:date", "user.demographic.date_of_birth"),
        ("iban:text", "user.financial.bank_account"),
        ("lat", "user.location.precise"),
        ("owner>users", "user.unique_id"),
        ("mood:enum", "system.operations"),
        ("amount", "system.operations"),
        ("created_at:at", "system.operations"),
        ("payload:json", "user.content"),
        ("remarks:text", "user.content"),
        ("scan:bytes", "user.content"),
        ("shipping:text", "user.content"),
    ],
)
def test_a_name_and_a_type_suggest_a_category_and_a_reason(written, category):
    found = column(written)

    assert (found.category, bool(found.reason)) == (category, True)
    assert category in CATEGORIES


@pytest.mark.parametrize(
    "written",
    ["password:text", "password_hash:text!", "api_key:text", "apiKey:text", "reset_token:text",
     "secret:bytes", "salt:text", "otp:text", "tokens:json"],
)  # fmt: skip
def test_a_secret_is_never_exported(written):
    """L17."""
    found = column(written)

    assert (found.is_secret, found.category) == (True, "user.authorization.credentials")
    assert found.is_replaced == written.endswith("!")


@pytest.mark.parametrize("written", ["token_count", "password_changed_at:at", "secretary:text"])
def test_what_only_sounds_like_a_secret_is_exported(written):
    assert not column(written).is_secret


def test_a_category_that_is_known_goes_before_every_guess():
    found = column("email:text", known={"things": {"email": "user.social"}})

    assert (found.category, found.reason) == ("user.social", "imported from the Fideslang dataset")


def test_people_are_recognized_and_how_they_are_reached():
    proposal = propose(ROOT, USERS)

    members = proposal.members
    assert proposal.member == "users.id"
    assert (members.table, members.key, members.email) == ("app.users", "id", "email")
    assert (members.name, members.zone) == (("first_name", "last_name"), "tz")


def test_where_two_tables_could_be_the_people_nobody_is_chosen():
    others = ("members: id* company_id>companies! email:text",
              "employees: id* company_id>companies! email:text")  # fmt: skip

    assert propose(ROOT, *others).member is None


def test_what_people_have_earned_is_recognized_where_it_leads_to_a_person():
    proposal = propose(
        ROOT,
        USERS,
        "certificates: id* user_id>users! serial:text issued_at:at holder_name:text",
        "badges: id* company_id>companies! title:text earned_at:at",
        "awards: id* user_id>users! points earned_at:at",
    )

    (rule,) = proposal.achievements
    assert (rule.table, rule.title, rule.holder, rule.at) == (
        "app.certificates", "serial", "holder_name", "issued_at",
    )  # fmt: skip


def test_an_organization_is_recognized_by_unique_texts_and_addresses():
    proposal = propose(ROOT, USERS)

    assert proposal.marks == ("app.companies.slug", "app.users.email")
