"""L14: forty megabytes of company data, mailed as a link and fetched from the server in pieces."""

import os
import re
import shutil
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from whenever import Instant

from examples.training_platform.companies import TINY
from examples.training_platform.database import open_engine
from examples.training_platform.generate import build
from examples.training_platform.roster import write_roster
from offramp.data.restoration.document_reader import open_document
from offramp.engine.link import list_links, reissue
from offramp.testing.smtp import SmtpCatcher
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.acceptance.departure import TRAINING, depart, on_each_kind
from tests.acceptance.installation import DATAMAP, LEAVING, TODAY, Installation, served
from tests.integration.waiting import eventually, in_threads

MEGABYTE = 1024 * 1024
DOCUMENT_BYTES_MIN = 40_000_000
COMMENTS, COMMENT_LETTERS = 42_000, 900
MORE_BYTES_MAX = 16 * MEGABYTE  # who held the document would be found
PIECE_BYTES = 6_000_000
ADDRESS = "https://leaving.vendor.example"
LINK = re.compile(r"https?://\S+/links/([A-Za-z0-9_-]{43})")
MAILED, ERASED = "2024-09-22T12:00:00Z", "2024-10-15T00:00:00Z"


def write_much(engine):
    """Let one person of the company that leaves have written forty megabytes."""
    users, lessons, comments = (
        sa.Table(name, sa.MetaData(), autoload_with=engine)
        for name in ("users", "lessons", "comments")
    )
    with engine.begin() as connection:
        writers = sa.select(sa.func.min(users.c.id)).where(users.c.company_id == int(LEAVING))
        writer = connection.scalar(writers)
        lesson = connection.scalar(sa.select(sa.func.min(lessons.c.id)))
        at = connection.scalar(sa.select(sa.func.min(comments.c.created_at)))
        rows = [
            {"id": 1_000_000 + n, "user_id": writer, "lesson_id": lesson, "created_at": at}
            for n in range(COMMENTS)
        ]
        body = "What I learned today, and what I did not. "
        text = (body * (COMMENT_LETTERS // len(body) + 1))[:COMMENT_LETTERS]
        for start in range(0, COMMENTS, 1000):
            part = [{**row, "parent_id": None, "body": text} for row in rows[start : start + 1000]]
            connection.execute(comments.insert(), part)


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if (tag, name) == ("a", "href")]


@dataclass(frozen=True)
class Large:
    """A company that has much, whose data was mailed as links."""

    installation: Installation
    smtp: SmtpCatcher
    paths: list[str]  # of the links, as they were mailed

    def ask(self, *arguments):
        return self.installation.ask("link", *arguments)["links"]


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory):
    """Hand the data of such a company over; give the folder, and the mails with the data."""
    folder = tmp_path_factory.mktemp("large")
    url = f"sqlite:///{folder / 'app.sqlite'}"
    build(url, seed=7, leaving_on=TODAY.subtract(days=24).to_stdlib(), members=TINY)
    engine = open_engine(url)
    write_roster(engine, folder / "roster")
    write_much(engine)
    engine.dispose()
    with SmtpCatcher() as smtp:
        installation = Installation(folder, settings=settings_of(smtp))
        installation.say("init", "--datamap", DATAMAP)
        installation.say("import", *installation.rosters)
        installation.say("run", "--until-quiet")
    return folder, [each.message for each in smtp.messages if LINK.search(text_of(each.message))]


@pytest.fixture
def large(large_folder, tmp_path):
    """Give an installation that nobody else changes."""
    folder, mails = large_folder
    shutil.copytree(folder, tmp_path / "installation")
    with SmtpCatcher() as smtp:
        installation = Installation(tmp_path / "installation", settings=settings_of(smtp))
        yield Large(installation, smtp, [path_of(message) for message in mails])


def settings_of(smtp):
    return {
        "OFFRAMP_MAIL_HOST": smtp.host,
        "OFFRAMP_MAIL_PORT": str(smtp.port),
        "OFFRAMP_MAIL_SECURITY": "none",
        "OFFRAMP_MAIL_CONNECTIONS": "1",  # so that mails arrive in the order of their readers
        "OFFRAMP_PUBLIC_ADDRESS": ADDRESS,
    }


def text_of(message):
    return message.get_body(("plain",)).get_content()


def path_of(message):
    return f"/links/{LINK.search(text_of(message))[1]}"


def peak_bytes(process):
    """Say how much memory a process has had at most."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def fetch_in_pieces(server, path, file):
    """Download as a program does whose connection breaks off again and again."""
    head = server.ask("HEAD", path, key=None)
    size, tag = int(head.headers["content-length"]), head.headers["etag"]
    with file.open("wb") as target:
        while (start := target.tell()) < size:
            wanted = f"bytes={start}-{start + PIECE_BYTES - 1}"
            answer = server.ask("GET", path, key=None, headers={"Range": wanted, "If-Range": tag})
            assert answer.status_code == 206
            target.write(answer.content)
    return size


def test_forty_megabytes_are_mailed_as_a_link_and_fetched_in_pieces_as_they_were_exported(
    large, large_folder, tmp_path
):
    """A8, A9, L14."""
    message = large_folder[1][0]
    with served(large.installation) as server:
        page = server.ask("GET", large.paths[0], key=None)
        before = peak_bytes(server.process)

        (beside,) = [each for each in Links(page.text).found if each.endswith(".json")]
        size = fetch_in_pieces(server, f"/links/{beside}", tmp_path / "fetched.json")
        more = peak_bytes(server.process) - before
        _, printed, told = server.stop()

    (kept,) = (large.installation.folder / "offramp-data" / "vault").rglob("company-data.json")
    assert size > DOCUMENT_BYTES_MIN
    assert len(bytes(message)) < 100_000
    assert list(message.iter_attachments()) == []
    assert (tmp_path / "fetched.json").read_bytes() == kept.read_bytes()
    with open_document(tmp_path / "fetched.json") as document:  # which proves every digest
        assert document.manifest.tables["app.comments"].rows > COMMENTS
    (link,) = [each for each in large.ask("list", LEAVING) if each["downloads"]]
    assert (link["state"], link["downloads"]) == ("alive", 1)
    assert more < MORE_BYTES_MAX
    assert printed + told == ""


def test_a_link_is_sent_again_revoked_and_expires_and_says_so_to_nobody(large):
    """E1, L14."""
    say = large.installation.say
    member = large.ask("list", LEAVING)[0]["member"]
    path, other, *_ = large.paths
    with served(large.installation) as server:
        ask = partial(server.ask, "GET", key=None)
        stranger = ask("/links/" + "x" * 43)

        say("link", "reissue", LEAVING, "--member", member)
        still = ask(path)
        say("run")
        again = path_of(large.smtp.messages[-1].message)
        answers = {"replaced": ask(path), "new": ask(again), "others": ask(other)}
        say("link", "revoke", LEAVING, "--member", member)
        answers["revoked"] = ask(again)
        past = Instant.now().subtract(seconds=1).format_iso(unit="microsecond")
        large.installation.change("UPDATE link SET expires_at = ?", past)
        answers["expired"] = ask(other)

    assert still.status_code == 200
    codes = {name: answer.status_code for name, answer in answers.items()}
    assert codes == {"replaced": 404, "new": 200, "others": 200, "revoked": 404, "expired": 404}
    assert {answers[n].text for n in ("replaced", "revoked", "expired")} == {stranger.text}
    assert {each["state"] for each in large.ask("list", LEAVING)} == {"revoked", "expired"}
    assert "revoked" in say("link", "list", LEAVING, "--member", member)


def test_a_download_that_is_given_up_leaves_nothing_behind(large):
    with served(large.installation) as server:
        for _ in range(5):
            with httpx2.stream("GET", f"{server.url}{large.paths[0]}/data.json") as answer:
                next(answer.iter_bytes(1000))
        eventually(lambda: not open_documents(server.process))
        healthy = server.ask("GET", "/readyz", key=None)
        _, printed, told = server.stop()

    assert healthy.status_code == 200
    assert printed + told == ""


def open_documents(process):
    found = []
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found.append(os.readlink(each))
    return [each for each in found if each.endswith(".json")]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("reissue", LEAVING), 3, "NoLinks"),
        (("revoke", LEAVING), 3, "NoLinks"),
        (("list", "nobody"), 4, "OrganizationUnknown"),
        (("revoke", LEAVING, "--member", "nobody"), 4, "MemberUnknown"),
        (("reissue", "nobody"), 4, "OrganizationUnknown"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said_and_changes_nothing(installation, arguments, code, said):
    before = installation.contents()

    finished = installation.run("link", *arguments, "--json")

    assert (finished.code, finished.data["error"]["code"]) == (code, said)
    assert installation.contents() == before


def test_where_no_link_was_sent_that_is_said(installation):
    assert "no link was sent" in installation.say("link", "list", LEAVING)


@pytest.fixture
def departure(request, tmp_path):
    """Give the training platform, with links for all but the smallest."""
    kind = getattr(request, "param", "sqlite")
    with depart(TRAINING, kind, tmp_path, request) as departure:
        context = departure.context
        limits = replace(context.limits, attachment_bytes_max=1000)
        departure.context = replace(context, public_address=ADDRESS, limits=limits)
        yield departure


def sent_links(departure):
    return [path_of(message) for _, _, message in departure.mail if LINK.search(text_of(message))]


@on_each_kind
def test_after_the_erasure_a_link_leads_nowhere_and_nothing_of_it_is_left(departure):
    """A10, L14, L30: on both databases."""
    client = TestClient(create_app(departure.context, access_keys=AccessKeys()))
    departure.run_until(MAILED)
    (path, *_) = sent_links(departure)
    alive, file = client.get(path), client.get(f"{path}/data.json")
    reissue(departure.context, LEAVING)
    departure.run_until("2024-09-23T12:00:00Z")
    replaced = client.get(path)
    (*_, again) = sent_links(departure)
    anew = client.get(again)

    departure.run_until(ERASED)

    answers = [client.get(each) for each in (again, f"{again}/data.json", f"/links/{'x' * 43}")]
    assert [each.status_code for each in (alive, file, replaced, anew)] == [200, 200, 404, 200]
    assert [each.status_code for each in answers] == [404] * 3
    assert len({each.text for each in answers}) == 1
    assert departure.store_tables()["link"] == []


@on_each_kind
def test_the_memory_of_whoever_sends_does_not_grow_with_the_document(departure):
    """L14."""
    write_much(departure.engine)
    departure.run_until("2024-09-21T12:00:00Z")

    tracemalloc.start()
    departure.run_until(MAILED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    (listed, *_) = list_links(departure.context, LEAVING)
    assert departure.context.vault.size(listed.link.file) > DOCUMENT_BYTES_MIN
    assert peak < MORE_BYTES_MAX


def test_many_who_download_at_once_are_all_counted(departure):
    client = TestClient(create_app(departure.context, access_keys=AccessKeys()))
    departure.run_until(MAILED)
    (path, *_) = sent_links(departure)

    answers = in_threads(*[partial(client.get, f"{path}/data.json")] * 8)

    counts = [each.link.downloads for each in list_links(departure.context, LEAVING)]
    assert [each.status_code for each in answers] == [200] * 8
    assert sorted(counts)[-1] == 8
