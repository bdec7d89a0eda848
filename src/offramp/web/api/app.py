"""The application behind `offramp serve`, put together from the routes of each subject.

Programs of the vendor ask below ``/v1`` and ``/access/v1``, and show a key. Below
``/hooks`` others hand something in, and prove who they are. Everything else is for whoever has the
address, and gives away nothing without one that cannot be guessed.

Source: docs/http.md; docs/decisions/025-http.md.
"""

from fastapi import FastAPI

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.page import LinkPages
from offramp.adapters.message.portal_page import PortalPages
from offramp.adapters.report_prometheus import PrometheusReport
from offramp.engine.context import Context
from offramp.engine.snapshot_cache import SnapshotCache
from offramp.ports import IdentityProvider, Passwords
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.access_snapshot import access_snapshot_routes
from offramp.web.api.acts import act_routes
from offramp.web.api.again import again_routes
from offramp.web.api.again_page import again_page_routes
from offramp.web.api.authzen import authzen_routes, configuration_routes
from offramp.web.api.banner import banner_routes
from offramp.web.api.billing import Stripe, billing_routes, stripe_routes
from offramp.web.api.caller import Gate
from offramp.web.api.cases import case_routes
from offramp.web.api.download import download_routes
from offramp.web.api.guard import SafeHeaders
from offramp.web.api.guessed import guessed_routes
from offramp.web.api.health import health_routes
from offramp.web.api.hooks import Hooks, hook_routes
from offramp.web.api.imports import import_routes
from offramp.web.api.installation import installation_routes
from offramp.web.api.large import LargeRefused
from offramp.web.api.link import link_routes
from offramp.web.api.messages import message_routes
from offramp.web.api.offboardings import offboarding_routes
from offramp.web.api.organizations import organization_routes
from offramp.web.api.pace import Pace
from offramp.web.api.people import people_routes
from offramp.web.api.policies import policy_routes
from offramp.web.api.pools import pool_routes
from offramp.web.api.problem import PROBLEMS, answer_problems
from offramp.web.api.static import static_routes
from offramp.web.api.unsubscribe import unsubscribe_routes
from offramp.web.console.routes import include_console
from offramp.web.monitor import Monitor
from offramp.web.portal.routes import include_portal

BODY_BYTES_MAX = 64 * 1024  # of any request, unless a route says otherwise


_SUBJECTS = (
    access_snapshot_routes,
    banner_routes,
    organization_routes,
    import_routes,
    people_routes,
    pool_routes,
    offboarding_routes,
    act_routes,
    message_routes,
    again_routes,
    download_routes,
    case_routes,
    billing_routes,
    policy_routes,
    installation_routes,
)


def create_app(
    context: Context,
    *,
    access_keys: AccessKeys,
    hooks: Hooks | None = None,
    pages: LinkPages | None = None,
    has_again_page: bool = False,
    passwords: Passwords | None = None,
    requests_per_minute: int | None = None,
    stripe: Stripe | None = None,
    portal: PortalPages | None = None,
    monitor: Monitor | None = None,
    provider: IdentityProvider | None = None,
    takes_passwords: bool = True,
) -> FastAPI:
    """Make the application; it answers from the context's store.

    Args:
        access_keys: what programs have to show.
        hooks: who may hand in what came back.
        pages: writes the pages for people.
        has_again_page: whether people without an account can ask for their messages again.
        passwords: hashes those of operators; without it there is no console.
        requests_per_minute: how often one key may ask below ``/v1``; none for no limit.
        stripe: who may say what becomes of subscriptions.
        portal: writes the pages of the portal; without it there is none.
        provider: says who operators are, where they sign in elsewhere.
        takes_passwords: whether they sign in by passwords as well.
        monitor: tells of health and metrics; without it, of a server that has no worker inside.
    """
    app = LargeRefused(
        title="Offramp",
        version=context.version,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page fetches scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=BODY_BYTES_MAX,
        telemetry={"tracing": False},  # a span holds the path, which may be a secret
    )
    answer_problems(app, report=context.report)
    app.add_middleware(SafeHeaders)
    # First, as routes are tried in turn.
    pace = Pace(per_minute=requests_per_minute, elapsed=context.elapsed)
    gate = Gate(context=context, access_keys=access_keys, pace=pace)
    app.include_router(authzen_routes(context, SnapshotCache(context), gate))
    monitor = monitor or Monitor(context, metrics=PrometheusReport(version=context.version))
    app.include_router(health_routes(monitor, gate))
    app.include_router(guessed_routes())
    pages = pages or LinkPages(Brand())
    app.include_router(link_routes(context, pages))
    app.include_router(unsubscribe_routes(context, pages))
    if has_again_page:
        app.include_router(again_page_routes(context, pages))
    app.include_router(static_routes())
    if passwords is not None:
        include_console(app, context, passwords, provider=provider, takes_passwords=takes_passwords)
    if portal is not None:
        include_portal(app, context, portal)
    app.include_router(hook_routes(context, hooks or Hooks()))
    app.include_router(configuration_routes(context))
    if stripe is not None:
        app.include_router(stripe_routes(context, stripe))
    for of_a_subject in _SUBJECTS:
        app.include_router(of_a_subject(gate), prefix="/v1", responses=PROBLEMS)
    return app
