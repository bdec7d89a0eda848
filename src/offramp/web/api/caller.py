"""Who asks: a program that shows a key, with the role and the reach that the key has.

Every route below ``/v1`` depends on a ``Need``; a route without one is found by a test. A key that
is for one organization opens what lies below that organization, and nothing else.

Source: docs/http.md, "Keys"; docs/decisions/037-the-interface.md; RFC 6750.
"""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from offramp.core.errors import Refused
from offramp.core.operator import OperatorRole
from offramp.engine.api_keys import SETTINGS, actor_of_key, recognize
from offramp.engine.context import Context
from offramp.web.api.access_key import AccessKeys, refusal
from offramp.web.api.pace import Pace

BEARER = HTTPBearer(auto_error=False, description="An API key, or an access key of the settings.")


class KeyTooLow(Refused):
    """This takes a key with the role {needed}, and the one that was shown has the role {role}."""

    http_status = 403


class KeyElsewhere(Refused):
    """The key that was shown is for one organization, and not for this."""

    http_status = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program that showed a good key: all that it does is on record under the key's name."""

    name: str
    role: OperatorRole
    organization: str | None
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Knows the keys: those of the settings, which need no store, and those in the store."""

    context: Context
    access_keys: AccessKeys
    pace: Pace

    def knows(self, authorization: str | None) -> bool:
        """Whether a header shows a key of the settings, for which nothing has to be looked up."""
        return self.access_keys.fits(_key_in(authorization))

    def find(self, shown: str) -> Caller | None:
        """Say who shows a key; none where it is not a good one."""
        if self.access_keys.fits(shown):
            return self._caller(SETTINGS, OperatorRole.OPERATOR, None)
        key = recognize(self.context, shown)
        return self._caller(key.name, key.role, key.organization) if key else None

    def find_in(self, authorization: str | None) -> Caller | None:
        """Say whose key a header shows; none where it is not a good one."""
        return self.find(_key_in(authorization))

    def require_anywhere(self, authorization: str | None) -> None:
        """Refuse a header without a key that opens all organizations.

        Raises:
            KeyElsewhere: it is for one of them.
        """
        caller = self.find_in(authorization)
        if caller is None:
            raise refusal("Bearer")
        if caller.organization is not None:
            raise KeyElsewhere

    def _caller(self, name: str, role: OperatorRole, organization: str | None) -> Caller:
        context = replace(self.context, actor=actor_of_key(name))
        return Caller(name=name, role=role, organization=organization, context=context)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # known to the framework by itself
class Need:
    """Lets those pass whose key has a role, and is for the organization that is asked about."""

    gate: Gate
    role: OperatorRole

    def __call__(
        self,
        request: Request,
        response: Response,
        shown: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Caller:
        """Say who asks.

        Raises:
            KeyElsewhere, KeyTooLow: the key does not open this.
            AskedTooOften: it may, a little later.
        """
        caller = self.gate.find(shown.credentials) if shown else None
        if caller is None:
            raise refusal("Bearer")
        response.headers.update(self.gate.pace.take(caller.name))
        if caller.organization not in (None, request.path_params.get("organization")):
            raise KeyElsewhere
        if not caller.role.includes(self.role):
            raise KeyTooLow(needed=self.role.value, role=caller.role.value)
        return caller


def _key_in(authorization: str | None) -> str:
    scheme, _, shown = (authorization or "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""
