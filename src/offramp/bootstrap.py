"""The composition root: the only place where concrete classes meet.

``build`` makes a context from settings; every port can be replaced by an argument, which is how
the demo and the tests put in a virtual clock. Nothing is connected before it is used.

Source: docs/decisions/001-layers.md.
"""

import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from offramp.adapters.achievement_file import AchievementFiles
from offramp.adapters.clock import SystemClock
from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.diploma import Printer
from offramp.adapters.dispatch_in_process import InProcessDispatcher
from offramp.adapters.ids import RandomIds
from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.mail_format import Sender
from offramp.adapters.mailbox_imap import (
    ImapMailbox,
    ImapServer,
    may_be_letter,
    may_be_report,
)
from offramp.adapters.mailer_paced import PacedMailer
from offramp.adapters.mailer_smtp import Security, SmtpMailer, SmtpServer
from offramp.adapters.message.brand import Brand, read_logo
from offramp.adapters.message.dates import JinjaCalendarWording
from offramp.adapters.message.page import LinkPages
from offramp.adapters.message.portal_page import PortalPages
from offramp.adapters.report_structlog import StructlogReport
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.adapters.vault_folder import FolderVault
from offramp.config import Settings
from offramp.core.case import Letter
from offramp.core.errors import Invalid, Missing
from offramp.data.credential.issuer import Issuer
from offramp.data.elsewhere import open_elsewhere
from offramp.data.endpoint_spec import EVENT_SOURCE
from offramp.data.sources.source import Tools
from offramp.data.sources.sql import open_sources
from offramp.documents.case_mail import LETTER_BYTES_MAX, read_letter
from offramp.documents.datamap import load_datamap
from offramp.documents.returned_mail import REPORT_BYTES_MAX, read_returned
from offramp.documents.timeline.calendar import calendar_file
from offramp.documents.webhook_file import load_webhooks
from offramp.engine.context import Context, Data, Limits, never_stopping
from offramp.engine.operators import BACK
from offramp.engine.optional import PATH as UNSUBSCRIBE
from offramp.engine.portal_entry import PATH as PORTAL
from offramp.ports import (
    Clock,
    Endpoint,
    IdentityProvider,
    Ids,
    Keys,
    Mailbox,
    Mailer,
    Probe,
    Report,
    Returned,
    Store,
    Vault,
    WorkQueue,
)


class Camera(Protocol):
    """Takes pictures of HTML, by the name of the light."""

    def __call__(self, html: str, *, runs_scripts: bool = False) -> Mapping[str, bytes]:
        """Take them; without scripts, unless all that is in it is ours."""


class QueueMissing(Missing):
    """The package {package}, which spreads work over many workers, is not installed."""


class WebhooksMissing(Missing):
    """The package {package}, which sends events to endpoints, is not installed."""


class PortalUnreachable(Invalid):
    """The setting portal needs an address that the links in its mails lead to."""


class IdentitiesMissing(Missing):
    """The package {package}, by which operators sign in elsewhere, is not installed."""


class SignInIncomplete(Invalid):
    """Signing in by OpenID Connect needs the setting {path} as well."""


class CaseAddressUnset(Invalid):
    """A mailbox for letters about cases is named, and not the address to which they are written."""


class CameraMissing(Missing):
    """The package {package}, which takes pictures of messages, is not installed."""


def build(
    settings: Settings,
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    keys: Keys | None = None,
    mailer: Mailer | None = None,
    vault: Vault | None = None,
    report: Report | None = None,
    probe: Probe | None = None,
    is_stopping: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> Context:
    """Make everything the engine works with, once, from the settings.

    Raises:
        StoreUnavailable, DocumentInvalid, SourceUnavailable: what the settings name is not there.
        EndpointUnusable, WebhooksMissing: an endpoint cannot be used as it is declared.
        LogoInvalid, TemplatesMissing, TemplateInvalid: as for `open_composer`.
    """
    keys = keys or FolderKeys(keys_folder(settings))
    clock, ids = clock or SystemClock(), ids or RandomIds()
    event_source, endpoints = _endpoints(settings, keys)
    report = report or StructlogReport(clock=clock, stream=sys.stderr)
    return Context(
        store=store or open_store(settings, keys),
        clock=clock,
        ids=ids,
        keys=keys,
        mailer=mailer or _mailer(settings),
        composer=open_composer(
            settings, achievement_files=achievement_files(settings, keys, report=report)
        ),
        vault=vault or FolderVault(settings.folder / "vault"),
        dispatcher=InProcessDispatcher(),
        data=_data(settings, clock, ids),
        version=version("offramp"),
        elapsed=time.monotonic,
        pause=time.sleep,
        report=report,
        probe=probe or silent,
        is_stopping=is_stopping or never_stopping,
        limits=limits or _limits(settings),
        endpoints=endpoints,
        event_source=event_source,
        public_address=_without_slash(settings.public_address),
        case_address=settings.case_address,
        returns=_returns(settings),
        letters=_letters(settings),
        calendar=partial(
            calendar_file,
            organizer=settings.mail_from,
            wording=JinjaCalendarWording(settings.templates),
        ),
    )


def issuer_of(settings: Settings) -> Issuer:
    """Say who signs credentials.

    Raises:
        AddressUnfit: the address in the settings is no plain https address.
    """
    name = settings.brand_name or settings.mail_from_name or settings.mail_from.rpartition("@")[2]
    return Issuer(name=name, address=settings.credentials_address)


def achievement_files(settings: Settings, keys: Keys, *, report: Report) -> AchievementFiles:
    """Make what writes the files of farewells."""
    fonts = () if settings.fonts is None else (settings.fonts,)
    return AchievementFiles(
        issuer=issuer_of(settings),
        signing_key=keys.signing_key,
        report=report,
        printer=Printer(folder=settings.templates, fonts=fonts, color=settings.brand_color),
        printed_at_once=os.cpu_count() or 1,
    )


def open_composer(
    settings: Settings, *, achievement_files: AchievementFiles | None = None
) -> JinjaComposer:
    """Make what writes messages, with the vendor's brand and its templates, checked.

    Raises:
        LogoInvalid, TemplatesMissing, TemplateInvalid: what the settings name cannot be used.
    """
    brand = brand_of(settings)
    composer = JinjaComposer(settings.templates, brand=brand, achievement_files=achievement_files)
    composer.check()
    return composer


def link_pages(settings: Settings) -> LinkPages:
    """Make what writes the pages behind links.

    Raises:
        LogoInvalid: what the settings name cannot be used.
    """
    return LinkPages(brand_of(settings), folder=settings.templates)


def portal_pages(settings: Settings) -> PortalPages | None:
    """Make what writes the portal's pages, where there is one.

    Raises:
        PortalUnreachable: it could not be reached.
        LogoInvalid: what the settings name cannot be used.
    """
    if not settings.portal:
        return None
    if settings.public_address is None:
        raise PortalUnreachable(hint="set public_address to where people reach it")
    return PortalPages(brand_of(settings), folder=settings.templates)


def identity_provider(settings: Settings) -> IdentityProvider | None:
    """Make what says who operators are, where somebody elsewhere does.

    Raises:
        SignInIncomplete: a setting is missing.
        IdentitiesMissing: the package that asks is not installed.
    """
    if settings.oidc_issuer is None:
        if settings.oidc_only:
            raise SignInIncomplete(path="oidc_issuer", hint="or nobody could sign in at all")
        return None
    for name in ("oidc_client_id", "public_address"):
        if not getattr(settings, name):
            raise SignInIncomplete(path=name)
    try:
        # An extra, which only those need whose operators sign in elsewhere.
        oidc = importlib.import_module("offramp.adapters.identity_oidc")
    except ModuleNotFoundError as error:
        raise IdentitiesMissing(package=error.name, hint="pip install offramp[oidc]") from error
    client = oidc.OidcClient(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        back_to=f"{_without_slash(settings.public_address)}/{BACK}",
        name=settings.oidc_name,
    )
    provider: IdentityProvider = oidc.OidcProvider(client, elapsed=time.monotonic)
    return provider


def brand_of(settings: Settings) -> Brand:
    """Give the vendor's brand.

    Raises:
        LogoInvalid: there is no such logo, or none that every reader would see.
    """
    address = _without_slash(settings.public_address)
    return Brand(
        name=settings.brand_name,
        logo=None if settings.brand_logo is None else read_logo(settings.brand_logo),
        color=settings.brand_color,
        agreement=settings.brand_agreement,
        information=settings.brand_information,
        support=settings.brand_support,
        renewal=settings.brand_renewal,
        portal=f"{address}/{PORTAL}" if settings.portal and address else None,
    )


def open_camera() -> AbstractContextManager[Camera]:
    """Start what takes pictures of the HTML of a message, by the name of the light.

    Raises:
        CameraMissing: the package that takes them is not installed.
        BrowserMissing: there is no browser, when the block begins.
    """
    try:
        # An extra: only who looks at messages needs it.
        picture = importlib.import_module("offramp.adapters.message.picture")
    except ModuleNotFoundError as error:
        raise CameraMissing(package=error.name, hint="pip install offramp[preview]") from error
    camera: AbstractContextManager[Camera] = picture.open_camera()
    return camera


def keys_folder(settings: Settings) -> Path:
    """Name the folder of the secret keys; where it is missing nothing was ever set up."""
    return settings.folder / "keys"


def open_store(settings: Settings, keys: Keys) -> SqlStore:
    """Open the store and bring its tables up to date."""
    return SqlStore(_open_engine(settings), ledger_key=keys.ledger_key())


def build_worker(
    settings: Settings,
    *,
    report: Report,
    is_stopping: Callable[[], bool],
    clock: Clock | None = None,
) -> tuple[Context, WorkQueue]:
    """Make the context of one worker among many, and the queue that it serves.

    Raises:
        QueueMissing: the package of the queue is not installed.
        StoreUnavailable, DocumentInvalid, SourceUnavailable: as for `build`.
    """
    try:
        # Slow to import, and an extra: only a worker pays for it.
        dbos = importlib.import_module("offramp.adapters.dispatch_dbos")
    except ModuleNotFoundError as error:
        raise QueueMissing(package=error.name, hint="pip install offramp[worker]") from error
    keys, ids = FolderKeys(keys_folder(settings)), RandomIds()
    engine = _open_engine(settings)
    limits = replace(_limits(settings), lease_seconds=settings.worker_lease_seconds)
    context = build(
        settings,
        store=SqlStore(engine, ledger_key=keys.ledger_key()),
        ids=ids,
        keys=keys,
        report=report,
        clock=clock,
        is_stopping=is_stopping,
        limits=limits,
    )
    queue = dbos.DbosQueue(engine, executor_id=ids.new(), concurrency=settings.worker_steps)
    return context, queue


def _open_engine(settings: Settings) -> Engine:
    settings.folder.mkdir(parents=True, exist_ok=True)
    engine = connect(settings.store_url)
    migrate(engine)
    return engine


def source_tools(
    settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None
) -> Tools:
    """Give what a source that is no database may use of the world."""
    return Tools(
        environment=os.environ,
        now=(clock or SystemClock()).now,
        new_id=(ids or RandomIds()).new,
        elapsed=time.monotonic,
        pause=time.sleep,
        may_reach_private=settings.private_addresses,
    )


def _data(settings: Settings, clock: Clock, ids: Ids) -> Data | None:
    if settings.datamap is None:
        return None
    datamap = load_datamap(settings.datamap)
    return Data(
        datamap=datamap,
        sources=open_sources(datamap, environment=os.environ),
        others=open_elsewhere(datamap, tools=source_tools(settings, clock=clock, ids=ids)),
    )


def _endpoints(settings: Settings, keys: Keys) -> tuple[str, Mapping[str, Endpoint]]:
    if settings.webhooks is None:
        return EVENT_SOURCE, {}
    try:
        # An extra, which only those need who have endpoints.
        http = importlib.import_module("offramp.adapters.endpoint_http")
    except ModuleNotFoundError as error:
        raise WebhooksMissing(package=error.name, hint="pip install offramp[http]") from error
    file = load_webhooks(settings.webhooks)
    endpoints: Mapping[str, Endpoint] = http.open_endpoints(
        file,
        signing_key=keys.signing_key,
        environment=os.environ,
        may_be_private=settings.private_addresses,
        elapsed=time.monotonic,
    )
    return file.source, endpoints


def _mailer(settings: Settings) -> Mailer:
    server = SmtpServer(
        host=settings.mail_host,
        port=settings.mail_port,
        username=settings.mail_username,
        password=settings.mail_password.get_secret_value(),
        security=Security(settings.mail_security),
    )
    return PacedMailer(
        SmtpMailer(server, sender=sender_of(settings), connections_max=settings.mail_connections),
        per_minute=settings.mail_per_minute,
        per_minute_to_domain=settings.mail_per_minute_to_domain,
        elapsed=time.monotonic,
        pause=time.sleep,
    )


def sender_of(settings: Settings) -> Sender:
    """Say whom the mail is from."""
    brand = brand_of(settings)
    return Sender(
        address=settings.mail_from,
        name=settings.mail_from_name or brand.name,
        reply_to=brand.support_mailbox,
        returns_to=settings.mail_returns_to,
        unsubscribe_url=_unsubscribe_url(settings),
    )


def _unsubscribe_url(settings: Settings) -> str | None:
    public_address = _without_slash(settings.public_address)
    return None if public_address is None else f"{public_address}/{UNSUBSCRIBE}"


def _letters(settings: Settings) -> Mailbox[Letter] | None:
    if settings.case_imap_host is None:
        return None
    address = settings.case_address
    if address is None:
        raise CaseAddressUnset(hint="set case_address to where people write")
    server = ImapServer(
        host=settings.case_imap_host,
        port=settings.case_imap_port,
        username=settings.case_imap_username,
        password=settings.case_imap_password.get_secret_value(),
        security=Security(settings.case_imap_security),
        folder=settings.case_imap_folder,
        done=settings.case_imap_done,
    )
    return ImapMailbox(
        server,
        read=partial(read_letter, address=address),
        bytes_max=LETTER_BYTES_MAX,
        may_be=may_be_letter,
    )


def _returns(settings: Settings) -> Mailbox[Returned] | None:
    if settings.returns_imap_host is None:
        return None
    server = ImapServer(
        host=settings.returns_imap_host,
        port=settings.returns_imap_port,
        username=settings.returns_imap_username,
        password=settings.returns_imap_password.get_secret_value(),
        security=Security(settings.returns_imap_security),
        folder=settings.returns_imap_folder,
        done=settings.returns_imap_done,
    )
    return ImapMailbox(server, read=read_returned, bytes_max=REPORT_BYTES_MAX, may_be=may_be_report)


def _limits(settings: Settings) -> Limits:
    return Limits(
        lease_seconds=settings.lease_seconds,
        chunk_rows_max=settings.chunk_rows_max,
        connections=settings.connections,
        bulk_organizations_max=settings.bulk_organizations_max,
        acts_alone_max=settings.acts_alone_max,
        late_watch_days=settings.late_watch_days,
        attempts_max=settings.attempts_max,
        attachment_bytes_max=settings.attachment_bytes_max,
        link_days=settings.link_days,
        unpaid_days=settings.stripe_unpaid_days,
        case_hours=settings.case_hours,
        mails_at_once=settings.mail_connections,
        returns_seconds=settings.returns_every_minutes * 60,
        letters_seconds=settings.case_every_minutes * 60,
    )


def _without_slash(address: str | None) -> str | None:
    return None if address is None else address.rstrip("/")


def silent(point: str) -> None:
    """Hear of a point and do nothing."""
