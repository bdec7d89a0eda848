"""The transaction that the engine sees: all parts over one connection.

Source: ``ports.Transaction``.
"""

from sqlalchemy import Connection

from offramp.adapters.store.api_key import ApiKeyPart
from offramp.adapters.store.arming import ArmingPart
from offramp.adapters.store.bulk import BulkPart
from offramp.adapters.store.case import CasePart
from offramp.adapters.store.claim import ClaimPart
from offramp.adapters.store.delivery import DeliveryPart
from offramp.adapters.store.erasure import ErasurePart
from offramp.adapters.store.kept_answer import KeptAnswerPart
from offramp.adapters.store.ledger import LedgerPart
from offramp.adapters.store.link import LinkPart
from offramp.adapters.store.mail_load import MailLoadPart
from offramp.adapters.store.operator import OperatorPart
from offramp.adapters.store.optional import OptionalPart
from offramp.adapters.store.outbox import OutboxPart
from offramp.adapters.store.outlook import OutlookPart
from offramp.adapters.store.parcel import ParcelPart
from offramp.adapters.store.policy import PolicyPart
from offramp.adapters.store.portal import PortalPart
from offramp.adapters.store.request import RequestPart
from offramp.adapters.store.retention import RetentionPart
from offramp.adapters.store.step import StepPart
from offramp.adapters.store.subscription import SubscriptionPart
from offramp.adapters.store.workload import WorkloadPart


class SqlTransaction(
    ArmingPart,  # and the facts, the off-boardings and what operators decided
    ClaimPart,
    PolicyPart,
    StepPart,
    DeliveryPart,
    LinkPart,
    OperatorPart,
    ApiKeyPart,
    SubscriptionPart,
    KeptAnswerPart,
    OptionalPart,
    PortalPart,
    RequestPart,
    CasePart,
    BulkPart,
    ErasurePart,
    RetentionPart,
    LedgerPart,
    OutboxPart,
    ParcelPart,
    WorkloadPart,
    MailLoadPart,
    OutlookPart,
):
    """One transaction of the store on SQLite or PostgreSQL."""

    def __init__(self, connection: Connection, *, ledger_key: bytes) -> None:
        """Work on a connection that is in a transaction."""
        super().__init__(connection)
        self.ledger_key = ledger_key
        self.unsealed = []
        self.touched = set()

    def finish(self) -> None:
        """Do what was left to the end.

        Whoever waits for a number holds the end of the ledger at most, and nobody who has a
        number waits for that.
        """
        self.seal_events()
        self.count_changes()
