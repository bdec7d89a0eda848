"""Every route of the console, below one address; each asks for a role, but for the way in.

Source: docs/console.md; docs/decisions/035-console.md.
"""

from fastapi import APIRouter

from offramp.engine.context import Context
from offramp.ports import IdentityProvider, Passwords
from offramp.web.console.acts import act_routes
from offramp.web.console.cases import case_routes
from offramp.web.console.data_map import data_map_routes
from offramp.web.console.door import Door
from offramp.web.console.health import health_routes
from offramp.web.console.many import many_routes
from offramp.web.console.organization import organization_routes
from offramp.web.console.organizations import organizations_routes, view_routes
from offramp.web.console.page import ConsolePages
from offramp.web.console.policies import policy_routes
from offramp.web.console.publishing import publishing_routes
from offramp.web.console.restoring import restore_routes
from offramp.web.console.sign_in import account_routes, password_routes, stranger_routes
from offramp.web.console.simulation import TimeMachine, simulation_routes
from offramp.web.console.single_sign_on import sign_on_routes
from offramp.web.console.static import static_routes
from offramp.web.console.today import today_routes
from offramp.web.console.what_if import what_if_routes


def console_routes(
    context: Context,
    passwords: Passwords,
    *,
    machine: TimeMachine | None = None,
    provider: IdentityProvider | None = None,
    takes_passwords: bool = True,
) -> APIRouter:
    """Give the routes of the console.

    Args:
        machine: moves the clock of a demo.
        provider: says who operators are, where they sign in elsewhere.
        takes_passwords: whether they sign in by passwords as well.
    """
    door, pages = Door(context=context), ConsolePages(public_address=context.public_address)
    routes = APIRouter(include_in_schema=False)
    routes.include_router(static_routes())
    routes.include_router(stranger_routes(door, pages))
    if takes_passwords:
        pages.take_passwords()
        routes.include_router(password_routes(door, passwords, pages))
    if provider is not None:
        pages.offer(provider)
        routes.include_router(sign_on_routes(door, pages, provider))
    routes.include_router(account_routes(door, passwords, pages))
    routes.include_router(today_routes(door, pages))
    routes.include_router(organizations_routes(door, pages))
    routes.include_router(view_routes(door, pages))
    routes.include_router(many_routes(door, pages))
    routes.include_router(organization_routes(door, pages))
    routes.include_router(what_if_routes(door, pages))
    routes.include_router(act_routes(door, pages))
    routes.include_router(case_routes(door, pages))
    routes.include_router(policy_routes(door, pages))
    routes.include_router(publishing_routes(door, pages))
    routes.include_router(data_map_routes(door, pages))
    routes.include_router(health_routes(door, pages))
    routes.include_router(restore_routes(door, pages))
    if machine is not None:
        pages.show_clock(context.clock)
        routes.include_router(simulation_routes(door, passwords, pages, machine))
    return routes
