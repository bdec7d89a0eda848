"""Everything that every store promises, to be run on a store in a fixture named `store`."""

from tests.contract.store_api_key_contract import ApiKeyContract
from tests.contract.store_arming_contract import ArmingContract
from tests.contract.store_bulk_contract import BulkContract
from tests.contract.store_case_contract import CaseContract
from tests.contract.store_correspondence_contract import CorrespondenceContract
from tests.contract.store_facts_contract import FactContract, OperationContract, PolicyContract
from tests.contract.store_fence_contract import FenceContract
from tests.contract.store_kept_answer_contract import KeptAnswerContract
from tests.contract.store_link_contract import LinkContract
from tests.contract.store_mail_load_contract import MailLoadContract
from tests.contract.store_operator_contract import OperatorContract
from tests.contract.store_optional_contract import OptionalContract
from tests.contract.store_outlook_contract import OutlookContract
from tests.contract.store_pages_contract import PagesContract
from tests.contract.store_parcel_contract import OutboxContract, ParcelContract
from tests.contract.store_portal_contract import PortalContract
from tests.contract.store_proof_contract import (
    LEDGER_KEY,
    AudienceContract,
    DeliveryContract,
    LedgerContract,
)
from tests.contract.store_publication_contract import PublicationContract
from tests.contract.store_request_contract import RequestContract
from tests.contract.store_retention_contract import AftercareContract, RetentionContract
from tests.contract.store_revision_contract import RevisionContract
from tests.contract.store_schedule_contract import ClaimContract, OffboardingContract, StepContract
from tests.contract.store_subscription_contract import SubscriptionContract
from tests.contract.store_ticket_contract import TicketContract
from tests.contract.store_workload_contract import WorkloadContract

__all__ = ["LEDGER_KEY", "StoreContract"]


class StoreContract(
    FactContract,
    PolicyContract,
    OperationContract,
    RevisionContract,
    OffboardingContract,
    PublicationContract,
    ClaimContract,
    TicketContract,
    StepContract,
    WorkloadContract,
    MailLoadContract,
    ArmingContract,
    FenceContract,
    RetentionContract,
    AftercareContract,
    AudienceContract,
    DeliveryContract,
    CorrespondenceContract,
    LinkContract,
    OperatorContract,
    ApiKeyContract,
    PagesContract,
    SubscriptionContract,
    KeptAnswerContract,
    OptionalContract,
    OutlookContract,
    PortalContract,
    RequestContract,
    CaseContract,
    BulkContract,
    LedgerContract,
    OutboxContract,
    ParcelContract,
):
    """The contract of `ports.Store`; the store is empty and seals with `LEDGER_KEY`."""
