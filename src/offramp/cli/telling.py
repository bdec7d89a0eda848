"""What a run has done, for the person who started it: a sentence or a JSON line for each thing.

Source: docs/cli.md; ``ports.Happening``.
"""

from collections.abc import Mapping
from typing import Any

from whenever import Instant

from offramp.cli.output import show_line, show_text
from offramp.cli.progress import Watcher
from offramp.engine.context import Context
from offramp.ports import Happening, Transaction

_AT_EASE = frozenset({Happening.STEP, Happening.LISTENING})


def told(context: Context, watcher: Watcher) -> list[dict[str, Any]]:
    """Give what was reported since the last time, and name the subject of everything."""
    if not watcher.events:
        return []
    with context.store.transaction() as transaction:  # first: an outage must not lose a line
        return [
            {"event": event, **_subject(transaction, facts.get("offboarding")), **facts}
            for event, facts in watcher.take()
        ]


def show_told(context: Context, watcher: Watcher, *, as_json: bool) -> int:
    """Print what was reported since the last time, a line for each thing, and say how many."""
    lines = told(context, watcher)
    for line in lines:
        if as_json:
            show_line(line)
        else:
            show_text(sentence(line), style="" if line["event"] in _AT_EASE else "red")
    return len(lines)


def sentence(line: Mapping[str, Any]) -> str:
    """Say what happened, to whom, and why."""
    if line["event"] == Happening.LISTENING:
        return f"listening on {line['address']}"
    if line["event"] == Happening.PARCEL:
        told = f"the event {line['parcel']} is {line['status']} ({line['reason']})"
        return f"endpoint {line['endpoint']}: {told}"
    names = (line.get(name) for name in ("organization", "product", "member"))
    who = " / ".join(filter(None, names)) or "offramp"
    if line["event"] == Happening.HEAVY:
        told = f"{line['step']} is attached with {line['bytes']:,} bytes"
        return f"{who}: {told}, which many mail servers refuse; set public_address to send a link"
    if line["event"] != Happening.STEP:
        return f"{who}: {line['event']} ({_cause(line)})"
    reason = f" ({line['reason']})" if line["reason"] else ""
    at = Instant.parse_iso(line["at"]).round("second", mode="floor")
    return f"{at} {who}: {line['step']} {line['status']}{reason}"


def _cause(line: Mapping[str, Any]) -> str:
    """Say what made something other than a step happen; of a mistake, where it is."""
    if line["event"] in (Happening.OVERTAKEN, Happening.VOID):
        return f"attempt {line['attempt']}"
    where = f" in {line['frames'][0]}" if line.get("frames") else ""
    return f"{line.get('reason') or line.get('error')}{where}"


def _subject(transaction: Transaction, offboarding: object) -> dict[str, str | None]:
    """Name who is leaving, where it is about somebody at all."""
    if offboarding is None:
        return {}
    row = transaction.offboarding(str(offboarding))
    subject = row.subject if row else None
    return {
        "organization": subject.organization if subject else None,
        "member": subject.member if subject else None,
        "product": subject.product if subject else None,
    }
