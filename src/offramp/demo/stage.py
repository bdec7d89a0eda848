"""The stage of one play: its store, its mail server, its application's database, its clock.

The composition root is asked for everything, as in an installation; only the clock is simulated
and the mail server listens on loopback.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pydantic import SecretStr
from whenever import Instant

from offramp.adapters.store.connection import connect
from offramp.bootstrap import build, portal_pages
from offramp.config import Settings, load_settings
from offramp.core.errors import Invalid
from offramp.data.sources.sql import open_sources
from offramp.demo.afterwards import come_back, let_go_of_what_was_kept
from offramp.demo.play import Play, Scene, perform, users
from offramp.demo.product import open_product
from offramp.demo.record import (
    Fingerprint,
    fingerprint,
    name_mails,
    write_attached_exports,
    write_own_tables,
    write_plan,
    write_record,
)
from offramp.demo.scenes import (
    CURTAIN_AT,
    GRACE_UNTIL,
    MAILBOX_MENDED_AT,
    POOL_UNTIL,
    grace_scenes,
    pool_scenes,
)
from offramp.demo.story import Tell
from offramp.demo.vendor import TRAINING, Vendor, datamap_of
from offramp.documents.datamap import load_datamap
from offramp.documents.policy import find_policy
from offramp.documents.roster import read_members, read_organizations, read_pools
from offramp.engine.context import Context, Data
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.testing.clock import VirtualClock
from offramp.testing.postgres import fresh_database
from offramp.testing.smtp import SmtpCatcher

MAILBOX_UNKNOWN = 550
Databases = Mapping[str, str]


class DatabaseUnfit(Invalid):
    """The demo makes databases of its own on a PostgreSQL server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where one play takes place."""

    vendor: Vendor
    application_url: str
    store_url: str
    private: Path  # keys and vault, gone afterwards
    out: Path  # what is left behind


@contextmanager
def database_urls(
    names: tuple[str, ...], *, server: str | None, folder: Path
) -> Iterator[Databases]:
    """Give each name a fresh database, for the length of the block.

    Raises:
        DatabaseUnfit: the server given is not PostgreSQL.
        StoreUnavailable: it cannot be reached.
    """
    if server is None:
        yield {name: f"sqlite:///{folder / name}.sqlite" for name in names}
        return
    engine = connect(server)
    if engine.dialect.name != "postgresql":
        raise DatabaseUnfit(expected="postgresql://user@host/database", path="--database")
    with engine.connect():
        base = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    with ExitStack() as stack:
        yield {name: stack.enter_context(fresh_database(base)) for name in names}


@contextmanager
def opened(
    stage: Stage, *, tell: Tell, has_portal: bool = False
) -> Iterator[tuple[Play, SmtpCatcher]]:
    """Open a stage with its roster imported and nothing played yet, and its mail server."""
    clock = VirtualClock(CURTAIN_AT)
    with SmtpCatcher(folder=stage.out / "mail") as post, ExitStack() as stack:
        settings = _settings(stage, port=post.port, has_portal=has_portal)
        context = _context(stage, settings, clock)
        stack.callback(_close, context)
        product = stack.enter_context(
            open_product(
                stage.vendor,
                stage.application_url,
                context=context,
                key=context.ids.new(),
                portal=portal_pages(settings),
            )
        )
        play = Play(
            vendor=stage.vendor,
            policy=find_policy(stage.vendor.policy),
            context=context,
            product=product,
            post=post,
            clock=clock,
            tell=tell,
        )
        _import(play, stage.out / "roster")
        yield play, post


def put_on(stage: Stage, *, tell: Tell) -> None:
    """Perform the play of one vendor and leave its artefacts in its folder."""
    with opened(stage, tell=tell, has_portal=True) as (play, post):
        write_plan(play, stage.out)
        marks, shared = _marks(play)
        scenes, until = _script(play, post)
        before = _fingerprints(play)
        perform(play, scenes, until=until)
        siblings = _compared(play, before, _fingerprints(play))
        name_mails(stage.out / "mail")
        write_attached_exports(stage.out)
        if stage.vendor is TRAINING:
            let_go_of_what_was_kept(play)
            come_back(play, stage.out)
        write_record(play, stage.out, siblings=siblings)
    engine = connect(stage.store_url)
    write_own_tables(engine, stage.out / "own-tables.json", marks=marks, shared=shared)
    engine.dispose()


def _script(play: Play, post: SmtpCatcher) -> tuple[tuple[Scene, ...], Instant]:
    if play.vendor is TRAINING:
        return (*pool_scenes(), lose_a_mailbox(play, post)), POOL_UNTIL
    return grace_scenes(), GRACE_UNTIL


def _settings(stage: Stage, *, port: int, has_portal: bool) -> Settings:
    return load_settings(
        folder=stage.private,
        database_url=SecretStr(stage.store_url),
        datamap=None,
        mail_host=SmtpCatcher.host,
        mail_port=port,
        mail_security="none",
        mail_from="offboarding@vendor.example",
        brand_name=stage.vendor.brand,
        credentials_address=stage.vendor.credentials_address,
        public_address=stage.vendor.public_address if has_portal else None,
        portal=has_portal,
    )


def _context(stage: Stage, settings: Settings, clock: VirtualClock) -> Context:
    datamap = load_datamap(datamap_of(stage.vendor))
    environment = {stage.vendor.variable: stage.application_url}
    data = Data(datamap=datamap, sources=open_sources(datamap, environment=environment))
    context = build(settings, clock=clock, report=_silent)
    return replace(context, data=data)


def _silent(event: str, facts: Mapping[str, object]) -> None:
    """Leave it to the ledger to say what happens."""


def _close(context: Context) -> None:
    assert context.data is not None, "the play has opened its sources"
    for source in context.data.sources.values():
        source.close()


def _import(play: Play, roster: Path) -> None:
    """Publish the policy and take the vendor's roster over, as `offramp import` does."""
    context = play.context
    publish(context, play.policy)
    organizations = tuple(chain.from_iterable(read_organizations(roster / "organizations.csv")))
    play.organizations = {organization.name: organization for organization in organizations}
    register(context, organizations=organizations)
    pools = tuple(chain.from_iterable(read_pools(roster / "pools.csv")))
    register(context, pools=pools)
    members = tuple(chain.from_iterable(read_members(roster / "members.csv")))
    register(context, members=members)
    play.say(
        f"{play.vendor.brand}, {play.vendor.application}",
        "The roster is imported",
        f"{len(organizations)} organizations, {len(pools)} pools, {len(members)} members",
    )
    play.observe()


def _marks(play: Play) -> tuple[set[str], int]:
    """Give the names and addresses of whoever leaves, and count those that others have too."""
    leaving = play.organization(play.vendor.leaving)
    ours = {leaving.name} | {m for p in play.members(leaving.name) for m in (p.email, p.name)}
    theirs = {
        mark
        for name in play.organizations
        if name != leaving.name
        for person in play.members(name)
        for mark in (person.email, person.name)
    }
    return ours - theirs, len(ours & theirs)


def lose_a_mailbox(play: Play, post: SmtpCatcher) -> Scene:
    """Let one user's mailbox be gone until it is mended: a message is seen not to arrive (A4)."""
    person = users(play.members(play.vendor.leaving))[-1]
    post.refuse(person.email, MAILBOX_UNKNOWN)

    def mend(play: Play) -> None:
        post.accept(person.email)
        play.say(play.vendor.leaving, "The mailbox that refused its mail is there again")

    return Scene(at=MAILBOX_MENDED_AT, act=mend)


def _fingerprints(play: Play) -> Mapping[str, Fingerprint]:
    assert play.context.data is not None, "the play has opened its sources"
    return {
        name: fingerprint(play.context.data, organization.id)
        for name, organization in play.organizations.items()
        if name != play.vendor.leaving
    }


def _compared(
    play: Play, before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint]
) -> Mapping[str, Mapping[str, Fingerprint]]:
    for name, found in before.items():
        rows = sum(int(table["rows"]) for table in found.values())
        same = "is byte for byte what it was" if found == after[name] else "HAS CHANGED"
        play.say(name, f"Its data {same}", f"{rows} rows", kind="check")
    return {name: {"before": before[name], "after": after[name]} for name in before}
