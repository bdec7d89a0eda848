"""Years later: what a law kept goes when its time is over, and the company comes back (A11, A9).

The file that is read in again is the one that was sent, taken from the mail; the proof is a second
export that lies beside it, of what the vendor's database holds then.
"""

from pathlib import Path

from whenever import Date

from offramp.data.handover.export import export
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.restore import restore
from offramp.data.scope import Scope
from offramp.demo.play import Play
from offramp.engine.offboarding import extend
from offramp.engine.sweep import run_until_quiet

KEPT = "export/company-data.json"
AGAIN = "export/company-data-again.json"
STILL_THERE = Date(2050, 12, 31)
NIGHT_HOURS = 6  # after midnight whatever is destructive on that day is done


def let_go_of_what_was_kept(play: Play) -> None:
    """Move on to each day on which some of the kept rows may go, and let the engine work."""
    context, leaving = play.context, play.vendor.leaving
    for name, organization in play.organizations.items():
        if name != leaving:
            with context.store.transaction() as transaction:
                pools = [p.id for p in transaction.pools(organization.id) if p.ends is not None]
            for pool in pools:
                extend(context, organization.id, until=STILL_THERE, pool=pool)
    play.say("the other companies", f"Stay, and extend until {STILL_THERE.format_iso()}")
    with context.store.transaction() as transaction:
        ends = {group.ends_at for group in transaction.kept() if group.ends_at is not None}
    for end in sorted(ends):
        play.clock.advance_to(end.add(hours=NIGHT_HOURS))
        run_until_quiet(context)
        play.observe()
    with context.store.transaction() as transaction:
        play.kept_at_last = sum(group.rows for group in transaction.kept())


def come_back(play: Play, out: Path) -> None:
    """Read the kept file into the vendor's database and export what is there then."""
    context = play.context
    assert context.data is not None, "the play has opened its sources"
    datamap, sources = context.data.datamap, context.data.sources
    with open_document(out / KEPT) as document:
        restored = restore(
            datamap, sources, document, seed=context.ids.new().encode(), progress=_unseen
        )
    with (out / AGAIN).open("wb") as sink:
        export(
            datamap,
            sources,
            Scope(organization=restored.organization),
            sink,
            header={"offramp": context.version, "reason": "after it was read in again"},
            taken_at=play.now,
            progress=_unseen,
        )
    rows = sum(table.added + table.relinked for table in restored.tables.values())
    play.say(
        play.vendor.leaving,
        "Comes back: the file its administrator kept is read in again",
        f"{rows} rows of {len(restored.tables)} tables",
    )


def _unseen(table: str, rows: int) -> None:
    """Show no progress: it takes a moment."""
