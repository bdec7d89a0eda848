"""What a page says after something was done, by the word that stands in its address.

Source: docs/console.md.
"""

from collections.abc import Mapping

TOLD: Mapping[str, str] = {
    "held": "Held: nothing of it is deleted until the hold ends or is released.",
    "released": "Released: what the hold stopped is taken up again by the next sweep.",
    "unlocked": "Unlocked: access is back for so long; the stage and its dates stay.",
    "renewed": "Renewed: everything pending is canceled, and the next term warns again.",
    "extended": "Extended: what is done stays, the rest has new dates.",
    "reactivated": "Reactivated: it is back with everything it has.",
    "resent": "Queued: the next sweep sends it again.",
    "retried": "Put back: the next sweep takes it up.",
    "exempted": "Exempt: nothing of it is deleted until it is put back.",
    "reissued": "Queued: the next sweep sends the data again, and ends the links before.",
    "revoked": "Taken back: the links lead nowhere from now on.",
    "blocked": "Shut out: from now on nobody of them may sign in; nothing is deleted.",
    "unblocked": "Let in again, as far as the stage allows.",
    "member-ended": "Their last day is set: everything else follows from it.",
    "member-expired": "Expired: their own term is over, and their seat is free.",
    "member-back": "Taken back, with everything they have.",
    "paused": "Paused: nothing is deleted anywhere, from the next chunk on.",
    "resumed": "Resumed: what is destructive goes on again.",
    "case-noted": "Kept: whom it is about reads it in the portal, and is mailed it.",
    "case-noted-privately": "Kept for operators alone: whoever complained goes on waiting.",
    "case-repaired": "Done: what mends it was set going, and is on record.",
    "case-closed": "Closed.",
    "approved": "Approved: what the request names is deleted on its date.",
    "many-approved": "Approved: a worker does it to one after the other.",
    "many-asked": "Asked for: somebody else with the role approver has to approve it.",
    "many-begun": "Begun: so few need nobody else.",
    "policy-published": "Published: whoever comes leaves by this version from now on.",
    "view-saved": "Kept under this name, for you.",
    "view-forgotten": "Forgotten.",
    "map-read": "Looked: this is how the map fits the databases now.",
    "put-back": "Put back: it takes part in the process again.",
}
