"""What an application of the vendor imports to ask who may do what, in every request.

Source: docs/sdk.md.
"""

from offramp.core.access import Decision
from offramp.core.policy import Capability
from offramp.sdk.asgi import AsgiAccess
from offramp.sdk.gate import Gate, Needs, Visit
from offramp.sdk.guard import AccessDenied, Guard
from offramp.sdk.protected import protected
from offramp.sdk.refusal import Refusal
from offramp.sdk.who import Who
from offramp.sdk.wsgi import WsgiAccess

__all__ = [
    "AccessDenied",
    "AsgiAccess",
    "Capability",
    "Decision",
    "Gate",
    "Guard",
    "Needs",
    "Refusal",
    "Visit",
    "Who",
    "WsgiAccess",
    "protected",
]
