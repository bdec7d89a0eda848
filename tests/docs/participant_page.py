"""Writes the schemas of docs/participants.md: python -m tests.docs.participant_page."""

import json
import re
from pathlib import Path

from offramp.data.sources import wire

FILE = Path(__file__).parents[2] / "docs" / "participants.md"
MESSAGES = (
    wire.ParticipantRequest,
    wire.PlanAnswer,
    wire.VerifyAnswer,
    wire.EraseAnswer,
    wire.ExportEnd,
    wire.ExportReceipt,
    wire.UnknownSubject,
)
SCHEMAS = re.compile(r"(?<=^## Schemas\n).*\Z", re.DOTALL | re.MULTILINE)


def schemas():
    """Give the text below the heading: each message, its law, and its JSON Schema."""
    parts = [_part(message) for message in MESSAGES]
    return "\n" + "\n".join(parts)


def page():
    """Give the whole page, with the schemas as the code has them."""
    return SCHEMAS.sub(lambda _: schemas(), FILE.read_text("utf-8"))


def _part(message):
    schema = message.model_json_schema()
    law = schema.pop("description")
    text = json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema},
        separators=(", ", ": "),
    )
    return f"### {message.__name__}\n\n{law}\n\n```json\n{text}\n```\n"


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
