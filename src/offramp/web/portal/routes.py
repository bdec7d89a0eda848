"""Every route of the portal, below one address; each asks who comes, but for the way in.

Source: docs/portal.md; docs/decisions/036-portal.md.
"""

from functools import partial

from fastapi import FastAPI

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


def include_portal(app: FastAPI, context: Context, pages: PortalPages) -> None:
    """Add the routes of the portal to an application, each router by itself."""
    door = PortalDoor(context=context)
    answers = PortalAnswers(pages, public_address=context.public_address)
    include = partial(app.include_router, include_in_schema=False)
    include(stranger_routes(door, answers))
    include(guest_routes(door, answers))
    include(own_routes(door, answers))
    include(copy_routes(door, answers))
    include(handing_out_routes(door, answers))
    include(company_routes(door, answers))
    include(people_routes(door, answers))
    include(help_routes(door, answers))
