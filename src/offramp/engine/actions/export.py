"""Hand the data over: one JSON document, kept in the vault and sent to its audience.

The document and its manifest lie side by side; the manifest is written last, so its presence
means that the document is whole. The manifest is what the live data is compared with before
anything is erased.

Source: mission A8; policy language E1; lesson L14; docs/decisions/006-exports.md.
"""

import gzip
import json
from dataclasses import replace

from offramp.data.handover.export import export
from offramp.data.manifest import Manifest
from offramp.engine.archive import document_name, manifest_name, read_manifest
from offramp.engine.delivery import Enclosure, deliver, see_delivered
from offramp.engine.offer import Offer
from offramp.engine.work import Heartbeat, Result, Work
from offramp.ports import Attachment, Happening


def preview(work: Work) -> tuple[str, ...]:
    """Say what would be handed over, and to whom."""
    step = work.planned.step
    assert step is not None, "an export is a step of the policy"
    sent = [f"send it to the {audience.value}" for audience in step.audience]
    return (f"export the data of the {work.claimed.subject.kind.value}", *sent)


def perform(work: Work) -> Result | None:
    """Write the document unless it is there, and send it to whoever has not got it."""
    manifest = read_manifest(work.context.vault, work.claimed.id, work.delivery_key)
    if manifest is None:
        _write(work)
    step = work.planned.step
    if step is None or not step.audience:
        return None
    return deliver(work, enclose(work))


def enclose(work: Work) -> Enclosure:
    """Give every reader the document, or lead them to it."""
    offer = _offer(work)
    if offer is not None:
        return Enclosure(offer=offer)
    document = (_attachment(work),)
    return Enclosure(attach=lambda readers: lambda member: document)


def _offer(work: Work) -> Offer | None:
    """Lead every reader to the document, where it is too large for a mail and can be led to."""
    name = document_name(work.claimed.id, work.delivery_key)
    context, size_bytes = work.context, work.context.vault.size(name)
    if context.public_address is None or size_bytes is None:
        return None
    if size_bytes <= context.limits.attachment_bytes_max:
        return None
    return Offer(work=work, file=name, size_bytes=size_bytes, address=context.public_address)


def verify(work: Work) -> Result | None:
    """Say whether the document is whole and everybody's message has its outcome."""
    manifest = read_manifest(work.context.vault, work.claimed.id, work.delivery_key)
    if manifest is None:
        return None
    proof = {
        "rows": sum(table.rows for table in manifest.digests().values()),
        "tables": len(manifest.digests()),
        "bytes": work.context.vault.size(document_name(work.claimed.id, work.delivery_key)),
    }
    step = work.planned.step
    if step is None or not step.audience:
        return Result(proof=proof)
    seen = see_delivered(work)
    if seen is None:
        return None
    return replace(seen, proof={**seen.proof, **proof})


def _write(work: Work) -> Manifest:
    context = work.context
    header = {
        "offramp": context.version,
        "policy": work.claimed.policy,
        "policy_version": work.claimed.policy_version,
        "offboarding": work.claimed.id,
    }

    heartbeat = Heartbeat(context=work.context, claimed=work.claimed)

    def progress(table: str, rows: int) -> None:
        heartbeat.beat()
        context.report("export", {"table": table, "rows": rows})

    with context.vault.write(document_name(work.claimed.id, work.delivery_key)) as sink:
        manifest = export(
            work.data.datamap,
            work.data.sources,
            work.scope,
            sink,
            header=header,
            taken_at=context.clock.now(),
            progress=progress,
            elsewhere=work.data.elsewhere(work.scope),
        )
    context.probe("document written")
    with context.vault.write(manifest_name(work.claimed.id, work.delivery_key)) as sink:
        sink.write(json.dumps(manifest.model_dump(mode="json")).encode())
    return manifest


def _attachment(work: Work) -> Attachment:
    """Give the document as a file of a mail, compressed when it is large.

    One that is too large even so goes out all the same, and that is told: whoever runs this has to
    name an address at which it can be fetched.
    """
    name = document_name(work.claimed.id, work.delivery_key)
    with work.context.vault.read(name) as source:
        content = source.read(work.context.limits.attachment_bytes_max + 1)
        if len(content) <= work.context.limits.attachment_bytes_max:
            return Attachment(name="data.json", media_type="application/json", content=content)
        packed = gzip.compress(content + source.read(), mtime=0)
    if len(packed) > work.context.limits.attachment_bytes_max:
        told = {"offboarding": work.claimed.id, "step": work.planned.key, "bytes": len(packed)}
        work.context.report(Happening.HEAVY, told)
    return Attachment(name="data.json.gz", media_type="application/gzip", content=packed)
