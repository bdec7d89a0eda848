"""Papers judged by a validator that has not printed them: PDF/A-3b and PDF/UA-1.

Source: ISO 19005-3, ISO 14289-1; docs/decisions/023-credentials.md.
"""

import re

from page import validate_pdf_bytes

PROFILES = ("3b", "ua1")
LENGTH_RULE = "PDFA3B-STREAM-LENGTH-001"
_STREAM = re.compile(rb"/Length (\d+).*?>>\s*?stream\n", re.DOTALL)


def faults(paper):
    """List the rules of both standards that a PDF breaks."""
    reports = [validate_pdf_bytes(paper, profile=profile) for profile in PROFILES]
    found = {failure.rule_id for report in reports for failure in report.failures}
    # Compressed data may happen to end with a carriage return, which looks like a part of the end
    # of line after it. Then the length says where the data ends; veraPDF goes by it, this one not.
    if lengths_hold(paper):
        found.discard(LENGTH_RULE)
    return sorted(found)


def lengths_hold(paper):
    """Tell whether every stream of a PDF ends where its length says, with an end of line."""
    streams = list(_STREAM.finditer(paper))
    ends = [paper[stream.end() + int(stream[1]) :][:10] for stream in streams]
    return len(ends) == paper.count(b"\nendstream") and set(ends) == {b"\nendstream"}
