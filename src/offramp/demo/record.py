"""What a play leaves behind: plain files that anybody can read without us.

Everything that is written into a play's folder is written here; the report reads it back.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from email import message_from_bytes, policy
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from whenever import Instant

from offramp.core.ledger import as_fields
from offramp.core.model import Facts, SubjectKind
from offramp.core.plan import Timeline
from offramp.core.term import Term
from offramp.data.credential.issuer import Issuer, published_files
from offramp.data.proof.signing_key import write_public_key
from offramp.data.scope import Scope
from offramp.data.survey import survey
from offramp.demo.banner_page import write_banners
from offramp.demo.play import ZONE, Play, Visit
from offramp.demo.story import Line
from offramp.documents.timeline.data import timeline_data
from offramp.documents.timeline.drawing import draw_timeline
from offramp.engine.archive import proof_name
from offramp.engine.cases import CaseFile
from offramp.engine.context import Data
from offramp.engine.proof import read_ledger, verify_ledger
from offramp.engine.situation import timeline_of
from offramp.ports import Offboarding, StepRow

ATTACHED_EXPORT = "data.json"
RETENTION_SWEPT = "retention-swept"
SUPPLEMENT = "kept-rows-"
Fingerprint = Mapping[str, Mapping[str, str | int]]


def fingerprint(data: Data, organization: str) -> Fingerprint:
    """Digest every column of every row of an organization, what is never exported included.

    Sessions are left out: they end with the seat of whoever opened them.

    Shape:
        table -> {"rows": count, "sha256": over all rows}.
    """
    found: dict[str, dict[str, str | int]] = {}
    scope = Scope(organization=organization)
    with ExitStack() as stack:
        connections = {
            name: stack.enter_context(source.snapshot()) for name, source in data.sources.items()
        }
        for territory in survey(data.datamap, data.sources, connections, scope):
            sessions = {table.partition(".")[2] for table in data.datamap.sessions}
            for name in sorted(territory.covered - sessions):
                table = territory.table(name)
                rows = connections[territory.source].execute(
                    sa.select(table).where(territory.belongs(name, table))
                )
                lines = sorted(repr(tuple(row)) for row in rows)
                digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
                found[territory.id_of(name)] = {"rows": len(lines), "sha256": digest}
    return found


def write_plan(play: Play, folder: Path) -> None:
    """Draw the timeline of the organization that leaves, as it is planned at the beginning."""
    timeline, facts = _planned(play)
    (folder / "timeline.svg").write_text(draw_timeline(timeline, facts), encoding="utf-8")
    _write_json(folder / "plan.json", timeline_data(timeline, facts))


def _planned(play: Play) -> tuple[Timeline, Facts]:
    leaving = play.organization(play.vendor.leaving)
    with play.context.store.transaction() as transaction:
        row = next(r for r in transaction.offboardings(leaving.id) if r.subject.member is None)
        timeline = timeline_of(transaction, row)
    term = Term(ends=row.ends, cause=row.cause, source=row.source)
    kind = SubjectKind.ORGANIZATION
    facts = Facts(kind=kind, zone=leaving.zone, anchors=term.anchors, cause=row.cause)
    return timeline, facts


def write_record(
    play: Play, folder: Path, *, siblings: Mapping[str, Mapping[str, Fingerprint]]
) -> None:
    """Write everything that a play has left, except the mails, which the mail server wrote."""
    _write_timeline(play, folder)
    _write_json(folder / "story.json", [_line_data(line) for line in play.lines])
    _write_json(folder / "access.json", [_dated(asdict(probe)) for probe in play.probes])
    _write_json(folder / "visits.json", [_visit_data(visit) for visit in play.visits])
    write_banners(play.probes, folder)
    _write_json(folder / "events.json", [_dated(asdict(event)) for event in play.events])
    _write_json(folder / "cases.json", [_case_data(found) for found in play.cases])
    _write_json(folder / "siblings.json", siblings)
    _write_json(folder / "seats.json", [_dated(asdict(each)) for each in play.seats])
    if play.kept_at_last is not None:
        _write_json(folder / "kept.json", {"at": play.now.format_iso(), "rows": play.kept_at_last})
    for name, page in play.pages.items():
        _write(folder / "portal" / name, page.encode())
    _write_certificates(play, folder)
    _write_ledger(play, folder / "ledger.jsonl")
    for name, content in play.downloads.items():
        _write(folder / "export" / name, content)


def _case_data(found: CaseFile) -> dict[str, Any]:
    """Give a case as it was found when somebody looked into it."""
    return {
        "case": found.case.id,
        "complaint": found.case.complaint,
        "said_by": [note.actor for note in found.notes],
        "member": found.case.member,
        "repair": found.repair,
        "messages": [
            {
                "step": each.delivery.step,
                "status": each.delivery.status,
                "reason": each.delivery.reason,
                "history": [note.status for note in each.notes],
            }
            for each in found.messages
        ],
        "accounts": [
            {
                "at": each.at.format_iso(),
                "is_allowed": each.explanation.decision.is_allowed,
                "stage": each.explanation.decision.stage,
            }
            for each in found.accounts
        ],
    }


def _write_timeline(play: Play, folder: Path) -> None:
    """Join the plan with what has become of it; the file replaces the plan."""
    plan = folder / "plan.json"
    document = json.loads(plan.read_text(encoding="utf-8"))
    plan.unlink()
    with play.context.store.transaction() as transaction:
        rows = transaction.offboardings()
        offboardings = [_offboarding_data(row, transaction.steps(row.id)) for row in rows]
    leaving = play.organization(play.vendor.leaving)
    document = {
        "organization": {"id": leaving.id, "name": leaving.name},
        "plan": document,
        "offboardings": offboardings,
    }
    _write_json(folder / "timeline.json", document)


def _offboarding_data(row: Offboarding, steps: Sequence[StepRow]) -> dict[str, Any]:
    return {
        "id": row.id,
        "organization": row.subject.organization,
        "member": row.subject.member,
        "product": row.subject.product,
        "episode": row.episode,
        "status": row.status.value,
        "source": row.source.value,
        "ends": str(row.ends),
        "opened_at": row.opened_at.format_iso(),
        "closed_at": _text(row.closed_at),
        "steps": [
            {
                "key": step.key,
                "status": step.status.value,
                "issue": step.issue,
                "due_at": step.due_at.format_iso(),
                "done_at": _text(step.receipt.done_at if step.receipt else None),
                "delivered_at": _text(step.receipt.delivered_at if step.receipt else None),
                "proof": dict(step.receipt.proof) if step.receipt else {},
            }
            for step in steps
        ],
    }


def _write_certificates(play: Play, folder: Path) -> None:
    """Write every certificate; the one of the whole organization is ``certificate.json``."""
    leaving = play.organization(play.vendor.leaving).id
    with play.context.store.transaction() as transaction:
        rows = transaction.offboardings(leaving)
    for row in rows:
        _write_supplements(play, folder, row)
        for part in ("", *(f"{row.subject.product}-",) * (row.subject.product is not None)):
            name = proof_name(row.id, f"{part}certificate")
            if play.context.vault.size(name) is None:
                continue
            with play.context.vault.read(name) as source:
                content = source.read()
            is_whole = json.loads(content)["certificate"]["key_destroyed"]
            file = "certificate.json" if is_whole else f"certificates/{row.id}.json"
            _write(folder / file, content)
    public_keys = play.context.keys.public_keys()
    _write(folder / "vendor-public-key.txt", write_public_key(public_keys[0]))
    issuer = Issuer(name=play.vendor.brand, address=play.vendor.credentials_address)
    for name, content in published_files(issuer, public_keys).items():
        _write(folder / "credentials" / name, content)


def _write_supplements(play: Play, folder: Path, row: Offboarding) -> None:
    """Write what was signed each time some of the kept rows went."""
    events = (entry.event for entry in read_ledger(play.context))
    swept = (e for e in events if (e.kind, e.offboarding) == (RETENTION_SWEPT, row.id))
    names = filter(None, (event.detail["certificate"] for event in swept))
    for number, name in enumerate(names, start=1):
        with play.context.vault.read(str(name)) as source:
            _write(folder / "certificates" / f"{SUPPLEMENT}{number}.json", source.read())


def _write_ledger(play: Play, file: Path) -> None:
    """Write the ledger, whose seals are checked with their key first."""
    verify_ledger(play.context)
    lines = [
        json.dumps(
            {
                "number": entry.number,
                **as_fields(entry.event),
                "previous": entry.previous,
                "seal": entry.seal,
            },
            ensure_ascii=False,
        )
        for entry in read_ledger(play.context)
    ]
    _write(file, "".join(f"{line}\n" for line in lines).encode())


def name_mails(folder: Path) -> None:
    """Put the local date of each mail into the name of its file."""
    for file in sorted(folder.glob("*.eml")):
        with file.open("rb") as mail:
            headers = BytesHeaderParser().parse(mail)
        sent_at = Instant(parsedate_to_datetime(str(headers["Date"])))
        local = f"{sent_at.to_tz(ZONE).to_stdlib():%Y-%m-%d-%H%M}"
        file.rename(file.with_name(f"{file.stem}-{local}.eml"))


def write_attached_exports(folder: Path) -> None:
    """Save the JSON file that administrators were sent, out of the first mail that carries it."""
    for file in sorted((folder / "mail").glob("*.eml")):
        mail = file.read_bytes()
        if ATTACHED_EXPORT.encode() not in mail:
            continue
        message = message_from_bytes(mail, policy=policy.default)
        for part in message.iter_attachments():
            if part.get_filename() == ATTACHED_EXPORT:
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes), "an attachment is a file"
                _write(folder / "export" / "company-data.json", content)
                return


def write_own_tables(engine: sa.Engine, file: Path, *, marks: Iterable[str], shared: int) -> None:
    """Search every value of every table of our own store for names and addresses."""
    sought = sorted({mark.casefold() for mark in marks})
    tables = {}
    with engine.connect() as connection:
        catalog = sa.inspect(connection)
        for name in sorted(catalog.get_table_names()):
            columns = (sa.column(c["name"], c["type"]) for c in catalog.get_columns(name))
            rows = connection.execute(sa.select(sa.table(name, *columns)))
            texts = [" ".join(map(str, row)).casefold() for row in rows]
            whole = "\n".join(texts)
            hits = sum(mark in whole for mark in sought)
            tables[name] = {"rows": len(texts), "found": hits}
    _write_json(file, {"searched_for": len(sought), "shared_with_others": shared, "tables": tables})


def _line_data(line: Line) -> dict[str, Any]:
    return {
        "at": line.at.format_iso(),
        "local": line.local,
        "kind": line.kind,
        "who": line.who,
        "what": line.what,
        "details": list(line.details),
    }


def _visit_data(visit: Visit) -> dict[str, Any]:
    return {
        "at": visit.at.format_iso(),
        "who": visit.who,
        "member": visit.member.id,
        "organization": visit.member.organization,
        "replies": [
            {"request": r.request, "status": r.status, "stage": r.stage, "until": r.until}
            for r in visit.replies
        ],
    }


def _dated(data: dict[str, Any]) -> dict[str, Any]:
    return {k: v.format_iso() if isinstance(v, Instant) else v for k, v in data.items()}


def _text(moment: Instant | None) -> str | None:
    return None if moment is None else moment.format_iso()


def _write_json(file: Path, document: object) -> None:
    _write(file, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
