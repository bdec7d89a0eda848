"""Workbooks for tests: written as spreadsheet programs write them, and as strangers might."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

SHEET = "xl/worksheets/sheet1.xml"
CELLS = '<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def workbook(*rows, sheets=1):
    """Give the bytes of a workbook with some rows on each sheet."""
    book = Workbook()
    for number in range(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        for row in rows:
            sheet.append(list(row))
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def rewritten(packed, part, change):
    """Change one part of a workbook by hand."""
    written = BytesIO()
    with ZipFile(BytesIO(packed)) as before, ZipFile(written, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, change(content.decode()) if name == part else content)
    return written.getvalue()
