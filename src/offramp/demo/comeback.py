"""The company comes back: the file that its administrator kept is read in again (A9).

It is the file as it was sent, taken from the mail; the proof is a second export that lies beside
it, of what the vendor's database holds then.
"""

from pathlib import Path

from offramp.data.handover.export import export
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.restore import restore
from offramp.data.scope import Scope
from offramp.demo.play import Play

KEPT = "export/company-data.json"
AGAIN = "export/company-data-again.json"


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
