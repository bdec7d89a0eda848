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

HEAD = '#set document(title: "T", date: datetime(year: 2024, month: 1, day: 1))\n'


def printed(layout, **files):
    return print_paper({"main.typ": (HEAD + layout).encode(), **files})


@pytest.mark.parametrize(
    "words",
    ["Łódź ẞ ǖ", "Ωμέγα", "Перша допомога", "Nguyễn Thị", "رات محمد", "עזרה", "आशा शर्मा"],
)
def test_letters_of_many_scripts_are_brought(words):
    assert printed(f'#set text(font: ("Noto Sans", "Amiri"))\n{words}').startswith(b"%PDF-1.7")


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
    kind = 'relationship: "data", mime-type: "text/plain", description: "A"'
    layout = f'#pdf.attach("a.txt", {kind})\nHello'

    assert files_in(printed(layout, **{"a.txt": b"signed"})) == [b"signed"]


def test_a_package_that_is_missing_is_told_by_name(monkeypatch):
    def missing(package):
        raise ModuleNotFoundError(package)

    monkeypatch.setattr(paper.importlib, "import_module", missing)

    with pytest.raises(PrinterMissing, match="typst"):
        require_printer()
