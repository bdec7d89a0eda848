"""What the engine asks of the outside, one Protocol per need, and the records that pass through.

An adapter obeys: it decides nothing, reads no settings and never calls the engine. Each port has
a shipped fake and a contract suite that the fake and every adapter pass.

Source: docs/decisions/001-layers.md.
"""

from offramp.ports.failure import (
    DeletionInFlight,
    DiskFull,
    MailerUnavailable,
    MessageRefused,
    OffboardingExists,
    OffboardingUnknown,
    OrganizationErased,
    OrganizationUnknown,
    PolicyVersionTaken,
    SendOutcomeUnknown,
    StaleClaim,
    StaleOffboarding,
    StoreUnavailable,
    VaultFileMissing,
)
from offramp.ports.record import (
    Changes,
    Delivery,
    DeliveryStatus,
    FenceRecord,
    InFlight,
    KeptGroup,
    KeptPart,
    Offboarding,
    OutboxEvent,
    StepRow,
    Workload,
)
from offramp.ports.service import (
    Attachment,
    Clock,
    Composer,
    Dispatcher,
    Ids,
    Keys,
    Mailer,
    Message,
    Probe,
    Vault,
)
from offramp.ports.store import (
    Store,
    Transaction,
)

__all__ = [
    "Attachment",
    "Changes",
    "Clock",
    "Composer",
    "DeletionInFlight",
    "Delivery",
    "DeliveryStatus",
    "DiskFull",
    "Dispatcher",
    "FenceRecord",
    "Ids",
    "InFlight",
    "KeptGroup",
    "KeptPart",
    "Keys",
    "Mailer",
    "MailerUnavailable",
    "Message",
    "MessageRefused",
    "Offboarding",
    "OffboardingExists",
    "OffboardingUnknown",
    "OrganizationErased",
    "OrganizationUnknown",
    "OutboxEvent",
    "PolicyVersionTaken",
    "Probe",
    "SendOutcomeUnknown",
    "StaleClaim",
    "StaleOffboarding",
    "StepRow",
    "Store",
    "StoreUnavailable",
    "Transaction",
    "Vault",
    "VaultFileMissing",
    "Workload",
]
