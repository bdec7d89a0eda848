"""Files that come back with a document: put where they were, or where they are now.

A file that is there already, byte for byte, is left alone; another one under its name refuses the
restore. Whatever fails later takes away again what was put back, so that a restore is all or
nothing here too. What a service had is not given back to it, and that is told.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from offramp.core.errors import Invalid
from offramp.data.restoration.document_reader import Document
from offramp.data.restoration.restoration import Progress
from offramp.data.sources.source import Errand, FileSource, Source


class FilesNotIncluded(Invalid):
    """The document names {count} files of {source} that are neither there nor beside it."""


@dataclass(kw_only=True)
class FileReturn:
    """What comes back outside of the databases, and what of it was put back until now."""

    document: Document
    others: Mapping[str, Source]
    progress: Progress
    added: dict[str, int] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    _put: list[tuple[FileSource, Errand, str]] = field(default_factory=list)

    def tables(self) -> Mapping[str, Source]:
        """Name the tables of the document that are of no database."""
        found = {}
        for table in self.document.manifest.tables:
            source = self.others.get(table.partition(".")[0])
            if source is not None:
                found[table] = source
        return found

    def run(self, errand: Errand, *, is_dry_run: bool) -> None:
        """Put back every file that the document names.

        Raises:
            FilesNotIncluded: the files are missing here and there.
            FileInTheWay: another file has the name of one of them.
        """
        for table, source in self.tables().items():
            if isinstance(source, FileSource):
                self._put_back(table, source, errand, is_dry_run=is_dry_run)
            else:
                self.left_out[table] = self.document.manifest.tables[table].rows

    def take_away(self) -> None:
        """Remove what was put back, the last one first."""
        while self._put:
            source, errand, key = self._put.pop()
            source.take_away(errand, key)

    def _put_back(
        self, table: str, source: FileSource, errand: Errand, *, is_dry_run: bool
    ) -> None:
        counts, missing = {True: 0, False: 0}, 0
        for key in self._keys(table):
            if self.document.files is None:
                missing += not source.has(errand, key)
                counts[False] += 1
                continue
            is_new = not source.has(errand, key)
            if not is_dry_run:
                content = self.document.files.file(source.name, key)
                is_new = source.put_back(errand, key, content)
                if is_new:
                    self._put.append((source, errand, key))
            counts[is_new] += 1
            self.progress(table, sum(counts.values()))
        if missing:
            hint = "restore from the zip that the export wrote with its files"
            raise FilesNotIncluded(source=source.name, count=missing, hint=hint)
        self.added[table], self.present[table] = counts[True], counts[False]

    def _keys(self, table: str) -> Iterator[str]:
        """Name the files of a table; the document proves its rows again as they pass."""
        for row in self.document.rows(table):
            yield str(json.loads(row["key"]))


@contextmanager
def returning(files: FileReturn) -> Iterator[FileReturn]:
    """Take away again what was put back when anything fails, up to the last commit."""
    with ExitStack() as undo:
        undo.callback(files.take_away)
        yield files
        undo.pop_all()
