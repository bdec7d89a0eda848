"""A document is proved before a row of it is believed."""

import gzip
import hashlib
import json

import pytest

from offramp.data.restoration.document_reader import (
    ExportDamaged,
    ExportReformatted,
    ExportUnreadable,
    open_document,
)

ROWS = ['{"id":1,"name":"Zoë"}', '{"id":2,"name":"a],\\n"}', '{"id":3,"name":"{"}']


def manifest(rows):
    seen = hashlib.sha256("".join(f"{row}\n" for row in rows).encode()).hexdigest()
    users = {"name": "users", "columns": {}, "rows": len(rows), "sha256": seen}
    nobody = {"name": "none", "columns": {}, "rows": 0, "sha256": hashlib.sha256().hexdigest()}
    return {
        "header": {},
        "organization": "1",
        "member": None,
        "product": None,
        "taken_at": "2024-09-22T00:00:00Z",
        "tables": {"app.none": nobody, "app.users": users},
    }


def written(rows=ROWS, proof=None):
    """Write as the export does, in two blocks of rows."""
    told = json.dumps(proof or manifest(rows), separators=(",", ":"))
    lines = f"{rows[0]},\n{rows[1]}\n,{rows[2]}\n" if rows else ""
    data = f'"data":{{\n"none":[\n],\n"users":[\n{lines}]}},\n'
    return f'{{"schema":{{}},\n{data}"manifest":{told}}}\n'.encode()


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "out.json"
    file.write_bytes(written())
    return file


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_rows_are_read_in_any_order_and_more_than_once(file, pack):
    file.write_bytes(pack(file.read_bytes()))

    with open_document(file) as document:
        first = [row["id"] for row in document.rows("app.users")]
        nobody = list(document.rows("app.none"))
        pairs = list(zip(document.rows("app.users"), document.rows("app.users"), strict=True))

    assert (first, nobody) == (["1", "2", "3"], [])
    assert all(one == other for one, other in pairs)
    assert document.last_rows == {"app.users": {"id": "3", "name": '"{"'}}


def test_a_document_without_a_table_is_whole(file):
    proof = manifest(ROWS) | {"tables": {}}
    file.write_text(f'{{"schema":{{}},\n"data":{{}},\n"manifest":{json.dumps(proof)}}}\n')

    with open_document(file) as document:
        assert document.manifest.tables == {}


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda text: text.replace(b"Zo", b"Zu"), ExportDamaged),
        (lambda text: text.replace(ROWS[1].encode() + b"\n,", b""), ExportDamaged),
        (lambda text: text.replace(b'"none":[', b'"other":['), ExportDamaged),
        (lambda text: text.replace(b'"taken_at"', b'"taken"'), ExportDamaged),
        (lambda text: text[:-20], ExportDamaged),
        (lambda text: text[:60], ExportDamaged),
        (lambda text: gzip.compress(text)[:-12], ExportDamaged),
        (lambda text: json.dumps(json.loads(text)).encode(), ExportReformatted),
        (lambda text: json.dumps(json.loads(text), indent=1).encode(), ExportReformatted),
        (lambda text: b"\xef\xbb\xbf" + text, ExportReformatted),
        (lambda text: text.replace(b"\n", b"\r\n"), ExportReformatted),
        (lambda text: text + b"\n", ExportReformatted),
        (lambda text: b"", ExportUnreadable),
        (lambda text: b"id,name\n", ExportUnreadable),
    ],
)
def test_what_is_not_as_it_was_exported_is_refused(file, spoil, error):
    file.write_bytes(spoil(file.read_bytes()))

    with pytest.raises(error) as caught, open_document(file):
        pass

    assert "Zoë" not in str(caught.value)


@pytest.mark.parametrize("place", range(0, len(written()) - 1, 7))
def test_wherever_it_is_cut_it_is_never_called_whole(file, place):
    """L36."""
    file.write_bytes(written()[:place])

    with (
        pytest.raises((ExportDamaged, ExportReformatted, ExportUnreadable)),
        open_document(file),
    ):
        pass


def test_a_file_that_is_changed_while_it_is_read_is_noticed(file):
    with open_document(file) as document:
        file.write_bytes(written().replace(b"Zo", b"Zu"))

        with pytest.raises(ExportDamaged, match=r"app.users do not match"):
            list(document.rows("app.users"))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ExportUnreadable, match="no such file"), open_document(tmp_path / "none"):
        pass
