"""One way out and back: export to a file, erase, restore from it."""

from whenever import Instant

from offramp.data.erasure.erase import erase
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest, export
from offramp.data.restoration.document_reader import open_document
from offramp.data.restoration.restore import restore
from tests.integration.data.school import KEY, CountingFence, no_progress, still

SEED = bytes(32)


def take(shop, scope, file, *, header=None, progress=no_progress, **options):
    """Export a scope into a file; `shop` has a map and open sources."""
    with file.open("wb") as sink:
        return export(
            shop.datamap,
            shop.sources,
            scope,
            sink,
            header=header or {},
            taken_at=Instant.from_utc(2024, 9, 22),
            progress=progress,
            **options,
        )


def leave(
    shop,
    scope,
    *,
    fence=None,
    rows=3,
    keeper=None,
    connections=1,
    elapsed=still,
    progress=no_progress,
    counted=False,
    expected=None,
    **options,
):
    """Erase a scope in small chunks, and at once whatever is counted to be as small."""
    digests = digest(shop.datamap, shop.sources, scope)
    tombstone = take_tombstone(shop.datamap, shop.sources, scope, key=KEY, digests=digests)
    return erase(
        shop.datamap,
        shop.sources,
        scope,
        key=KEY,
        fence=fence or CountingFence(),
        elapsed=elapsed,
        tombstone=tombstone,
        progress=progress,
        keeper=keeper,
        chunk_rows_max=rows,
        connections=connections,
        expected=tombstone.counts if counted else expected or {},
        **options,
    )


def come_back(shop, file, *, seed=SEED, progress=no_progress, **options):
    """Restore a file."""
    with open_document(file) as document:
        return restore(
            shop.datamap, shop.sources, document, seed=seed, progress=progress, **options
        )


def data_of(file):
    """Give the data section of a document, byte for byte."""
    content = file.read_bytes()
    return content[content.index(b'\n"data":') : content.rindex(b'\n"manifest":')]


def totals(result):
    """Add the tables of a result up."""
    names = ("added", "present", "relinked", "moved")
    return {each: sum(getattr(t, each) for t in result.tables.values()) for each in names}
