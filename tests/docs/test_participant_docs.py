"""docs/participants.md shows every message with its schema, and its examples are messages."""

import json
import re

import jsonschema
import pytest

from offramp.data.sources import wire
from tests.docs.participant_page import FILE, MESSAGES, page

TEXT = FILE.read_text("utf-8")
MESSAGE_OF = {message.__name__: message for message in MESSAGES}


def examples():
    """Give each example of the page with the message that it says it is."""
    found = re.findall(r"^`(\w+)`:\n\n```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return [pytest.param(name, text, id=name) for name, text in found]


def test_the_page_shows_the_schemas_that_the_code_has():
    assert page() == TEXT, "run: python -m tests.docs.participant_page"


def test_every_message_has_an_example():
    assert {each.values[0] for each in examples()} == set(MESSAGE_OF)


@pytest.mark.parametrize(("name", "text"), examples())
def test_an_example_is_a_message_and_fits_its_schema(name, text):
    MESSAGE_OF[name].model_validate_json(text)

    jsonschema.validate(json.loads(text), MESSAGE_OF[name].model_json_schema())


def test_the_page_names_the_headers():
    headers = (wire.ID, wire.TIMESTAMP, wire.SIGNATURE, wire.IDEMPOTENCY_KEY)

    assert [name for name in headers if f"`{name}`" not in TEXT] == []


def test_the_signature_of_the_page_is_the_one_that_is_made():
    secret = re.search(r"whsec_\w+", TEXT)[0]
    message_id, timestamp, signature = re.findall(r"^    webhook-\w+: (.+)$", TEXT, re.MULTILINE)
    body = re.search(r"^    (\{.+\})$", TEXT, re.MULTILINE)[1]

    assert wire.read_secrets(secret).fits(message_id, timestamp, signature, body)
