"""Watching for rows that come after an erasure, and erasing them again inside the same guards.

Source: lessons L18, L22-L24; docs/decisions/014-late-rows.md.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from offramp.core.errors import Refused
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.data.elsewhere import Elsewhere, ask_afterwards
from offramp.data.erasure.erase import ErasureResult, erase
from offramp.data.erasure.job import Whereabouts
from offramp.data.proof.certificate import sign_certificate
from offramp.data.proof.verify import Verification, require_clean, verify
from offramp.data.retention.late import NO_MARKS, LateRows, find_late, is_back
from offramp.data.scope import Scope
from offramp.data.sources.source import Errand, ReceiptList
from offramp.engine.announcement import announce
from offramp.engine.archive import proof_name, read_proof
from offramp.engine.context import Context, Data
from offramp.engine.fence import EngineFence
from offramp.engine.keeper import StoreKeeper
from offramp.engine.kept import LAST_ZONE
from offramp.ports import Offboarding, Transaction


class OrganizationReturned(Refused):
    """A row of {organization} exists again; a person has to say whether it is a new customer."""


class OrphansFound(Refused):
    """After the erasure of {organization} there are rows that lead nowhere, in {tables}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One look for late rows of one finished erasure."""

    context: Context
    data: Data
    claimed: Offboarding
    scope: Scope
    judge: Callable[[Transaction], None]

    def look(self) -> int:
        """Find what came late, erase it again, and return how many rows that were.

        Raises:
            OrganizationReturned: there is an organization, or a member, under that very key.
            OrphansFound: there are rows that are nobody's any more.
            GuardNotMet: somebody holds or pauses.
            RowsRemain: what came late could not be erased.
        """
        found = self._find()
        if found.is_back:
            raise OrganizationReturned(
                organization=self.scope.organization,
                hint="a customer who comes back has a new id; if this is none, "
                "erase it again with: offramp erase --map FILE --organization ID",
            )
        if found.rows:
            self._erase_again(found)
        if found.orphans:
            raise OrphansFound(
                organization=self.scope.organization,
                tables=", ".join(sorted(found.orphans)),
                hint="look at the named tables; nobody can say by key whose these rows were",
            )
        return found.rows

    def _find(self) -> LateRows:
        with self.context.store.transaction() as transaction:
            groups = transaction.kept(self.claimed.id)
        listed: Counter[str] = Counter()
        for group in groups:
            listed[group.table] += group.rows
        return find_late(
            self.data.datamap,
            self.data.sources,
            self.scope,
            listed=listed,
            elsewhere=self._elsewhere(),
        )

    def _elsewhere(self) -> Elsewhere:
        """Ask other sources where the erasure found the subject; its rows tell nobody any more."""
        name = proof_name(self.claimed.id, "whereabouts")
        known = read_proof(self.context.vault, name, Whereabouts) or Whereabouts(facts={})
        errand = Errand(
            scope=self.scope,
            facts=known.facts,
            operation=f"{self.claimed.id}-late-{self.claimed.attempt}",
            receipts=ReceiptList(),
        )
        return ask_afterwards(self.data.others, errand)

    def _erase_again(self, found: LateRows) -> None:
        keys, data = self.context.keys, self.data
        # Its own key is destroyed; what has to be hashed now gets one that lives as long as this.
        name = f"{self.scope.organization} late {self.claimed.id} {self.claimed.attempt}"
        key = keys.organization_key(name)
        elsewhere = self._elsewhere()
        try:
            result = self._erase(elsewhere, key=key)
            verification = verify(
                data.datamap,
                data.sources,
                self.scope,
                tombstone=NO_MARKS,
                key=b"",
                elsewhere=elsewhere,
            )
            require_clean(verification.model_copy(update={"orphans": {}}))
        finally:
            keys.destroy(name)
        self._record(found, result, verification)

    def _erase(self, elsewhere: Elsewhere, *, key: bytes) -> ErasureResult:
        context, data = self.context, self.data
        return erase(
            data.datamap,
            data.sources,
            self.scope,
            key=key,
            fence=EngineFence.around(context, self.claimed, judge=self._judge_chunk),
            elapsed=context.elapsed,
            tombstone=NO_MARKS,
            progress=lambda table, rows: context.report("erase", {"table": table, "rows": rows}),
            keeper=StoreKeeper(
                context=context,
                claimed=self.claimed,
                rules=data.datamap.tables,
                zone=LAST_ZONE,
            ),
            chunk_rows_max=context.limits.chunk_rows_max,
            connections=context.limits.connections,
            elsewhere=elsewhere,
        )

    def _judge_chunk(self, transaction: Transaction) -> None:
        """Ask the guards again, and whether somebody has signed up under that key meanwhile."""
        self.judge(transaction)
        if is_back(self.data.datamap, self.data.sources, self.scope):
            raise OrganizationReturned(organization=self.scope.organization)

    def _record(self, found: LateRows, result: ErasureResult, verification: Verification) -> None:
        context, claimed = self.context, self.claimed
        now = context.clock.now()
        certificate = proof_name(claimed.id, f"late-{claimed.attempt}")
        content: Mapping[str, object] = {
            "certificate": "late rows",
            "supplements": proof_name(claimed.id, "certificate"),
            "offramp": context.version,
            "offboarding": claimed.id,
            "episode": claimed.episode,
            "issued_at": now.format_iso(),
            "found": dict(found.tables),
            "tables": {table: rows for table, rows in result.tables.items() if rows},
            "hashed": dict(result.hashed),
            "verification": verification.model_dump(mode="json"),
        }
        with context.vault.write(certificate) as sink:
            sink.write(sign_certificate(content, private_key=context.keys.signing_key()))
        detail: dict[str, Detail] = {"rows": found.rows, "certificate": certificate}
        event = Event(
            kind="late-rows-erased",
            at=now,
            offboarding=claimed.id,
            episode=claimed.episode,
            detail=detail,
        )
        kind = EventKind.LATE_ROWS_ERASED
        alarm = announce(claimed, kind, key=claimed.attempt, at=now, detail=detail)
        with context.store.transaction() as transaction:
            transaction.append([event])
            transaction.put_events([alarm])
