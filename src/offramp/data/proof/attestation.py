"""What a certificate says: what is gone, how that was seen, what was not looked at, what stays.

Everything that is claimed of an erasure is worded here, from what its run found and nothing else:
no executor result, no certificate. Three words are used of rows and values: *erased*,
*pseudonymized*, *retained*. None is ever called anonymous, and what nobody looked at is said to be
so. A certificate holds the keys of its subject's row (a replay has to find it again), counts,
digests, keyed hashes whose key is gone, and names of tables and columns; nothing of a person.

Source: lesson L28; GDPR Art. 5(2), 17; NIST SP 800-88 Rev. 2.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from offramp.data.datamap import DataMap
from offramp.data.erasure.erase import Retained
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.handover.hand_over import HandedOver
from offramp.data.proof.verify import Verification
from offramp.data.scope import Scope
from offramp.data.sources.source import Receipt

_NOT_COMPARED = (
    "Whether everything had been handed over: no export was compared with the live rows."
)
_NEVER_SEEN = (
    "Backups, replicas and logs of the databases.",
    "Copies that had left the databases before: messages, files, and other systems that the data"
    " map does not name.",
    "The inside of binary values.",
)


class Erasure(BaseModel):
    """What was destroyed and how that was seen; the basis of the certificate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erased_at: str
    tables: Mapping[str, int]
    retained: tuple[Retained, ...]
    verification: Verification
    receipts: tuple[Receipt, ...] = ()  # signed by the services that took part


class Conclusion(BaseModel):
    """When the key was destroyed, if it was, and the instant that the certificate carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issued_at: str
    key_destroyed_at: str | None


def attest(
    datamap: DataMap,
    scope: Scope,
    *,
    facts: Mapping[str, Any],
    tombstone: Tombstone,
    exports: tuple[HandedOver, ...],
    erasure: Erasure,
    conclusion: Conclusion,
) -> dict[str, Any]:
    """Write down what one erasure did, and what was seen of it.

    Args:
        datamap: for what becomes of the columns of rows that are retained.
        scope: whose rows; its keys are named, so that a replay finds them.
        facts: what the erasure belongs to: versions, off-boarding, policy.
        tombstone: what is still known of the subject.
        exports: those that were compared with the live rows.
        erasure: what was destroyed.
        conclusion: when the key went.
    """
    return {
        "certificate": "erasure",
        **facts,
        "organization": scope.organization,
        "member": scope.member,
        "product": scope.product,
        "key_destroyed": conclusion.key_destroyed_at is not None,
        **conclusion.model_dump(mode="json"),
        "handed_over": [export.model_dump(mode="json") for export in exports],
        "tombstone": tombstone.model_dump(mode="json"),
        **erasure.model_dump(mode="json"),
        "pseudonymized": dict(_pseudonymized(datamap, erasure)),
        "verified": list(_verified(scope, tombstone, exports, erasure.verification)),
        "not_verified": [
            *(() if exports else (_NOT_COMPARED,)),
            *not_verified(scope, erasure.verification, marks=len(tombstone.marks)),
        ],
    }


def not_verified(scope: Scope, verification: Verification, *, marks: int) -> Iterator[str]:
    """Say what nobody looked at, so that nobody reads it into a certificate."""
    if not marks:
        yield "Whether identifiers of the subject occur in other rows: none were known."
    elif verification.shared_marks:
        yield (
            f"Identifiers that rows of others carry too ({verification.shared_marks} of {marks}):"
            " they cannot be told apart from theirs."
        )
    if scope.product is not None:
        yield "Tables that the data map does not assign to the product."
    else:
        yield "Rows that no foreign key ties to the subject, except by identifiers searched for."
    for source, words in verification.unseen.items():
        yield f"In {source}: {words}."
    yield from _NEVER_SEEN


def _verified(
    scope: Scope,
    tombstone: Tombstone,
    exports: tuple[HandedOver, ...],
    verification: Verification,
) -> Iterator[str]:
    for export in exports:
        yield (
            f"The export of {_whole_second(export.taken_at)} equaled the live rows at"
            f" {_whole_second(export.compared_at)}, just"
            " before the first of them was erased (count and SHA-256 of every table)."
        )
    list_of = "data map" if scope.product is not None else "live catalog"
    yield (
        f"No row is the subject's any more, but for what is retained: {len(verification.checked)}"
        f" tables, listed from the {list_of}, counted in a fresh transaction."
    )
    if verification.elsewhere:
        yield f"Nothing is left in {', '.join(verification.elsewhere)}: counted anew there."
    yield "No row of these tables refers to a row that is missing."
    if tombstone.marks:
        yield (
            f"None of {len(tombstone.marks) - verification.shared_marks} identifiers of the"
            " subject occurs in a text or JSON column of any table, by their keyed hashes."
        )


def _whole_second(instant: str) -> str:
    """Leave out what nobody reads in a sentence; the fields have it."""
    second, is_finer, _ = instant.partition(".")
    return f"{second}Z" if is_finer else instant


def _pseudonymized(datamap: DataMap, erasure: Erasure) -> Iterator[tuple[str, list[str]]]:
    """Name the columns of retained rows in which a keyed hash stands for what was there."""
    for kept in erasure.retained:
        columns = datamap.tables[kept.table].columns
        hashed = [name for name, rule in columns.items() if rule.erase == "hash"]
        if hashed and kept.rows:
            yield kept.table, hashed
