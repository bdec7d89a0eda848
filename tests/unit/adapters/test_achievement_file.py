"""What people have earned travels as files that are worth keeping, and that anybody can check."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO

import pypdf
import pytest
from whenever import Date, Instant

from offramp.adapters.achievement_file import AchievementFiles, read_day
from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.diploma import Printer
from offramp.core.model import Achievement, Member, Organization
from offramp.data.credential.issuer import Issuer
from offramp.data.credential.reading import tokens_in
from offramp.data.credential.token import verify_credential
from offramp.data.proof.certificate import public_key_of
from offramp.data.proof.paper import LayoutWrong
from tests.archive import faults

PRIVATE = bytes(range(32))
PUBLIC = public_key_of(PRIVATE)
AT = Instant.from_utc(2024, 8, 31, 7)
ACME = Organization(id="acme", name="Acme", zone="Europe/Dublin", locale="en", policy="p")
ANNA = Member(
    id="1",
    organization="acme",
    email="anna@example.com",
    name="Anna Nowak",
    roles=frozenset(),
    locale="en",
    zone="Europe/Dublin",
)
FIRST_AID = Achievement(title="First aid", holder="Anna Kowalska", at="2024-02-29 10:00:00")
FIRE = Achievement(title="Fire safety", holder=None, at="spring 2022")
LANGUAGES = ("en", "de", "es", "fr", "pl")
NAMES = (
    "Ελένη Παπαδοπούλου",
    "Анна Ковальчук",
    "محمد بن عبد الله",
    "רות כהן",
    "आशा शर्मा",
    "Nguyễn Thị Ánh",
)


class Told(list):
    """What was reported."""

    def __call__(self, event, facts):
        self.append((event, facts))


def attach(*earned, told=None, printer=None, member=ANNA, organization=ACME):
    files = AchievementFiles(
        issuer=Issuer(name="Trellis", address="https://trellis.example/credentials"),
        signing_key=lambda: PRIVATE,
        report=Told() if told is None else told,
        printer=printer or Printer(),
        printed_at_once=2,
    )
    composer = JinjaComposer(achievement_files=files)
    return composer.attach_achievements(earned, member=member, organization=organization, at=AT)


def named(attachments):
    return {attachment.name: attachment.content for attachment in attachments}


def unpacked(content):
    with zipfile.ZipFile(BytesIO(content)) as packed:
        return [packed.read(name) for name in packed.namelist()]


def words(pdf):
    pages = pypdf.PdfReader(BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def verified(content):
    tokens = tokens_in(content, file="x")
    return [verify_credential(token, public_keys=[PUBLIC]) for token in tokens]


def test_each_achievement_has_a_diploma_beside_the_list_and_the_data_A3():
    given = named(attach(FIRST_AID, FIRE))

    assert [*given] == [
        "Achievements.pdf",
        "01 First aid.pdf",
        "02 Fire safety.pdf",
        "open-badges.json",
    ]
    diploma = words(given["01 First aid.pdf"])
    for part in ("Anna Kowalska", "First aid", "Earned on February 29, 2024", "Acme"):
        assert part in diploma
    listed = words(given["Achievements.pdf"])
    for part in ("Anna Nowak", "earned as Anna Kowalska", "Fire safety", "spring 2022"):
        assert part in listed


def test_the_same_credentials_are_in_the_diplomas_the_list_and_the_data():
    given = named(attach(FIRST_AID, FIRE))

    first, second = verified(given["open-badges.json"])

    assert (first["name"], second["name"]) == ("First aid", "Fire safety")
    assert verified(given["01 First aid.pdf"]) == [first]
    assert verified(given["02 Fire safety.pdf"]) == [second]
    assert verified(given["Achievements.pdf"]) == [first, second]


def test_a_repeated_mail_carries_the_same_bytes_even_from_another_process():
    """L32: whoever is written to twice under one id gets the same thing twice."""
    program = (
        "import sys, hashlib; from tests.unit.adapters.test_achievement_file import *;"
        "print(hashlib.sha256(repr(attach(FIRST_AID, FIRE)).encode()).hexdigest())"
    )

    here, there = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(2)
    )

    assert here == there
    assert attach(FIRST_AID, FIRE) == attach(FIRST_AID, FIRE)


def test_many_diplomas_travel_in_one_zip_and_the_list_stays_at_hand():
    earned = [replace(FIRST_AID, title=f"Course {n}") for n in range(5)]

    given = named(attach(*earned))

    assert [*given] == ["Achievements.pdf", "Certificates.zip", "open-badges.json"]
    with zipfile.ZipFile(BytesIO(given["Certificates.zip"])) as packed:
        names = packed.namelist()
        assert names == [f"{n + 1:02} Course {n}.pdf" for n in range(5)]
        assert verified(packed.read(names[4]))[0]["name"] == "Course 4"
    assert len(verified(given["open-badges.json"])) == 5


def test_of_hundreds_the_list_alone_holds_every_credential():
    earned = [replace(FIRST_AID, title=f"Course {n}") for n in range(101)]

    given = named(attach(*earned))

    assert [*given] == ["Achievements.pdf", "open-badges.json"]
    assert len(verified(given["Achievements.pdf"])) == 101
    assert faults(given["Achievements.pdf"]) == []


def test_what_was_earned_twice_on_one_day_is_two_credentials():
    first, second = verified(named(attach(FIRE, FIRE))["open-badges.json"])

    assert first["id"] != second["id"]


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_language_is_printed_in_its_own_words(locale):
    heading = {
        "en": "CERTIFICATE",
        "de": "ZERTIFIKAT",
        "es": "CERTIFICADO",
        "fr": "CERTIFICAT",
        "pl": "CERTYFIKAT",
    }
    given = named(attach(FIRST_AID, member=replace(ANNA, locale=locale)))

    letters = words(given["01 First aid.pdf"]).replace(" ", "")  # that stand apart in a heading
    assert f"Trellis{heading[locale]}" in letters


@pytest.mark.parametrize("name", NAMES)
def test_names_in_many_scripts_are_printed(name):
    told = Told()

    given = attach(replace(FIRST_AID, holder=name), member=replace(ANNA, name=name), told=told)

    assert len(given) == 3
    assert told == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_papers_are_archive_documents_that_a_screen_reader_can_read_A3(locale):
    """The list and a diploma in each script, found without fault by another program."""
    earned = [replace(FIRST_AID, title=name, holder=name) for name in NAMES]

    listed, packed, _ = attach(*earned, FIRE, member=replace(ANNA, locale=locale))

    papers = [listed.content, *unpacked(packed.content)]
    assert len(papers) == 1 + len(earned) + 1
    assert [faults(paper) for paper in papers] == [[]] * len(papers)


def test_who_has_letters_in_no_font_gets_the_credential_and_it_is_told():
    told = Told()

    given = attach(FIRST_AID, replace(FIRE, holder="山田太郎"), told=told)

    assert [*named(given)] == ["01 First aid.pdf", "open-badges.json"]
    assert len(verified(named(given)["open-badges.json"])) == 2
    facts = {"organization": "acme", "papers": 2, "error": "LetterMissing"}
    assert told == [("unprinted", facts)]


def test_a_picture_in_a_title_is_left_out_on_paper_and_kept_in_the_credential():
    given = named(attach(replace(FIRST_AID, title="First aid 🚑🏽")))

    assert [*given][1] == "01 First aid.pdf"
    assert "First aid" in words(given["01 First aid.pdf"])
    assert verified(given["01 First aid.pdf"])[0]["name"] == "First aid 🚑🏽"


@pytest.mark.parametrize(
    "title",
    [
        "#panic() *x* $y$ \\ @z <w>",
        "../../etc/passwd",
        "a\nb\tc",
        "x" * 5000,
        "word " * 900,
        "",
        "...",
        "🏆",
        "\u200b \x00",
        "\ufeffFirst aid",
    ],
)
def test_a_title_is_text_and_nothing_else(title):
    told = Told()

    listed, diploma, badges = attach(replace(FIRST_AID, title=title), told=told)

    assert told == []
    assert "/" not in diploma.name
    assert len(diploma.name) < 80
    assert "\n" not in diploma.name
    assert len(verified(badges.content)) == 1
    assert [len(pypdf.PdfReader(BytesIO(diploma.content)).pages)] == [1]
    assert [faults(paper.content) for paper in (listed, diploma)] == [[], []]


def test_a_vendor_brings_its_own_layout(tmp_path):
    (tmp_path / "diploma").mkdir()
    layout = (
        '#let said = json("content.json")\n'
        "#set document(title: said.document_title, date: datetime(..said.date))\n"
        "Our own for #said.holder"
    )
    (tmp_path / "diploma" / "diploma.typ").write_text(layout)

    given = named(attach(FIRST_AID, printer=Printer(folder=tmp_path)))

    assert words(given["01 First aid.pdf"]) == "Our own for Anna Kowalska"


def test_what_only_one_paper_stumbles_over_does_not_keep_the_others(tmp_path):
    """L33: a layout that cannot show one name can still be the right one for all others."""
    (tmp_path / "diploma").mkdir()
    layout = (
        '#let said = json("content.json")\n'
        "#set document(title: said.document_title, date: datetime(..said.date))\n"
        '#assert(said.title != "Fire safety")\n'
        "#said.title"
    )
    (tmp_path / "diploma" / "diploma.typ").write_text(layout)
    told = Told()

    given = named(attach(FIRST_AID, FIRE, told=told, printer=Printer(folder=tmp_path)))

    assert [*given] == ["Achievements.pdf", "01 First aid.pdf", "open-badges.json"]
    assert told == [("unprinted", {"organization": "acme", "papers": 1, "error": "LetterMissing"})]


def test_a_mistake_in_an_own_layout_stops_the_mail_instead_of_sending_it_bare(tmp_path):
    (tmp_path / "diploma").mkdir()
    (tmp_path / "diploma" / "diploma.typ").write_text("#mistake")

    with pytest.raises(LayoutWrong, match=r"main\.typ:1"):
        attach(FIRST_AID, printer=Printer(folder=tmp_path))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29 10:00:00", Date(2024, 2, 29)),
        ("2024-02-29T10:00:00.5+02:00", Date(2024, 2, 29)),
        ("2023-02-29", "2023-02-29"),
        ("", ""),
    ],
)
def test_a_day_is_read_as_databases_write_it(text, day):
    assert read_day(text) == day
