"""The prefix of one organization can never mean everything, or somebody else too."""

import pytest

from offramp.data.sources.prefix import PrefixUnfit, parse_prefix


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "companies/",
        "companies/{companies.id}",
        "/companies/{companies.id}/",
        "companies//{companies.id}/",
        "../{companies.id}/",
        "companies/*/{companies.id}/",
        "companies/{id}/",
        "companies/{}/",
        "companies/{companies.id/",
        "companies/ {companies.id}/",
    ],
)
def test_a_pattern_that_could_mean_more_than_one_is_refused(text):
    with pytest.raises(ValueError, match=r"prefix|place"):
        parse_prefix(text)


@pytest.mark.parametrize(
    "value",
    ["", " ", "acme ", ".", "..", "a/b", "a\\b", "a\0b", "a\nb", "*", "acme?", "[a]", "%"],
)
def test_a_value_that_is_not_one_plain_word_is_refused(value):
    prefix = parse_prefix("customers/{companies.slug}/")

    with pytest.raises(PrefixUnfit) as caught:
        prefix.fill({"companies.slug": value})

    assert caught.value.column == "companies.slug"


def test_a_refused_value_is_not_quoted():
    prefix = parse_prefix("customers/{companies.slug}/")

    with pytest.raises(PrefixUnfit) as caught:
        prefix.fill({"companies.slug": "secret/name"})

    assert "secret" not in f"{caught.value} {caught.value.hint} {caught.value.attributes}"


def test_a_prefix_is_filled_with_the_values_of_its_columns():
    prefix = parse_prefix("eu/{companies.id}-{companies.slug}/users/{users.id}/")

    filled = prefix.fill({"companies.id": "1", "companies.slug": "acme", "users.id": "7"})

    assert filled == "eu/1-acme/users/7/"
    assert prefix.columns == ("companies.id", "companies.slug", "users.id")


@pytest.mark.parametrize(
    ("text", "shared"),
    [("{a.id}/", ""), ("x/{a.id}/", "x/"), ("x/y-{a.id}/z/", "x/"), ("x/y/{a.id}/", "x/y/")],
)
def test_what_all_prefixes_share_is_the_folders_before_the_first_value(text, shared):
    assert parse_prefix(text).shared == shared


def test_the_prefix_of_one_key_is_no_beginning_of_anothers():
    prefix = parse_prefix("companies/{companies.id}/")

    one, ten = (prefix.fill({"companies.id": key}) for key in ("1", "10"))

    assert not ten.startswith(one)
