"""A process that makes the files of everybody of one organization, and lets go of them."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from time import monotonic

from whenever import Date, Instant

from benchmarks.achievements.school import EACH, ORGANIZATION, member_keys, school_map
from benchmarks.meter import peak_bytes
from offramp.adapters.composer_jinja import JinjaComposer
from offramp.bootstrap import achievement_files, issuer_of
from offramp.config import Settings
from offramp.core.model import Achievement, Member, Organization
from offramp.data.credential.credential import Award, credential_of
from offramp.data.credential.token import Signer
from offramp.data.handover.members import AchievementReader
from offramp.data.sources.sql import open_sources
from offramp.engine.context import Limits
from offramp.testing.keys import MemoryKeys

AT = Instant.from_utc(2024, 8, 31)
Earned = tuple[str, tuple[Achievement, ...]]
COMPANY = Organization(
    id=ORGANIZATION, name="O'Hara & Müller", zone="Europe/Dublin", locale="en", policy="p"
)
SETTINGS = Settings(mail_from_name="Trellis", credentials_address="https://trellis.example/keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one process has made, and what it took."""

    members: int
    credential_seconds: float  # of one
    member_seconds: float  # with all files
    member_bytes: float
    early_bytes: int  # of memory, after a tenth of the members
    late_bytes: int  # in the end


def main(url: str, members: str) -> None:
    """Make everything, and tell what it took."""
    sys.stdout.write(json.dumps(asdict(make(url, members=int(members)))))


def make(url: str, *, members: int) -> Made:
    """Read what a few have earned, as a step does, and make their files one by one."""
    keys = MemoryKeys()
    files = achievement_files(SETTINGS, keys, report=_stumble)
    composer = JinjaComposer(achievement_files=files)
    credential_seconds = _signing_seconds(
        Signer(issuer_of(SETTINGS), private_key=keys.signing_key()), number=members
    )
    began = monotonic()
    datamap = school_map(url)
    sources = open_sources(datamap, environment={})
    reader = AchievementReader(datamap, sources, ORGANIZATION)
    waiting = _earned(reader, members)
    sizes = [_size(composer, *each) for each in islice(waiting, members // 10)]
    early_bytes = peak_bytes()
    sizes += (_size(composer, *each) for each in waiting)
    return Made(
        members=len(sizes),
        credential_seconds=credential_seconds,
        member_seconds=(monotonic() - began) / members,
        member_bytes=sum(sizes) / members,
        early_bytes=early_bytes,
        late_bytes=peak_bytes(),
    )


def _earned(reader: AchievementReader, members: int) -> Iterator[Earned]:
    """Read what everybody has earned, a few at a time."""
    keys = member_keys(members)
    while some := list(islice(keys, Limits().mails_per_batch)):
        yield from reader.read(some).items()


def _size(composer: JinjaComposer, member: str, earned: tuple[Achievement, ...]) -> int:
    assert len(earned) == EACH, "everybody has earned the same number"
    attachments = composer.attach_achievements(
        earned, member=_member(member), organization=COMPANY, at=AT
    )
    return sum(len(attachment.content) for attachment in attachments)


def _signing_seconds(signer: Signer, *, number: int) -> float:
    began = monotonic()
    for each in range(number):
        award = Award(
            title="First aid",
            holder=f"Anna {each}",
            earned_on=Date(2024, 5, 3),
            number=1,
            narrative="Recorded by Trellis.",
            language="en",
        )
        signer.sign(
            credential_of(
                award,
                member=_member(str(each)),
                organization=COMPANY,
                issuer=signer.profile,
                at=AT,
            )
        )
    return (monotonic() - began) / number


def _member(key: str) -> Member:
    return Member(
        id=key,
        organization=ORGANIZATION,
        email=f"{key}@company.example",
        name=f"Anna Nowak {key}",
        roles=frozenset(),
        locale="en",
        zone="Europe/Dublin",
    )


def _stumble(event: str, facts: Mapping[str, object]) -> None:
    raise AssertionError(f"{event}: {facts}")


if __name__ == "__main__":
    main(*sys.argv[1:])
