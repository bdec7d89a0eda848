"""Every kind of event that the vendor's systems can be told of: when it comes, and what it holds.

An event that is not in this catalogue is never put into the outbox. It is thin: ids, dates, stages,
counts and codes, never a name or an address, because the logs of whoever receives it outlive the
erasure.

Source: docs/events.md is written from this file; lessons L34, L35.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offramp.core.ledger import Detail


class EventKind(StrEnum):
    """What an event is about."""

    STAGE_CHANGED = "stage-changed"
    SESSIONS_REVOKED = "sessions-revoked"
    OFFBOARDING_MOVED = "offboarding-moved"
    OFFBOARDING_CANCELED = "offboarding-canceled"
    REACTIVATED = "reactivated"
    ERASED = "erased"
    STEP_MISSED = "step-missed"
    STEP_UNREACHED = "step-unreached"
    STEP_ABANDONED = "step-abandoned"
    MESSAGE_BOUNCED = "message-bounced"
    MESSAGE_COMPLAINED = "message-complained"
    MESSAGE_DECLINED = "message-declined"
    MESSAGES_WANTED = "messages-wanted"
    OFFBOARDING_STOPPED = "offboarding-stopped"
    WINDOW_CLOSING = "window-closing"
    RETENTION_UNDECIDED = "retention-undecided"
    RETENTION_SWEPT = "retention-swept"
    RETENTION_WAITING = "retention-waiting"
    RETENTION_FAILED = "retention-failed"
    RETENTION_HELD = "retention-held"
    LATE_ROWS_ERASED = "late-rows-erased"
    LATE_WATCH_FAILED = "late-watch-failed"
    LATE_WATCH_HELD = "late-watch-held"
    BULK_COMING = "bulk-coming"
    BULK_HELD = "bulk-held"
    CLOCK_WENT_BACK = "clock-went-back"
    ENDPOINT_DISABLED = "endpoint-disabled"
    ENDPOINT_TESTED = "endpoint-tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventShape:
    """One kind of event.

    Attributes:
        when: completes "It comes when …".
        fields: what it holds beside what every event about a subject holds, with the meanings.
        example: a value for each of these fields.
        is_about_subject: whether it is about one who leaves, and not about the installation.
    """

    when: str
    fields: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, Detail] = field(default_factory=dict)
    is_about_subject: bool = True


SUBJECT_FIELDS: Mapping[str, str] = {
    "organization": "Whose it is.",
    "member": "The one member who leaves; null where the organization does.",
    "product": "The one product that is left; null where it is all of them.",
    "offboarding": "Which episode of leaving it belongs to.",
}
"""What every event about a subject holds."""

_REASON = "Why: the code of an error, or what holds it."
_RECIPIENT = "The id of the member whom the mail was to."
_CERTIFICATE = "The file of the signed proof; null where nothing is gone."
_SUPPLEMENT = "proofs/0191a3c8/retention-2.json"

CATALOG: Mapping[EventKind, EventShape] = {
    EventKind.STAGE_CHANGED: EventShape(
        when="a stage has begun; access follows the date alone, whether or not this arrives",
        fields={"stage": "The stage that has begun."},
        example={"stage": "expired"},
    ),
    EventKind.SESSIONS_REVOKED: EventShape(
        when="a stage has begun in which nobody may sign in: end the sessions that are open",
        fields={"stage": "The stage that has begun."},
        example={"stage": "deactivated"},
    ),
    EventKind.OFFBOARDING_MOVED: EventShape(
        when="the end has moved, and every later date with it",
        fields={
            "episode": "How many times the subject has left.",
            "ends": "The end, as it is now.",
        },
        example={"episode": 1, "ends": "2025-08-31"},
    ),
    EventKind.OFFBOARDING_CANCELED: EventShape(
        when="a renewal, a reactivation or a corrected roster has ended the leaving",
        fields={"episode": "How many times the subject has left.", "ends": "The end that it had."},
        example={"episode": 1, "ends": "2024-08-31"},
    ),
    EventKind.REACTIVATED: EventShape(
        when="an organization, or a member of it, was brought back whose term was over",
        fields={"episode": "The episode that it ended."},
        example={"episode": 1},
    ),
    EventKind.ERASED: EventShape(
        when="an erasure was verified and its certificate signed",
    ),
    EventKind.STEP_MISSED: EventShape(
        when="the time in which a step was of use has passed without it",
        fields={"step": "The step."},
        example={"step": "expiring-soon"},
    ),
    EventKind.STEP_UNREACHED: EventShape(
        when="a notice reached nobody, down to the end of its fallback chain; what needs it waits",
        fields={"step": "The step."},
        example={"step": "company-data"},
    ),
    EventKind.STEP_ABANDONED: EventShape(
        when="a step was given up after its last attempt: mend the cause, then `offramp retry`",
        fields={"step": "The step.", "reason": _REASON},
        example={"step": "company-data", "reason": "MailerUnavailable"},
    ),
    EventKind.MESSAGE_BOUNCED: EventShape(
        when="a mail that had been taken came back; `offramp mail resend` sends it again",
        fields={
            "step": "The step.",
            "recipient": _RECIPIENT,
            "reason": "The code in the report, if any.",
        },
        example={"step": "achievements", "recipient": "13", "reason": "5.1.1"},
    ),
    EventKind.MESSAGE_COMPLAINED: EventShape(
        when="a reader reported a mail as unwanted",
        fields={"step": "The step.", "recipient": _RECIPIENT},
        example={"step": "achievements", "recipient": "13"},
    ),
    EventKind.MESSAGE_DECLINED: EventShape(
        when="a reader has unsubscribed, or complained of an optional mail: none is sent any more",
        fields={"step": "The step.", "recipient": _RECIPIENT},
        example={"step": "tips", "recipient": "13"},
    ),
    EventKind.MESSAGES_WANTED: EventShape(
        when="a reader who had unsubscribed wants optional messages again",
        fields={"step": "The step of the mail by which they said so.", "recipient": _RECIPIENT},
        example={"step": "tips", "recipient": "13"},
    ),
    EventKind.OFFBOARDING_STOPPED: EventShape(
        when="an invariant failed, and the off-boarding waits for a person",
        fields={"reason": _REASON},
        example={"reason": "RowsRemain"},
    ),
    EventKind.WINDOW_CLOSING: EventShape(
        when="a deletion that is held will soon be later than the policy allows",
        fields={"step": "The step."},
        example={"step": "erase"},
    ),
    EventKind.RETENTION_UNDECIDED: EventShape(
        when="an erasure keeps rows without an end: a person has to decide (`offramp keep-until`)",
        fields={"rows": "How many."},
        example={"rows": 12},
    ),
    EventKind.RETENTION_SWEPT: EventShape(
        when="rows whose time of keeping was over are gone",
        fields={
            "rows": "How many are gone.",
            "owned": "How many of them went with a row that owned them.",
            "left": "How many are still there: none.",
            "certificate": _CERTIFICATE,
        },
        example={
            "rows": 12,
            "owned": 0,
            "left": 0,
            "certificate": "proofs/0191a3c8/retention-2.json",
        },
    ),
    EventKind.RETENTION_WAITING: EventShape(
        when="of rows whose time of keeping was over, some are still needed or were changed",
        fields={
            "rows": "How many are gone.",
            "owned": "How many of them went with a row that owned them.",
            "left": "How many are still there.",
            "certificate": _CERTIFICATE,
        },
        example={
            "rows": 10,
            "owned": 0,
            "left": 2,
            "certificate": "proofs/0191a3c8/retention-2.json",
        },
    ),
    EventKind.RETENTION_FAILED: EventShape(
        when="rows whose time of keeping was over could not be deleted; it is tried again tomorrow",
        fields={"reason": _REASON},
        example={"reason": "SourceUnavailable"},
    ),
    EventKind.RETENTION_HELD: EventShape(
        when="rows whose time of keeping was over may not be deleted now",
        fields={"reason": _REASON},
        example={"reason": "a hold is in force"},
    ),
    EventKind.LATE_ROWS_ERASED: EventShape(
        when="rows were found that came after the erasure, and are gone too",
        fields={"rows": "How many.", "certificate": _CERTIFICATE},
        example={"rows": 3, "certificate": "proofs/0191a3c8/late-4.json"},
    ),
    EventKind.LATE_WATCH_FAILED: EventShape(
        when="nobody could look for rows that came late; it is tried again tomorrow",
        fields={"reason": _REASON},
        example={"reason": "SourceUnavailable"},
    ),
    EventKind.LATE_WATCH_HELD: EventShape(
        when="rows that came late may not be deleted now",
        fields={"reason": _REASON},
        example={"reason": "everything destructive is paused"},
    ),
    EventKind.BULK_COMING: EventShape(
        when="within a day more organizations would be deleted than may be without two people",
        is_about_subject=False,
    ),
    EventKind.BULK_HELD: EventShape(
        when="deletions are held until two people arm them (`offramp arm`)",
        is_about_subject=False,
    ),
    EventKind.CLOCK_WENT_BACK: EventShape(
        when="the clock of a machine was set back: nothing is destroyed before it has caught up",
        fields={"until": "When it has surely caught up."},
        example={"until": "2024-08-31T00:05:00Z"},
        is_about_subject=False,
    ),
    EventKind.ENDPOINT_DISABLED: EventShape(
        when="an endpoint answered 410; it is sent nothing more before `offramp webhook enable`",
        fields={"endpoint": "Its name in the configuration."},
        example={"endpoint": "crm"},
        is_about_subject=False,
    ),
    EventKind.ENDPOINT_TESTED: EventShape(
        when="somebody runs `offramp webhook test`; it goes to that endpoint alone, once",
        fields={"endpoint": "Its name in the configuration."},
        example={"endpoint": "crm"},
        is_about_subject=False,
    ),
}
"""Every kind there is."""
