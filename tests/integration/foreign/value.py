"""Expressions that make up values: of the type of a column, and now and then as its checks want."""

from tests.integration.foreign.structure import literal

NUMBERS = ("integer", "bigint", "smallint")
TEXTS = ("character varying", "text", "character", "citext")
DOCUMENTS = ("json", "jsonb")
PLAIN = {
    "boolean": "random() < 0.5",
    "numeric": "round((random() * 9)::numeric, 2)",
    "double precision": "random() * 100",
    "real": "random() * 100",
    "date": "date '2024-01-01' + floor(random() * 300)::int",
    "timestamp with time zone": "timestamptz '2024-01-01' + floor(random() * 9999) * interval '1h'",
    "timestamp without time zone": "timestamp '2024-01-01' + floor(random() * 99) * interval '1h'",
    "time without time zone": "time '08:00' + random() * interval '8 hours'",
    "interval": "floor(random() * 300) * interval '1 minute'",
    "uuid": "gen_random_uuid()",
    "bytea": "decode(md5(random()::text), 'hex')",
    "inet": "'10.0.0.1'",
    "cidr": "'10.0.0.0/8'",
    "tsvector": "'made'",
}
LENGTH_USUAL = 60
LENGTH_OF_MARKED = 12  # a shorter text has no room for more than chance


def expression(table, column, *, mark):
    """Make values of a column's type; `mark` tells those of one statement from all others."""
    kind = column.type
    base, _, rest = kind.partition("(")
    words = table.words(column.name)
    if kind.endswith("[]"):
        made = "'{}'"
    elif column.labels:
        made = one_of([literal(label) for label in column.labels])
    elif base in NUMBERS:
        pool = [word for word in words if word.isdigit()]
        made = one_of(pool) if len(pool) > 1 else "(1 + floor(random() * 900))"
    elif base in DOCUMENTS:
        pool = [literal(word) for word in words if word[:1] in ("{", "[")]
        made = mixed(pool, """'{"made": ' || g || '}'""")
    elif base in TEXTS:
        made = text(table, column, words, rest, mark=mark)
    else:
        made = PLAIN.get(base.strip())
    return f"({made})::{kind}" if made else None


def text(table, column, words, rest, *, mark):
    """Take free text, and now and then one of the words that a check names."""
    digits = rest.rstrip(")")
    length = int(digits) if digits.isdigit() else LENGTH_USUAL
    if "mail" in column.name:
        free = f"left('m{mark}x' || g || '@{mark}.example', {length})"
    elif length > LENGTH_OF_MARKED:
        free = f"left('t{mark}x' || g || left(md5(random()::text), 6), {length})"
    else:
        free = f"left(md5(random()::text || g), {length})"
    if any("upper(" in check for check in table.checks_of(column.name)):
        free = f"upper({free})"
    fitting = [word for word in words if not word.isdigit() and len(word) <= length]
    return mixed([literal(word) for word in fitting], free)


def one_of(pool):
    return f"(ARRAY[{', '.join(pool)}])[1 + floor(random() * {len(pool)})::int]"


def mixed(pool, free):
    return f"CASE WHEN random() < 0.5 THEN {one_of(pool)} ELSE {free} END" if pool else free
