"""Papers are archive documents, and what cannot be printed well is not printed at all."""

import pytest

from offramp.data.proof import paper
from offramp.data.proof.paper import (
    LayoutWrong,
    LetterMissing,
    PrinterMissing,
    files_in,
    print_paper,
    require_printer,
)
from tests.archive import LENGTH_RULE, faults

HEAD = '#set document(title: "T", date: datetime(year: 2024, month: 1, day: 1))\n'
ATTACHING = """
#pdf.attach("a.txt", relationship: "data", mime-type: "text/plain", description: "A")
Hello"""


def printed(layout, **files):
    return print_paper({"main.typ": (HEAD + layout).encode(), **files})


@pytest.mark.parametrize(
    "words",
    ["Łódź ẞ ǖ", "Ωμέγα", "Перша допомога", "Nguyễn Thị", "رات محمد", "עזרה", "आशा शर्मा"],
)
def test_letters_of_many_scripts_are_brought(words):
    assert faults(printed(f'#set text(font: ("Noto Sans", "Amiri"))\n{words}')) == []


def test_a_letter_that_no_font_has_is_an_error_that_does_not_quote_the_paper():
    with pytest.raises(LetterMissing) as told:
        printed("会社")

    assert "会" not in str(told.value) + str(told.value.hint)


def test_a_mistake_in_a_layout_is_told_by_its_line():
    with pytest.raises(LayoutWrong, match=r"main\.typ:3"):
        printed("\n#nothing-of-that-name")


def test_a_layout_reads_what_it_is_given_and_no_file_of_the_machine():
    with pytest.raises(LayoutWrong):
        printed('#read("/etc/hostname")')


def test_what_is_attached_comes_out_again():
    assert files_in(printed(ATTACHING, **{"a.txt": b"signed"})) == [b"signed"]


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        (b"<pdfaid:part>3<", b"<pdfaid:part>1<", "PDFA3B-ID-PART-001"),
        (b"/AFRelationship", b"/AFRelationshit", "PDFA3B-FILE-SPEC-AF-RELATIONSHIP-001"),
        (b"/Subtype/text", b"/Subtypo/text", "PDFA3B-EMBEDDED-FILE-MIME-001"),
        (b"/FontFile3", b"/FontFile9", "PDFA3B-FONT-EMBEDDING-001"),
        (b"/Length 1", b"/Length 2", LENGTH_RULE),
        (b"<pdfuaid:part>1<", b"<pdfuaid:part>2<", "PDFUA1-ID-PART-001"),
        (b"/StructTreeRoot", b"/StructTreeRoof", "PDFUA1-STRUCT-TREE-ROOT-001"),
        (b"/Lang", b"/Lung", "PDFUA1-TEXT-LANGUAGE-001"),
        (b"/ToUnicode", b"/ToUnicorn", "PDFUA1-FONT-UNICODE-MAPPING-001"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_validator_of_our_tests_finds_what_is_wrong(right, wrong, rule):
    paper = printed(ATTACHING, **{"a.txt": b"signed"})

    altered = paper.replace(right, wrong)

    assert faults(paper) == []
    assert rule in faults(altered)


def test_data_that_ends_like_a_line_is_no_fault_as_long_as_its_length_is_right():
    """The validator takes the last byte of such data for an end of line; its length decides."""
    papers = (printed(f"Hello {number}") for number in range(5000))

    unlucky = next(paper for paper in papers if b"\r\nendstream" in paper)

    assert faults(unlucky) == []


def test_a_package_that_is_missing_is_told_by_name(monkeypatch):
    def missing(package):
        raise ModuleNotFoundError(package)

    monkeypatch.setattr(paper.importlib, "import_module", missing)

    with pytest.raises(PrinterMissing, match="typst"):
        require_printer()
