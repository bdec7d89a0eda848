"""The types of MySQL and MariaDB: what a column is called there, and what it is to us.

Everything that reads a declared type lives here. SQLAlchemy knows most of them; what it does not
know keeps the word that the database has for it.

Source: MySQL, "Data Types"; MariaDB, "Data Types".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

_VALUE = re.compile(r"'((?:[^']|'')*)'")
_SHAPE = re.compile(
    r"geometry|(multi)?(point|linestring|polygon)|geom(etry)?collection"  # stored as bytes
)
_BLOBS = frozenset(("tinyblob", "blob", "mediumblob", "longblob", "vector"))


class NamedBytes(sa.LargeBinary):
    """Bytes of any length, under the database's own word for them."""

    def __init__(self, word: str) -> None:
        """Keep the word."""
        super().__init__()
        self.word = word


class NamedType(sa.types.UserDefinedType[str]):
    """What is read and written as text, under the database's own word for it."""

    cache_ok = True

    def __init__(self, word: str) -> None:
        """Keep the word."""
        self.word = word


class CheckedJson(sa.JSON):
    """MariaDB's JSON: a text that a check has looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the catalog says of the type of one column."""

    kind: str
    words: str
    length: int | None
    precision: int | None
    scale: int | None
    fraction: int | None
    charset: str | None
    collation: str | None
    is_json: bool

    @property
    def is_unsigned(self) -> bool:
        """Say whether it holds no number below zero."""
        return "unsigned" in self.words

    @property
    def is_padded(self) -> bool:
        """Say whether its numbers are printed with zeros before them."""
        return "zerofill" in self.words


Kind = sa.types.TypeEngine[Any]


def read_type(declared: Declaration) -> Kind:
    """Return the type of a column."""
    if declared.is_json:
        return CheckedJson()
    if declared.kind in _BLOBS or _SHAPE.fullmatch(declared.kind):
        return NamedBytes(declared.words.upper())
    make = _MAKERS.get(declared.kind)
    return make(declared) if make else NamedType(declared.words.upper())


def _whole(kind: Callable[..., Kind]) -> Callable[[Declaration], Kind]:
    return lambda each: kind(unsigned=each.is_unsigned, zerofill=each.is_padded)


def _tiny(declared: Declaration) -> Kind:
    """One digit wide is how a boolean is declared."""
    width = 1 if declared.words == "tinyint(1)" else None
    unsigned, zerofill = declared.is_unsigned, declared.is_padded
    return mysql.TINYINT(display_width=width, unsigned=unsigned, zerofill=zerofill)


def _text(kind: Callable[..., Kind]) -> Callable[[Declaration], Kind]:
    return lambda each: kind(charset=each.charset, collation=each.collation)


def _string(kind: Callable[..., Kind]) -> Callable[[Declaration], Kind]:
    return lambda each: kind(each.length, charset=each.charset, collation=each.collation)


def _values(declared: Declaration) -> list[str]:
    return [value.replace("''", "'") for value in _VALUE.findall(declared.words)]


_MAKERS: Mapping[str, Callable[[Declaration], Kind]] = {
    "tinyint": _tiny,
    "smallint": _whole(mysql.SMALLINT),
    "mediumint": _whole(mysql.MEDIUMINT),
    "int": _whole(mysql.INTEGER),
    "bigint": _whole(mysql.BIGINT),
    "decimal": lambda each: mysql.DECIMAL(each.precision, each.scale),
    "float": lambda _each: mysql.FLOAT(asdecimal=False),
    "double": lambda _each: mysql.DOUBLE(asdecimal=False),
    "bit": lambda each: mysql.BIT(each.precision or 1),
    "year": lambda _each: mysql.YEAR(),
    "date": lambda _each: sa.DATE(),
    "time": lambda each: mysql.TIME(fsp=each.fraction or None),
    "datetime": lambda each: mysql.DATETIME(fsp=each.fraction or None),
    "timestamp": lambda each: mysql.TIMESTAMP(timezone=True, fsp=each.fraction or None),
    "char": _string(mysql.CHAR),
    "varchar": _string(mysql.VARCHAR),
    "tinytext": _text(mysql.TINYTEXT),
    "text": _text(mysql.TEXT),
    "mediumtext": _text(mysql.MEDIUMTEXT),
    "longtext": _text(mysql.LONGTEXT),
    "enum": lambda each: mysql.ENUM(*_values(each), charset=each.charset, collation=each.collation),
    "set": lambda each: mysql.SET(*_values(each), charset=each.charset, collation=each.collation),
    "json": lambda _each: sa.JSON(),
    "binary": lambda each: sa.BINARY(each.length),
    "varbinary": lambda each: sa.VARBINARY(each.length),
    "uuid": lambda _each: sa.Uuid(),
}
