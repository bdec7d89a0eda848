"""Why a restore is refused. Tables, columns and counts are named, never a value."""

from offramp.core.errors import Broken, Invalid, Refused


class ValueTaken(Refused):
    """Another row of {table} already has the value that the document has for {columns}."""


class KeyTaken(Refused):
    """A row of {table} belongs to somebody else and has the key {columns}, which cannot change."""


class ReferenceMissing(Refused):
    """Rows of {table} refer by {columns} to {rows} rows of {parent} that are not there."""


class ValueMissing(Refused):
    """The document has a row without a value for {table}.{column}, which must have one now."""


class ValueUnfit(Refused):
    """A row of {table} breaks a rule of the database: {rule}."""


class ExportPartial(Invalid):
    """The document {file} holds only the columns of {categories}, which are no rows to restore."""


class EngineUnfit(Refused):
    """The table {table} is stored by {engine}, which could not take a failed restore back."""


class RowsChanged(Refused):
    """{rows} rows of {table} are there and differ from the document in {columns}."""


class RestoredInexactly(Broken):
    """A restored row of {table} reads back differently in {columns}; nothing was kept."""
