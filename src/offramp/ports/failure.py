"""What an adapter may raise, whichever technology it stands for.

Source: docs/errors.md.
"""

from offramp.core.errors import Missing, Refused, Unavailable, Uncertain


class StoreUnavailable(Unavailable):
    """The store cannot be reached: {reason}."""


class StoreVersionDiffers(StoreUnavailable):
    """The tables of the store are of version {found}, and this program works with {expected}."""


class OrganizationErased(Refused):
    """The organization {organization} was erased; only a new one from scratch is possible."""


class OrganizationUnknown(Missing):
    """There is no organization {organization}."""


class PolicyVersionTaken(Refused):
    """Version {version} of the policy {policy} is published already and says something else."""


class OffboardingExists(Refused):
    """This subject of {organization} is being off-boarded already."""


class OffboardingUnknown(Missing):
    """There is no off-boarding {offboarding}."""


class StaleOffboarding(Refused):
    """The off-boarding {offboarding} was changed by somebody else in the meantime."""


class StaleClaim(Refused):
    """Attempt {attempt} of the off-boarding {offboarding} is not the current one any more."""


class DeletionInFlight(Unavailable):
    """A deletion of {organization} is in flight at this moment."""


class MessageRefused(Refused):
    """The receiving server refused the message ({reply})."""


class MailerUnavailable(Unavailable):
    """The mail server cannot be used: {reason}."""


class MailboxUnavailable(Unavailable):
    """The mailbox for what comes back cannot be read: {reason}."""


class IdentityUnavailable(Unavailable):
    """Whoever says who people are cannot be asked: {reason}."""


class IdentityUnproven(Refused):
    """What came back from elsewhere does not prove who somebody is: {reason}."""


class SendOutcomeUnknown(Uncertain):
    """The connection broke while a message was handed over; it may have been accepted."""


class DiskFull(Unavailable):
    """There is no room for the file {file}: {reason}."""


class VaultFileMissing(Missing):
    """The vault has no file {name}."""
