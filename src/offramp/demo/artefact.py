"""What a play has left, read back from its folder. The report knows nothing else.

A mail is matched to the step that it was sent for by its Message-ID, which is a digest of the
off-boarding, the step and the member; nothing has to be guessed from its words.

Source: engine/delivery.py, ``message_id``.
"""

import csv
import json
import zipfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from functools import cached_property
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

from whenever import Date, Instant

from offramp.data.proof.certificate import verify_certificate
from offramp.demo.play import ZONE
from offramp.demo.record import SUPPLEMENT
from offramp.demo.vendor import Vendor
from offramp.engine.copying import copy_message_id
from offramp.engine.delivery import message_id
from offramp.ports import Delivery

Row = Mapping[str, Any]
ROUNDS = (1, 2)
NOBODYS = Delivery(offboarding="", step="", member="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail that arrived, and what it was sent for."""

    file: str
    id: str
    at: Instant
    to: str
    step: str
    offboarding: str
    member: str
    round: int  # 2 where somebody asked for it to be sent again
    text: str
    attachments: Mapping[str, bytes]

    @property
    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every attachment, and instead of a zip what is in it."""
        for name, content in self.attachments.items():
            if not zipfile.is_zipfile(BytesIO(content)):
                yield name, content
                continue
            with zipfile.ZipFile(BytesIO(content)) as packed:
                yield from ((each, packed.read(each)) for each in packed.namelist())

    @property
    def on(self) -> Date:
        """The local day of it."""
        return self.at.to_tz(ZONE).date()


class Artefacts:
    """The folder of one play."""

    def __init__(self, folder: Path, *, vendor: Vendor) -> None:
        """Read lazily from a folder."""
        self.folder = folder
        self.vendor = vendor

    def link(self, name: str) -> str:
        """Give the path of a file, seen from the report beside the folder."""
        return f"{self.folder.name}/{name}"

    @cached_property
    def timeline(self) -> Row:
        """The plan of the organization that left, and every off-boarding with its steps."""
        return self._document("timeline.json")

    @cached_property
    def story(self) -> list[Row]:
        """The lines that were told."""
        return self._list("story.json")

    @cached_property
    def probes(self) -> list[Row]:
        """The access questions that were asked, with their answers."""
        return self._list("access.json")

    @cached_property
    def visits(self) -> list[Row]:
        """What people tried in the application over HTTP, with its answers."""
        return self._list("visits.json")

    @cached_property
    def events(self) -> list[Row]:
        """What the vendor's application was told."""
        return self._list("events.json")

    @cached_property
    def cases(self) -> list[Row]:
        """The cases of support, each as it was found when somebody looked into it."""
        return self._list("cases.json")

    @cached_property
    def siblings(self) -> Row:
        """Digests of the other organizations' rows, before and after."""
        return self._document("siblings.json")

    @cached_property
    def own_tables(self) -> Row:
        """What was found of the organization in our own store."""
        return self._document("own-tables.json")

    @cached_property
    def certificate(self) -> Row:
        """The certificate of the whole organization."""
        return self._certificate(self.folder / "certificate.json")

    @cached_property
    def certificates(self) -> list[Row]:
        """Every certificate: of the organization, its products, its members."""
        parts = sorted((self.folder / "certificates").glob("*.json"))
        whole = (part for part in parts if not part.name.startswith(SUPPLEMENT))
        return [self.certificate, *map(self._certificate, whole)]

    @cached_property
    def supplements(self) -> list[Row]:
        """What was signed each time some of the kept rows went."""
        files = sorted((self.folder / "certificates").glob(f"{SUPPLEMENT}*.json"))
        return [self._certificate(file) for file in files]

    @cached_property
    def kept(self) -> Row:
        """How many rows a law still keeps when everything is over."""
        return self._document("kept.json")

    @cached_property
    def seats(self) -> list[Row]:
        """How many seats of each pool were in use at some instants."""
        return self._list("seats.json")

    def page(self, name: str) -> str:
        """Give a page of the portal as its reader had it."""
        return (self.folder / "portal" / name).read_text(encoding="utf-8")

    def copies(self) -> list[Mail]:
        """List the mails that led to a copy which somebody had asked for in the portal."""
        asked = {e["detail"]["copy"] for e in self.ledger if e["kind"] == "own-copy-asked"}
        wanted = {copy_message_id(copy, round_=1) for copy in asked}
        return [mail for mail in self.mails if mail.id in wanted]

    def _certificate(self, file: Path) -> Row:
        """Read a certificate, whose signature is checked with the vendor's key first."""
        key = b64decode((self.folder / "vendor-public-key.txt").read_bytes())
        content: Row = verify_certificate(file.read_bytes(), public_key=key)
        return content

    @cached_property
    def ledger(self) -> list[Row]:
        """The ledger's entries."""
        lines = (self.folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @cached_property
    def exports(self) -> Mapping[str, Row]:
        """The data that was handed over, by file name."""
        files = sorted((self.folder / "export").glob("*.json"))
        return {f"export/{f.name}": json.loads(f.read_bytes()) for f in files}

    @cached_property
    def organizations(self) -> list[Row]:
        """The vendor's organizations."""
        return self._roster("organizations")

    @cached_property
    def pools(self) -> list[Row]:
        """The vendor's license pools."""
        return self._roster("pools")

    @cached_property
    def members(self) -> list[Row]:
        """The vendor's members."""
        return self._roster("members")

    @cached_property
    def leaving(self) -> str:
        """The id of the organization that left."""
        return str(self.timeline["organization"]["id"])

    def people(self, *, role: str | None = None) -> dict[str, Row]:
        """Give the members of the organization that left, by id; only one role if it is named."""
        return {
            m["member"]: m
            for m in self.members
            if m["organization"] == self.leaving and role in (None, *m["roles"].split(";"))
        }

    def offboardings(self, organization: str | None = None, *, of_members: bool) -> list[Row]:
        """List the off-boardings of an organization, or of its members."""
        wanted = organization or self.leaving
        return [
            row
            for row in self.timeline["offboardings"]
            if row["organization"] == wanted and (row["member"] is not None) == of_members
        ]

    def step(self, key: str) -> Row:
        """Find a step of the organization that left."""
        steps = (s for row in self.offboardings(of_members=False) for s in row["steps"])
        return next((step for step in steps if step["key"] == key), {})

    @cached_property
    def mails(self) -> list[Mail]:
        """Every mail that arrived, in order."""
        senders = dict(self._message_ids())
        files = sorted((self.folder / "mail").glob("*.eml"))
        return [_read_mail(file, senders) for file in files]

    def mails_of(
        self, step: str, organization: str | None = None, *, round_: int = 1
    ) -> list[Mail]:
        """List the mails that a step of an organization's own off-boardings sent in one round."""
        rows = {row["id"] for row in self.offboardings(organization, of_members=False)}
        return [
            mail
            for mail in self.mails
            if (mail.step, mail.round) == (step, round_) and mail.offboarding in rows
        ]

    def _message_ids(self) -> Iterator[tuple[str, Delivery]]:
        """Work out every Message-ID that could have been sent."""
        for row in self.timeline["offboardings"]:
            people = [m for m in self.members if m["organization"] == row["organization"]]
            for step in row["steps"]:
                for person, round_ in product(people, ROUNDS):
                    delivery = Delivery(
                        offboarding=row["id"],
                        step=step["key"],
                        member=person["member"],
                        round=round_,
                    )
                    yield message_id(delivery), delivery

    def _document(self, name: str) -> Row:
        document: Row = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return document

    def _list(self, name: str) -> list[Row]:
        rows: list[Row] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return rows

    def _roster(self, name: str) -> list[Row]:
        file = self.folder / "roster" / f"{name}.csv"
        with file.open(encoding="utf-8", newline="") as source:
            return list(csv.DictReader(source))


def _read_mail(file: Path, senders: Mapping[str, Delivery]) -> Mail:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage), "the policy makes e-mail messages"
    identity = str(message["Message-ID"]).strip("<>").partition("@")[0]
    sent = senders.get(identity, NOBODYS)
    body = message.get_body(preferencelist=("plain",))
    return Mail(
        file=f"mail/{file.name}",
        id=identity,
        at=Instant(parsedate_to_datetime(str(message["Date"]))),
        to=message["To"].addresses[0].addr_spec,
        step=sent.step,
        offboarding=sent.offboarding,
        member=sent.member,
        round=sent.round,
        text=str(body.get_content()) if body else "",
        attachments={str(part.get_filename()): _bytes(part) for part in message.iter_attachments()},
    )


def _bytes(part: Any) -> bytes:  # noqa: ANN401 (the library's own union)
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
