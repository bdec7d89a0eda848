"""Who may do something, and where somebody may, by the standard that gateways and frameworks speak.

What is found is what each single question would be answered now; between two pages it may change.

Source: OpenID AuthZEN Authorization API 1.0, section 8; docs/access-api.md.
"""

from typing import TypeAlias

from fastapi import APIRouter
from whenever import Instant

from offramp.documents.authzen import (
    RESOURCE_TYPE,
    SUBJECT_TYPE,
    EntitiesDocument,
    EntityDocument,
    ResourceSearchDocument,
    SubjectSearchDocument,
)
from offramp.engine.access_search import (
    AccessSearch,
    FoundIds,
    find_members,
    find_organizations,
)
from offramp.engine.context import Context
from offramp.engine.snapshot_cache import SnapshotCache

_Search: TypeAlias = SubjectSearchDocument | ResourceSearchDocument


def add_searches(routes: APIRouter, context: Context, snapshots: SnapshotCache) -> None:
    """Add the two routes to those of the other questions."""

    @routes.post("/search/subject")
    def search_subject(search: SubjectSearchDocument) -> EntitiesDocument:
        """List the members of an organization who may do something, page by page."""
        wanted, found = _wanted(search, now=context.clock.now()), FoundIds()
        if wanted is not None:
            found = find_members(snapshots, search.resource.id, wanted)
        return _entities(search, found, SUBJECT_TYPE)

    @routes.post("/search/resource")
    def search_resource(search: ResourceSearchDocument) -> EntitiesDocument:
        """List the organizations in which somebody may do something, page by page."""
        wanted, found = _wanted(search, now=context.clock.now()), FoundIds()
        if wanted is not None:
            found = find_organizations(context, snapshots, search.subject.id, wanted)
        return _entities(search, found, RESOURCE_TYPE)


def _wanted(search: _Search, *, now: Instant) -> AccessSearch | None:
    """Say what is looked for, where it is a matter of ours."""
    capability, where = search.action.capability, search.resource.properties
    types = (search.subject.type, search.resource.type)
    if capability is None or types != (SUBJECT_TYPE, RESOURCE_TYPE):
        return None
    return AccessSearch(
        capability=capability,
        now=now,
        surface=where.surface,
        product=where.product,
        after=search.after(),
        limit=search.limit,
    )


def _entities(search: _Search, found: FoundIds, kind: str) -> EntitiesDocument:
    return EntitiesDocument(
        page=search.next_page(last=found.last, count=len(found.ids)),
        results=tuple(EntityDocument(type=kind, id=each) for each in found.ids),
    )
