"""The ledger read back: page by page, and every seal checked.

Source: lesson L41; core/ledger.py.
"""

from collections.abc import Iterable, Iterator

from offramp.core.ledger import GENESIS, Entry, verify_chain
from offramp.engine.context import Context

PAGE_ENTRIES = 1_000


def read_ledger(context: Context) -> Iterator[Entry]:
    """Give every entry in order, a page at a time."""
    after = 0
    while True:
        with context.store.transaction() as transaction:
            page = transaction.ledger(after=after, limit=PAGE_ENTRIES)
        yield from page
        if len(page) < PAGE_ENTRIES:
            return
        after = page[-1].number


def verify_ledger(context: Context, *, heads: Iterable[tuple[int, str]] = ()) -> tuple[int, str]:
    """Check every seal, and give number and seal of the last entry to be kept elsewhere.

    Shape:
        heads: numbers and seals that were kept elsewhere. The ledger may have grown since.
    Raises:
        LedgerBroken: an entry was changed, removed, added or moved.
    """
    last = (0, GENESIS)

    def watched() -> Iterator[Entry]:
        nonlocal last
        for entry in read_ledger(context):
            last = (entry.number, entry.seal)
            yield entry

    verify_chain(watched(), key=context.keys.ledger_key(), heads=heads)
    return last
