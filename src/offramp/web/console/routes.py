"""Every route of the console, below one address; each asks for a role, but for the way in.

Source: docs/console.md; docs/decisions/035-console.md.
"""

from functools import partial

from fastapi import FastAPI

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


def include_console(
    app: FastAPI,
    context: Context,
    passwords: Passwords,
    *,
    machine: TimeMachine | None = None,
    provider: IdentityProvider | None = None,
    takes_passwords: bool = True,
) -> None:
    """Add the routes of the console to an application, each router by itself.

    A router that included them all would have FastAPI make every route twice.

    Args:
        machine: moves the clock of a demo.
        provider: says who operators are, where they sign in elsewhere.
        takes_passwords: whether they sign in by passwords as well.
    """
    door, pages = Door(context=context), ConsolePages(public_address=context.public_address)
    include = partial(app.include_router, include_in_schema=False)
    include(static_routes())
    include(stranger_routes(door, pages))
    if takes_passwords:
        pages.take_passwords()
        include(password_routes(door, passwords, pages))
    if provider is not None:
        pages.offer(provider)
        include(sign_on_routes(door, pages, provider))
    include(account_routes(door, passwords, pages))
    include(today_routes(door, pages))
    include(organizations_routes(door, pages))
    include(view_routes(door, pages))
    include(many_routes(door, pages))
    include(organization_routes(door, pages))
    include(what_if_routes(door, pages))
    include(act_routes(door, pages))
    include(case_routes(door, pages))
    include(policy_routes(door, pages))
    include(publishing_routes(door, pages))
    include(data_map_routes(door, pages))
    include(health_routes(door, pages))
    include(restore_routes(door, pages))
    if machine is not None:
        pages.show_clock(context.clock)
        include(simulation_routes(door, passwords, pages, machine))
