"""Every code of a database becomes an error that says what to do, and quotes no row."""

import sqlite3

import psycopg
import pymysql
import pytest
from psycopg import errors

from offramp.core.errors import Broken, Uncertain
from offramp.data.sources.mysql_trouble import TROUBLES as MYSQL_TROUBLES
from offramp.data.sources.mysql_trouble import classify as of_mysql
from offramp.data.sources.postgres_trouble import classify as of_postgres
from offramp.data.sources.sqlite_trouble import classify as of_sqlite
from offramp.data.sources.trouble import (
    PASSING,
    ChangeRefused,
    PermissionMissing,
    RowsInTheWay,
    SchemaDrifted,
    SourceBusy,
    SourceCrowded,
    SourceDamaged,
    SourceFailing,
    SourceFull,
    SourceReadOnly,
    SourceTooSlow,
    SourceUnavailable,
    SourceUnusable,
    StatementFailed,
)

POSTGRES = {
    "08006": SourceUnavailable,
    "0A000": SchemaDrifted,
    "23503": RowsInTheWay,
    "25006": SourceReadOnly,
    "25P03": SourceTooSlow,
    "26000": SourceUnusable,
    "28P01": SourceUnavailable,
    "40001": SourceBusy,
    "40P01": SourceBusy,
    "42501": PermissionMissing,
    "42601": StatementFailed,
    "42703": SchemaDrifted,
    "42P01": SchemaDrifted,
    "42P05": SourceUnusable,
    "53100": SourceFull,
    "53200": SourceFull,
    "53300": SourceCrowded,
    "53400": SourceFull,
    "55P03": SourceBusy,
    "57014": SourceTooSlow,
    "57P01": SourceUnavailable,
    "57P05": SourceTooSlow,
    "58030": SourceFailing,
    "22012": StatementFailed,
    "P0001": ChangeRefused,
    "XX001": SourceDamaged,
}
MYSQL = {
    1020: SourceBusy,
    1021: SourceFull,
    1040: SourceCrowded,
    1045: SourceUnavailable,
    1048: RowsInTheWay,
    1053: SourceUnavailable,
    1054: SchemaDrifted,
    1062: RowsInTheWay,
    1142: PermissionMissing,
    1146: SchemaDrifted,
    1194: SourceDamaged,
    1205: SourceBusy,
    1213: SourceBusy,
    1264: ChangeRefused,
    1290: SourceReadOnly,
    1301: SourceUnusable,
    1317: SourceTooSlow,
    1412: SchemaDrifted,
    1451: RowsInTheWay,
    1644: ChangeRefused,
    1665: SourceUnusable,
    2003: SourceUnavailable,
    2013: SourceUnavailable,
    3024: SourceTooSlow,
    4025: ChangeRefused,
    1064: StatementFailed,
}
SQLITE = {
    "SQLITE_AUTH": PermissionMissing,
    "SQLITE_BUSY": SourceBusy,
    "SQLITE_BUSY_SNAPSHOT": SourceBusy,
    "SQLITE_CANTOPEN_ISDIR": SourceFailing,
    "SQLITE_CONSTRAINT_FOREIGNKEY": RowsInTheWay,
    "SQLITE_CONSTRAINT_TRIGGER": ChangeRefused,
    "SQLITE_CORRUPT_INDEX": SourceDamaged,
    "SQLITE_FULL": SourceFull,
    "SQLITE_INTERRUPT": SourceTooSlow,
    "SQLITE_IOERR_WRITE": SourceFailing,
    "SQLITE_MISMATCH": StatementFailed,
    "SQLITE_NOMEM": SourceFull,
    "SQLITE_NOTADB": SourceUnusable,
    "SQLITE_READONLY_DIRECTORY": SourceReadOnly,
    "SQLITE_SCHEMA": SchemaDrifted,
}
DOORS = {
    "FATAL:  sorry, too many clients already": "no more connections",
    "FATAL:  remaining connection slots are reserved for roles": "no more connections",
    "FATAL:  the database system is starting up": "starts or stops",
    'FATAL:  password authentication failed for user "ann"': "does not let us in",
    "server closed the connection unexpectedly\n\tThis probably means": "closed the connection",
}


def from_sqlite(name, said="a row of Ann"):
    error = sqlite3.OperationalError(said)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(("state", "kind"), POSTGRES.items())
def test_every_code_of_postgresql_has_its_error(state, kind):
    trouble = of_postgres(errors.lookup(state)("Ann"))

    assert trouble.kind is kind
    assert trouble.hint
    assert "Ann" not in trouble.reason or kind is PermissionMissing
    assert "app" in str(trouble.in_source("app"))


@pytest.mark.parametrize(("number", "kind"), MYSQL.items())
def test_every_number_of_mysql_has_its_error(number, kind):
    trouble = of_mysql(pymysql.err.OperationalError(number, "Ann"))

    assert trouble.kind is kind
    assert trouble.hint
    assert "Ann" not in trouble.reason or kind is PermissionMissing
    assert "app" in str(trouble.in_source("app"))


def test_no_number_of_mysql_means_two_things():
    numbers = [number for codes in MYSQL_TROUBLES.values() for number in codes]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("number", "said", "told"),
    [
        (4025, "CONSTRAINT `small` failed for `db`.`rooms`", "small"),
        (3819, "Check constraint 'small' is violated.", "small"),
        (1451, "... fails (`db`.`a`, CONSTRAINT `a_b` FOREIGN KEY (`b`) REFERENCES", "a_b"),
    ],
)
def test_a_broken_rule_of_mysql_is_told_by_its_name(number, said, told):
    assert told in of_mysql(pymysql.err.IntegrityError(number, said)).reason


def test_a_connection_of_mysql_that_is_gone_has_no_number():
    assert of_mysql(pymysql.err.InterfaceError(0, "")).kind is SourceUnavailable


@pytest.mark.parametrize(("name", "kind"), SQLITE.items())
def test_every_code_of_sqlite_has_its_error(name, kind):
    trouble = of_sqlite(from_sqlite(name))

    assert trouble.kind is kind
    assert trouble.hint
    assert "Ann" not in trouble.reason


@pytest.mark.parametrize(("said", "told"), DOORS.items())
def test_who_is_not_let_in_is_told_why(said, told):
    trouble = of_postgres(psycopg.OperationalError(said))

    assert issubclass(trouble.kind, SourceUnavailable)
    assert told in trouble.reason


def test_a_table_that_is_gone_is_told_from_a_statement_that_is_wrong():
    gone = of_sqlite(from_sqlite("SQLITE_ERROR", "no such table: users"))
    wrong = of_sqlite(from_sqlite("SQLITE_ERROR", 'near "Ann": syntax error'))

    assert (gone.kind, wrong.kind) == (SchemaDrifted, StatementFailed)
    assert "Ann" not in wrong.reason


@pytest.mark.parametrize("classify", [of_postgres, of_sqlite, of_mysql])
def test_what_nobody_foresaw_is_ours_to_look_at_and_quotes_nothing(classify):
    trouble = classify(ValueError("Ann"))

    assert issubclass(trouble.kind, Broken)
    assert "Ann" not in trouble.reason


def test_only_what_passes_by_itself_is_tried_again_at_once():
    assert set(PASSING) == {SourceBusy, SourceTooSlow}
    assert not any(issubclass(kind, Uncertain) for kind in PASSING)
