"""An installation whose one organization leaves: everybody has earned something to be sent."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from whenever import Instant

from benchmarks.achievements.school import ORGANIZATION, fill_school, school_map
from offramp.adapters.achievement_file import AchievementFiles
from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.diploma import Language
from offramp.bootstrap import brand_of, build, issuer_of
from offramp.config import Settings
from offramp.core.dates import parse_boundary
from offramp.core.model import Achievement, Member, Organization, Pool
from offramp.data.sources.sql import open_sources
from offramp.engine.context import Context, Data
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.ports import Attachment, Mailer
from offramp.testing.builders import ENDS, ZONE, make_policy
from offramp.testing.clock import VirtualClock
from offramp.testing.keys import MemoryKeys

BEFORE, DUE = Instant.from_utc(2024, 8, 1), Instant.from_utc(2024, 9, 1, 12)
FILE_BYTES = 20_480  # of each reader's own
LOCALES, ZONES = ("en", "de", "fr", "pl", "es"), (ZONE, "America/New_York")
FAREWELL = make_policy(
    {"id": "achievements", "at": "expiry + P1D", "notify": "members", "attach": "achievements"}
)


class PreparedFiles(AchievementFiles):
    """Gives everybody a file of their own: how fast real ones are made is a page of its own."""

    def attach(
        self,
        achievements: Sequence[Achievement],
        *,
        member: Member,
        organization: Organization,
        at: Instant,
        language: Language,
    ) -> tuple[Attachment, ...]:
        """Make up a file, the same one whenever it is asked for."""
        content = sha256(member.id.encode()).digest() * (FILE_BYTES // 32)
        return (Attachment(name="badges.zip", media_type="application/zip", content=content),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One folder with a store and the vendor's database, and the mail server that it sends to."""

    folder: Path
    port: int

    @property
    def settings(self) -> Settings:
        """The defaults, but for where everything is."""
        return Settings(
            folder=self.folder,
            mail_host="127.0.0.1",
            mail_port=self.port,
            mail_security="none",
            brand_name="Trellis",
        )

    def fill(self, members: int) -> None:
        """Let everybody of an organization with so many members be about to leave."""
        fill_school(self._url, members=members)
        company = Organization(
            id=ORGANIZATION,
            name="O'Hara & Müller",
            zone=ZONE,
            locale="en",
            policy=FAREWELL.policy,
        )
        pool = Pool(
            id="pool",
            organization=ORGANIZATION,
            product="courses",
            kind="standard",
            seats=members,
            ends=parse_boundary(ENDS),
        )
        with self.context(at=BEFORE) as context:
            publish(context, FAREWELL)
            register(
                context,
                organizations=[company],
                pools=[pool],
                members=[_member(number) for number in range(members)],
            )

    @contextmanager
    def context(self, *, at: Instant, mailer: Mailer | None = None) -> Iterator[Context]:
        """Open it at an instant."""
        settings, keys = self.settings, MemoryKeys()
        datamap = school_map(self._url)
        sources = open_sources(datamap, environment={})
        context = build(settings, clock=VirtualClock(at), keys=keys, report=_stumble, mailer=mailer)
        files = PreparedFiles(
            issuer=issuer_of(settings), signing_key=keys.signing_key, report=_stumble
        )
        composer = JinjaComposer(brand=brand_of(settings), achievement_files=files)
        yield replace(context, composer=composer, data=Data(datamap=datamap, sources=sources))
        for source in sources.values():
            source.close()

    @property
    def _url(self) -> str:
        return f"sqlite:///{self.folder / 'school.sqlite'}"


def _member(number: int) -> Member:
    return Member(
        id=f"{number:06}",
        organization=ORGANIZATION,
        email=f"{number}@company.example",
        name=f"Anna Nowak-{number}",
        roles=frozenset(),
        locale=LOCALES[number % len(LOCALES)],
        zone=ZONES[number % len(ZONES)],
        pools=frozenset({"pool"}),
    )


def _stumble(event: str, facts: Mapping[str, object]) -> None:
    assert facts.get("reason") is None, f"{event}: {facts}"
