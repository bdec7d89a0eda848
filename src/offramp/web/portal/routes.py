"""Every route of the portal, below one address; each asks who comes, but for the way in.

Source: docs/portal.md; docs/decisions/036-portal.md.
"""

from fastapi import APIRouter

from offramp.adapters.message.portal_page import PortalPages
from offramp.engine.context import Context
from offramp.web.portal.company import company_routes
from offramp.web.portal.copy import copy_routes
from offramp.web.portal.door import PortalDoor
from offramp.web.portal.entrance import guest_routes, stranger_routes
from offramp.web.portal.handing_out import handing_out_routes
from offramp.web.portal.help import help_routes
from offramp.web.portal.own import own_routes
from offramp.web.portal.page import PortalAnswers
from offramp.web.portal.people import people_routes


def portal_routes(context: Context, pages: PortalPages) -> APIRouter:
    """Give the routes of the portal."""
    door = PortalDoor(context=context)
    answers = PortalAnswers(pages, public_address=context.public_address)
    routes = APIRouter(include_in_schema=False)
    routes.include_router(stranger_routes(door, answers))
    routes.include_router(guest_routes(door, answers))
    routes.include_router(own_routes(door, answers))
    routes.include_router(copy_routes(door, answers))
    routes.include_router(handing_out_routes(door, answers))
    routes.include_router(company_routes(door, answers))
    routes.include_router(people_routes(door, answers))
    routes.include_router(help_routes(door, answers))
    return routes
