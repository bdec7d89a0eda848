"""Every message can be looked at before anybody gets it: `offramp message preview`."""

import json
import os
import re
import subprocess
import sys

import pytest

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.picture import open_camera
from offramp.web.banner_page import Sight, write_banner_page
from tests.acceptance import forked

LANGUAGES = JinjaComposer().languages
WITHOUT_PACKAGE = """
import sys
sys.modules["playwright"] = sys.modules["playwright.sync_api"] = None
from offramp.cli.main import app
app(["message", "preview", "--out", "out", "--language", "de", "--notice", "expiring-soon"])
"""
PNG = b"\x89PNG\r\n\x1a\n"


def environment_in(folder):
    """Give an environment without settings, in which no browser can be found."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("OFFRAMP_")}
    return inherited | {"PATH": str(folder), "PLAYWRIGHT_BROWSERS_PATH": str(folder)}


def preview(folder, *arguments, **settings):
    """Run the command in a folder where nothing was set up."""
    environment = environment_in(folder) | settings
    arguments = ("message", "preview", "--out", "out", *arguments)
    return forked.run(*arguments, folder=folder, environment=environment)


def names_in(folder):
    """List the names of the files in a folder."""
    return sorted(file.name for file in folder.iterdir())


def test_every_message_is_written_in_every_language_without_an_installation(tmp_path):
    finished = preview(tmp_path)

    banners = tmp_path / "out" / "edit-only-grace" / "banners"
    folders = [each for each in (tmp_path / "out").glob("*/*") if each != banners]
    expected = sorted(
        f"{language}.{end}" for language in LANGUAGES for end in ("eml", "html", "txt")
    )
    assert finished.returncode == 0
    assert {each.name for each in folders} >= {
        *("expiring-soon", "achievements", "achievements-none", "company-data"),
        *("company-data-again", "deletion-warning", "ending-soon", "now-expired"),
        *(
            "now-expired-alone",
            "now-expired-about-another",
            "now-deactivated",
            "now-marked-for-deletion",
        ),
    }
    assert all(names_in(each) == expected for each in folders)
    assert names_in(banners) == [name for name in expected if not name.endswith(".eml")]
    assert not (tmp_path / "out" / "license-pool" / "banners").exists()
    assert f"and {3 * len(LANGUAGES)} banners" in finished.stdout
    assert not (tmp_path / "offramp-data").exists()


def test_it_says_so_where_there_is_no_browser_and_writes_the_rest(tmp_path):
    finished = preview(tmp_path, "--policy", "license-pool", "--language", "de")

    assert finished.returncode == 0
    assert "without pictures: There is no Chromium on this machine" in finished.stdout
    assert "apt-get install chromium" in finished.stdout
    assert names_in(tmp_path / "out" / "license-pool" / "achievements") == [
        *("de.eml", "de.html", "de.txt"),
    ]


def test_it_says_so_where_the_package_is_missing(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGE],
        cwd=tmp_path,
        env=environment_in(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0
    assert "without pictures: The package playwright" in finished.stdout
    assert "pip install offramp[preview]" in finished.stdout


@pytest.mark.parametrize(
    ("option", "wrong", "hint"),
    [("--notice", "expiring-son", "expiring-soon"), ("--language", "ja", "en, de")],
)
def test_what_does_not_exist_is_refused_with_what_does(tmp_path, option, wrong, hint):
    finished = preview(tmp_path, option, wrong)

    assert finished.returncode == 2
    assert hint in finished.stderr
    assert not (tmp_path / "out").exists()


def test_a_mistake_in_a_template_is_told_with_its_line(tmp_path):
    (tmp_path / "own" / "notices").mkdir(parents=True)
    (tmp_path / "own" / "notices" / "generic.jinja").write_text("\n{{ facts.price }}")

    finished = preview(tmp_path, OFFRAMP_TEMPLATES="own")

    assert finished.returncode == 2
    assert "own/notices/generic.jinja, line 2: facts.price is not known here" in finished.stderr


def test_the_brand_is_in_every_message(tmp_path):
    (tmp_path / "logo.png").write_bytes(PNG)

    preview(
        tmp_path,
        *("--policy", "license-pool", "--language", "en", "--notice", "expiring-soon"),
        OFFRAMP_BRAND_NAME="Trellis",
        OFFRAMP_BRAND_LOGO="logo.png",
        OFFRAMP_BRAND_COLOR="#ffcc00",
        OFFRAMP_BRAND_SUPPORT="help@trellis.example",
        OFFRAMP_BRAND_AGREEMENT="https://trellis.example/terms",
    )

    folder = tmp_path / "out" / "license-pool" / "expiring-soon"
    html, text = (folder / "en.html").read_text(), (folder / "en.txt").read_text()
    assert 'src="data:image/png;base64,' in html
    assert 'alt="Trellis"' in html
    assert "background:#ffcc00;color:#000000" in html
    for words in (html, text):
        assert "mailto:help@trellis.example" in words
        assert "https://trellis.example/terms" in words
        assert "https://example.com/leaving" in words  # the policy's, where the brand has none
    assert b"Content-ID: <logo@brand>" in (folder / "en.eml").read_bytes()


def test_what_the_product_shows_is_written_in_words_and_as_the_element_shows_it(tmp_path):
    """B7."""
    own = tmp_path / "own" / "banners"
    own.mkdir(parents=True)
    (own / "expired.jinja").write_text(
        "{% extends frame %}{% block heading %}Bis bald </script>{% endblock %}"
        "{% block text %}{% endblock %}{% block until %}{% endblock %}"
        "{% block advice %}{% endblock %}"
    )

    preview(
        tmp_path,
        *("--policy", "edit-only-grace", "--language", "de"),
        OFFRAMP_TEMPLATES="own",
        OFFRAMP_BRAND_SUPPORT="help@trellis.example",
    )

    folder = tmp_path / "out" / "edit-only-grace" / "banners"
    html, text = (folder / "de.html").read_text(), (folder / "de.txt").read_text()
    assert re.findall(r"^\[(.+)\]$", text, re.MULTILINE) == [
        *("Expired, to administrators", "Expired, to users", "Expired, to one user who leaves"),
    ]
    assert text.count("Bis bald </script>") == html.count("Bis bald \\u003c/script>") == 3
    assert html.count("mailto:help@trellis.example") == 3
    assert html.count("<offramp-banner>") == 3


def test_whoever_asks_for_one_notice_gets_no_banners(tmp_path):
    finished = preview(tmp_path, "--language", "de", "--notice", "now-expired", "--json")

    assert json.loads(finished.stdout)["banners"] == 0
    assert not (tmp_path / "out" / "edit-only-grace" / "banners").exists()


@pytest.mark.browser
def test_the_element_is_in_the_picture_of_banners_and_no_other_script_runs():
    words = {"heading": "Full access has ended", "stage": "expired", "direction": "ltr"}
    page = write_banner_page("What is shown", [Sight(title="to users", banner=words)])

    with open_camera() as take:
        shown, unshown = take(page, runs_scripts=True), take(page)

    assert shown.keys() == unshown.keys()
    assert all(len(shown[light]) > len(unshown[light]) for light in shown)


@pytest.mark.browser
def test_pictures_are_taken_in_every_light(tmp_path):
    finished = preview(
        tmp_path,
        *("--policy", "license-pool", "--language", "pl", "--notice", "company-data"),
        PATH=os.environ["PATH"],
    )

    folder = tmp_path / "out" / "license-pool" / "company-data"
    pictures = {file.name: file.read_bytes() for file in folder.glob("*.png")}
    assert "and in pictures" in finished.stdout
    assert set(pictures) == {
        f"pl.{light}.png" for light in ("light", "dark", "phone", "phone-dark")
    }
    assert all(picture.startswith(PNG) for picture in pictures.values())
    assert len(set(pictures.values())) == len(pictures)
