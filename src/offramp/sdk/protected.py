"""A function that is called for those alone who may do what it does.

Source: docs/sdk.md, "Without HTTP".
"""

import asyncio
from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, cast

from offramp.core.policy import ANY, Capability
from offramp.sdk.guard import Guard
from offramp.sdk.who import Who

_P = ParamSpec("_P")
_R = TypeVar("_R")


def protected(
    guard: Guard, capability: Capability, *, who: Callable[_P, Who], surface: str = ANY
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Protect a function; whoever may not call it is refused with `AccessDenied`.

    Args:
        who: given what the function is called with, says who calls it.
    """

    def question(*given: _P.args, **named: _P.kwargs) -> tuple[str, Callable[[], object]]:
        caller = who(*given, **named)
        return caller.organization, partial(
            guard.require,
            caller.organization,
            caller.member,
            capability,
            surface=surface,
            product=caller.product,
        )

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def checked(*given: _P.args, **named: _P.kwargs) -> _R:
            _, require = question(*given, **named)
            require()
            return function(*given, **named)

        @wraps(function)
        async def checked_later(*given: _P.args, **named: _P.kwargs) -> Any:  # noqa: ANN401 (what the coroutine gives)
            organization, require = question(*given, **named)
            if guard.holds(organization):
                require()
            else:
                await asyncio.to_thread(require)
            return await cast(Any, function(*given, **named))

        return cast(Callable[_P, _R], checked_later) if iscoroutinefunction(function) else checked

    return decorate
