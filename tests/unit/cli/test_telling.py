"""What a run has done is told in a sentence for each thing."""

import pytest

from offramp.cli.telling import sentence

ACME = {"organization": "acme", "member": None, "product": "notes"}
STEP = {"at": "2024-08-31T00:00:01.25Z", "step": "erase", "status": "done", "reason": None}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"event": "step", **ACME, **STEP}, "2024-08-31T00:00:01Z acme / notes: erase done"),
        (
            {"event": "step", **ACME, **STEP, "status": "failed", "reason": "MailerUnavailable"},
            "2024-08-31T00:00:01Z acme / notes: erase failed (MailerUnavailable)",
        ),
        (
            {"event": "stopped", **ACME, "member": "anna", "reason": "RowsRemain"},
            "acme / notes / anna: stopped (RowsRemain)",
        ),
        ({"event": "overtaken", **ACME, "attempt": 3}, "acme / notes: overtaken (attempt 3)"),
        (
            {"event": "unexpected", **ACME, "error": "KeyError", "frames": ("a.py, line 1, f",)},
            "acme / notes: unexpected (KeyError in a.py, line 1, f)",
        ),
        (
            {"event": "unexpected", "error": "KeyError", "frames": ()},
            "offramp: unexpected (KeyError)",
        ),
        (
            {
                **{"event": "parcel", "endpoint": "crm", "parcel": "id-1:erased:erase"},
                **{"status": "waiting", "reason": "503"},
            },
            "endpoint crm: the event id-1:erased:erase is waiting (503)",
        ),
        (
            {"event": "heavy", **ACME, "step": "company-data", "bytes": 12_000_000},
            "acme / notes: company-data is attached with 12,000,000 bytes, which many mail servers"
            " refuse; set public_address to send a link",
        ),
        (
            {"event": "listening", "address": "http://127.0.0.1:9464"},
            "listening on http://127.0.0.1:9464",
        ),
    ],
)
def test_each_thing_is_told_with_who_it_is_about_and_why(line, told):
    assert sentence(line) == told
