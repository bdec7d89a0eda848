"""Which requests may pass: who is asking, what their request does, and whether they may.

Every request is asked about, so a cookie that is still alive opens nothing. What a request does is
read from its method unless a route says something else; a method that nobody knows counts as the
strictest of them, creating.

Source: docs/sdk.md, "What a request does"; RFC 9110, section 9; mission A2, B3.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from offramp.core.access import Decision
from offramp.core.errors import Invalid
from offramp.core.policy import ANY, Capability
from offramp.sdk.guard import AccessDenied, Guard
from offramp.sdk.refusal import Refusal, refuse
from offramp.sdk.who import Who

BY_METHOD: Mapping[str, Capability] = {
    "GET": Capability.READ,
    "HEAD": Capability.READ,
    "OPTIONS": Capability.READ,
    "POST": Capability.CREATE,
    "PUT": Capability.UPDATE,
    "PATCH": Capability.UPDATE,
    "DELETE": Capability.DELETE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request.

    Attributes:
        path: as the browser has it, decoded.
        headers: by name in lower case.
        native: the request as the framework knows it: a scope, an environment, an object.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    native: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a route needs: a capability (else that of the method), and where in the product."""

    capability: Capability | None = None
    surface: str = ANY
    product: str | None = None


Need: TypeAlias = Needs | Capability | None
"""What one request needs; none where it is not asked about at all."""

Routes: TypeAlias = Mapping[str, Need] | Callable[[Visit], Need]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What has to be decided about a request."""

    who: Who
    capability: Capability
    surface: str
    product: str | None


class RouteInvalid(Invalid):
    """The route {route!r} cannot be read."""


class Gate:
    """Lets requests pass, or says why not; the middleware of every framework asks it."""

    def __init__(
        self,
        guard: Guard,
        *,
        identify: Callable[[Visit], Who | None],
        routes: Routes | None = None,
        product: str | None = None,
        page: Callable[[Visit, Decision], str] | None = None,
    ) -> None:
        """Know how to tell who is asking.

        Args:
            identify: gives whoever is signed in; a request of nobody passes, as the application
                has its own way with these.
            routes: patterns such as ``POST /notes/{note}/copy`` or ``/account/*`` to what they
                need, the first that fits; or a function.
            product: the product that all this is, where each has its own clock.
            page: writes the HTML page that a browser is shown.
        """
        self._guard, self._identify = guard, identify
        self._product, self._page = product, page
        self._need = routes if callable(routes) else _table(routes or {})

    def judge(self, visit: Visit) -> Refusal | None:
        """Say how a request is refused, or nothing where it may pass."""
        asked = self.ask(visit)
        return None if asked is None else self.decide(visit, asked)

    def ask(self, visit: Visit) -> Asked | None:
        """Say what has to be decided about a request, if anything."""
        need = self._need(visit)
        who = None if need is None else self._identify(visit)
        if need is None or who is None:
            return None
        needs = Needs(capability=need) if isinstance(need, Capability) else need
        return Asked(
            who=who,
            capability=needs.capability or BY_METHOD.get(visit.method, Capability.CREATE),
            surface=needs.surface,
            product=needs.product or who.product or self._product,
        )

    def is_at_hand(self, asked: Asked) -> bool:
        """Whether deciding waits for nobody."""
        return self._guard.holds(asked.who.organization)

    def decide(self, visit: Visit, asked: Asked) -> Refusal | None:
        """Decide about a request at this instant."""
        decision = self._guard.may(
            asked.who.organization,
            asked.who.member,
            asked.capability,
            surface=asked.surface,
            product=asked.product,
        )
        return None if decision.is_allowed else self._refuse(visit, decision, asked.capability)

    def refuse(self, visit: Visit, denied: AccessDenied) -> Refusal:
        """Say how a request is refused that was denied something on its way."""
        return self._refuse(visit, denied.decision, denied.capability)

    def _refuse(self, visit: Visit, decision: Decision, capability: Capability) -> Refusal:
        written = None if self._page is None else self._page(visit, decision)
        return refuse(decision, capability, accept=visit.headers.get("accept", ""), page=written)


def _table(routes: Mapping[str, Need]) -> Callable[[Visit], Need]:
    patterns = [(*_pattern(route), need) for route, need in routes.items()]

    def need(visit: Visit) -> Need:
        path = re.sub("/{2,}", "/", visit.path).rstrip("/") or "/"
        if {".", ".."} & set(path.split("/")):
            return Needs()  # where it leads is for others to say
        for method, pattern, needs in patterns:
            if method in ("", visit.method) and pattern.fullmatch(path):
                return needs
        return Needs()

    return need


def _pattern(route: str) -> tuple[str, re.Pattern[str]]:
    """Read ``GET /notes/{note}``: braces stand for one part, ``*`` at the end for all below."""
    found = _ROUTE.fullmatch(route)
    if found is None:
        hint = "such as: GET /notes/{note}, or /account/* for any method and everything below"
        raise RouteInvalid(route=route, expected="a method or none, and a path", hint=hint)
    parts = found["path"].rstrip("/").split("/")
    path = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    below = "(/.*)?" if found["below"] else ""
    return found["method"] or "", re.compile(path + below or "/", re.DOTALL)


_PART = r"/(\{[^/{}]*\}|[^/{}*]*)"
_ROUTE = re.compile(rf"((?P<method>[A-Z]+) )?(?=/)(?P<path>({_PART})*?)(?P<below>/\*)?")
