"""Keys that change, files that outlive the platform, and credentials checked without it."""

import json

import pytest
from whenever import Instant

from offramp.adapters.achievement_file import AchievementFiles
from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.keys_folder import FolderKeys
from offramp.core.model import Achievement, Member, Organization
from offramp.data.credential.issuer import Issuer
from offramp.data.credential.reading import tokens_in

ADDRESS = "https://trellis.example/credentials"
ACME = Organization(id="acme", name="Acme", zone="UTC", locale="en", policy="p")
ANNA = Member(
    id="1",
    organization="acme",
    email="anna@example.com",
    name="Anna Nowak",
    roles=frozenset(),
    locale="en",
    zone="UTC",
)
EARNED = [Achievement(title="First aid", holder=None, at="2024-05-03")]


@pytest.fixture
def kept(installation):
    """Give the files that somebody was sent by this installation, by kind."""
    installation.settings["OFFRAMP_CREDENTIALS_ADDRESS"] = ADDRESS
    keys = FolderKeys(installation.folder / "offramp-data" / "keys")
    files = AchievementFiles(
        issuer=Issuer(name="Trellis", address=ADDRESS),
        signing_key=keys.signing_key,
        report=lambda event, facts: None,
    )
    sent = JinjaComposer(achievement_files=files).attach_achievements(
        EARNED, member=ANNA, organization=ACME, at=Instant.from_utc(2024, 8, 31)
    )
    for attachment in sent:
        (installation.folder / attachment.name).write_bytes(attachment.content)
    (token,) = tokens_in(sent[-1].content, file="x")
    (installation.folder / "credential.jwt").write_text(token)
    return installation


FILES = ("credential.jwt", "open-badges.json", "01 First aid.pdf", "Achievements.pdf")


@pytest.mark.parametrize("file", FILES)
def test_whatever_was_kept_is_checked_with_our_own_keys_or_with_published_ones(kept, file):
    kept.say("credential", "publish", "--out", "public")

    own = kept.say("credential", "verify", file)
    published = kept.ask("credential", "verify", file, "--keys", "public/jwks.json")

    assert "First aid: earned by Anna Nowak on 2024-05-03, issued by Trellis" in own
    assert [credential["name"] for credential in published["credentials"]] == ["First aid"]


def test_a_stranger_checks_it_without_an_installation(kept, tmp_path):
    kept.say("credential", "publish", "--out", tmp_path / "public")
    (tmp_path / "credential.jwt").write_bytes((kept.folder / "credential.jwt").read_bytes())
    kept.folder = tmp_path
    kept.settings.clear()

    said = kept.say("credential", "verify", "credential.jwt", "--keys", "public/did.json")

    assert "signed with this key and unchanged" in said


def altered(content):
    """Change one letter of the name in every credential of a text."""
    middle = len(content) // 2
    return content[:middle] + (b"A" if content[middle] != 65 else b"B") + content[middle + 1 :]


@pytest.mark.parametrize("file", ["credential.jwt", "open-badges.json"])
def test_what_was_altered_is_told(kept, file):
    path = kept.folder / file
    path.write_bytes(altered(path.read_bytes()))

    finished = kept.run("credential", "verify", file)

    assert finished.code == 70
    assert "The credential does not stand" in finished.err


def test_a_diploma_with_another_ones_credential_is_told(kept):
    other = FolderKeys(kept.folder / "elsewhere")
    files = AchievementFiles(
        issuer=Issuer(name="Trellis", address=ADDRESS),
        signing_key=other.signing_key,
        report=lambda event, facts: None,
    )
    _, diploma, _ = JinjaComposer(achievement_files=files).attach_achievements(
        EARNED, member=ANNA, organization=ACME, at=Instant.from_utc(2024, 8, 31)
    )
    (kept.folder / "forged.pdf").write_bytes(diploma.content)

    finished = kept.run("credential", "verify", "forged.pdf")

    assert finished.code == 70
    assert "no trusted key has signed it" in finished.err


def test_what_an_old_key_has_signed_stands_after_a_rotation_and_in_what_is_published(kept):
    before = kept.ask("keys", "list")["keys"]

    told = kept.ask("keys", "rotate", "--yes")
    kept.say("credential", "publish", "--out", "public")

    after = kept.ask("keys", "list")["keys"]
    assert [key["signs"] for key in after] == [True, False]
    assert after[0]["public_key"] == told["public_key"] == kept.say("keys", "public").strip()
    assert after[1]["key"] == before[0]["key"]
    kept.say("credential", "verify", "credential.jwt")
    for name in ("jwks.json", "did.json"):
        kept.say("credential", "verify", "credential.jwt", "--keys", f"public/{name}")
    document = json.loads((kept.folder / "public" / "did.json").read_text())
    assert document["id"] == "did:web:trellis.example:credentials"
    assert len(document["assertionMethod"]) == 2


def test_no_private_half_is_printed_published_or_left(kept):
    keys = kept.folder / "offramp-data" / "keys"
    old = (keys / "signing.key").read_bytes()

    printed = kept.say("keys", "rotate", "--yes") + kept.say("keys", "list")
    kept.say("credential", "publish", "--out", "public")

    files = [file.read_bytes() for folder in (keys, kept.folder / "public")
             for file in folder.iterdir()]  # fmt: skip
    assert not any(old in content for content in files)
    assert old.hex() not in printed


def test_a_rotation_without_anybody_to_ask_is_refused(kept):
    before = kept.ask("keys", "list")

    finished = kept.run("keys", "rotate")

    assert finished.code == 3
    assert kept.ask("keys", "list") == before


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("none", None, "none cannot be read"),
        ("text", b"hello", "text holds no credential"),
        ("broken.pdf", b"%PDF-1.7 and nothing", "This PDF is damaged"),
    ],
)
def test_a_file_that_holds_none_is_told(kept, file, content, words):
    if content is not None:
        (kept.folder / file).write_bytes(content)

    finished = kept.run("credential", "verify", file)

    assert finished.code == 2
    assert words in finished.err


def test_an_address_that_is_none_is_told(kept):
    kept.settings["OFFRAMP_CREDENTIALS_ADDRESS"] = "http://trellis.example"

    finished = kept.run("credential", "publish", "--out", "public")

    assert finished.code == 2
    assert "Credentials cannot be looked up at http://trellis.example" in finished.err


def test_a_place_that_is_no_folder_is_told(kept):
    finished = kept.run("credential", "publish", "--out", "offramp.toml")

    assert finished.code == 2
    assert "cannot be written" in finished.err
