"""Categories from Fideslang datasets, and refusals that name their line."""

import pytest

from offramp.documents.fideslang import FideslangInvalid, load_fideslang

DATASET = """\
dataset:
  - fides_key: app
    name: App
    collections:
      - name: users
        fields:
          - name: email
            data_categories: [user.contact.email]
          - name: profile
            fields:
              - name: city
                data_categories: [user.contact.address.city]
              - name: street
                data_categories: [user.contact.address.street]
          - name: token
            data_categories: [system.operations, user.authorization]
          - name: created_at
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        file = tmp_path / "dataset.yaml"
        file.write_text(text, "utf-8")
        return load_fideslang(file)

    return load


def test_every_column_with_a_category_is_taken_over(load):
    found = load(DATASET)

    assert found == {
        "users": {
            "email": "user.contact.email",
            "profile": "user.contact.address",
            "token": "user.authorization",
        }
    }


def test_a_category_that_does_not_exist_is_refused_with_the_one_that_was_meant(load):
    with pytest.raises(FideslangInvalid) as caught:
        load(DATASET.replace("[user.contact.email]", "[user.contact.emial]"))

    assert (caught.value.line, caught.value.hint) == (8, "did you mean user.contact.email?")
    assert "user.contact.emial" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("dataset:", "datasets:", 1),
        ("name: users", "title: users", 5),
        ("[user.contact.email]", "user.contact.email", 8),
        ("          - name: created_at\n", "          - created_at\n", 17),
    ],
)
def test_what_is_no_dataset_is_refused_with_its_line(load, old, new, line):
    assert old in DATASET

    with pytest.raises(FideslangInvalid) as caught:
        load(DATASET.replace(old, new))

    assert caught.value.line == line
