"""A file that gets its name only when everything is in it, and that its owner alone may read.

Source: docs/cli.md; lesson L36.
"""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from offramp.adapters.disk import TrickledFile, room_for, sync_folder
from offramp.adapters.lock_file import hold_lock
from offramp.cli.output import FileUnwritable

PRIVATE = 0o600


@contextmanager
def whole_file(file: Path) -> Iterator[BinaryIO]:
    """Open a private file, packed as it is written where its name ends in ``.gz``.

    Raises:
        FileUnwritable: its folder does not exist, or it may not be written.
        DiskFull: there is no room for it; no part of it is kept.
        WorkInProgress: another process is writing it.
    """
    with hold_lock(f"file {file.resolve()}", subject=f"the file {file}"), room_for(str(file)):
        yield from _written(file)


def _written(file: Path) -> Iterator[BinaryIO]:
    draft = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnwritable(file=str(file), reason=reason) from error
    except KeyboardInterrupt:  # between the opening and the next line, in which the file is there
        draft.unlink(missing_ok=True)
        raise
    try:
        with io.BufferedWriter(TrickledFile(descriptor)) as sink:
            with ExitStack() as stack:
                yield _packed(sink, stack) if file.suffix == ".gz" else sink
            sink.flush()
            os.fsync(sink.fileno())
        draft.replace(file)
        sync_folder(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def _packed(sink: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Pack without a name and a time, so that equal content gives equal bytes."""
    packed = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=sink, mtime=0)
    return cast(BinaryIO, stack.enter_context(packed))
