"""Writes docs/events.md from the catalogue of events: python -m tests.docs.event_page."""

import json
from pathlib import Path

from whenever import Instant

from offramp.core.event_kind import CATALOG, SUBJECT_FIELDS, EventKind
from offramp.data.endpoint_spec import EVENT_SOURCE
from offramp.engine.webhook import envelope
from offramp.ports import OutboxEvent

FILE = Path(__file__).parents[2] / "docs" / "events.md"
AT = Instant.from_utc(2024, 8, 30, 23)
HEAD = """\
# Events

Everything that the vendor's systems can be told of, and what it holds. How an event travels, and
what an endpoint has to do, is in [webhooks](webhooks.md). The catalogue is
`offramp/core/event_kind.py`; this page is written from it, and no other kind of event exists.

Each event is a [CloudEvent](https://cloudevents.io/) 1.0.2 in one JSON document. `type` is the kind
with `offramp.` before it, `id` is the `webhook-id` under which it travels, `time` is when it
happened, and `subject` is the id of the organization, where it is about one. `data` holds ids,
dates, stages, counts and codes; never a name, an address, or anything that a person wrote. The ids
are the vendor's own, as the roster has them. A kind may get further fields: ignore those that you
do not know.

Of what is about a subject, `data` holds:

| field | what it is |
|---|---|
"""
WHOLE = "About the whole installation: it has no `subject`, and none of the fields above.\n\n"


def example(kind):
    """Make an event of a kind as it arrives."""
    shape = CATALOG[kind]
    about = {"product": None, "offboarding": "0191a3c8"} if shape.is_about_subject else {}
    key = shape.example.get("step", "1")
    event = OutboxEvent(
        id=f"0191a3c8:{kind}:{key}" if shape.is_about_subject else f"{kind}:{key}",
        kind=kind,
        at=AT,
        organization="acme" if shape.is_about_subject else None,
        detail={**about, **shape.example},
    )
    return envelope(event, source=EVENT_SOURCE)


def page():
    """Write the whole page."""
    subject = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in SUBJECT_FIELDS.items())
    index = "".join(f"| [`{kind}`](#{kind}) | {CATALOG[kind].when} |\n" for kind in EventKind)
    kinds = f"\n## Kinds\n\n| kind | it comes when |\n|---|---|\n{index}"
    return HEAD + subject + kinds + "".join(map(_section, EventKind))


def _section(kind):
    shape = CATALOG[kind]
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in shape.fields.items())
    table = f"| field | what it is |\n|---|---|\n{rows}\n" if rows else ""
    whole = "" if shape.is_about_subject else WHOLE
    shown = json.dumps(example(kind), indent=2)
    when = f"It comes when {shape.when}."
    return f"\n## `{kind}`\n\n{when}\n\n{whole}{table}```json\n{shown}\n```\n"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
