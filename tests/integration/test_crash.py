"""Real processes die at every point of the step protocol, and real mail arrives once (L32, L42).

Each story has its own copy of the vendor's database and of the store. A child process ends by
``os._exit`` at one point; the next one goes on when the lease has run out. What is left must be
what an undisturbed process leaves.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from whenever import Instant

from offramp.adapters.keys_folder import FolderKeys
from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.bootstrap import build
from offramp.config import Settings
from offramp.core.ledger import verify_chain
from offramp.testing.clock import VirtualClock
from offramp.testing.smtp import SmtpCatcher
from tests.acceptance.departure import TRAINING, dump, enroll
from tests.integration.mortal import LIMITS

ROOT = Path(__file__).parents[2]
START, END = "2024-08-10T00:00:00Z", "2024-10-05T00:00:00Z"  # late rows were looked for twice
LEAVING = "2"
REPEATS_POSSIBLE_AT = "mail accepted"  # the server has taken it, and we have not said so yet


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Set up a vendor with everything imported and nothing carried out."""
    folder = tmp_path_factory.mktemp("template")
    url = f"sqlite:///{folder / 'app.sqlite'}"
    TRAINING.database.migrate(url)
    engine = TRAINING.database.open_engine(url)
    TRAINING.fill(engine)
    TRAINING.roster.write_roster(engine, folder / "roster")
    engine.dispose()
    keys = FolderKeys(folder / "keys")
    keys.organization_key(LEAVING)  # the same in every story, so that hashes can be compared
    keys.signing_key()
    store = connect(f"sqlite:///{folder / 'offramp.sqlite'}")
    migrate(store)
    context = build(
        Settings(folder=folder),
        store=SqlStore(store, ledger_key=keys.ledger_key()),
        keys=keys,
        clock=VirtualClock(Instant.parse_iso(START)),
        report=lambda event, facts: None,
    )
    enroll(context, TRAINING.policy, folder / "roster")
    store.dispose()
    return folder


@pytest.fixture(scope="module")
def tell(template, tmp_path_factory):
    """Live one story in real processes, and give what is left of it."""
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.mortal"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with SmtpCatcher() as catcher, supervisor:

        def live(dies_at=None):
            folder = tmp_path_factory.mktemp("story") / "offramp"
            shutil.copytree(template, folder)
            before = len(catcher.messages)
            story = {"folder": str(folder), "port": catcher.port, "start": START, "end": END}
            supervisor.stdin.write(json.dumps(story | {"dies_at": dies_at}) + "\n")
            supervisor.stdin.flush()
            answer = json.loads(supervisor.stdout.readline())
            mail = Counter(
                (caught.message["Message-ID"], caught.recipients[0])
                for caught in catcher.messages[before:]
            )
            left = left_in(folder)
            shutil.rmtree(folder)
            return answer, mail, left

        yield live
        supervisor.stdin.close()


def left_in(folder):
    """Give everything that a story left behind but for the minutes at which it happened."""
    application = sa.create_engine(f"sqlite:///{folder / 'app.sqlite'}")
    engine = connect(f"sqlite:///{folder / 'offramp.sqlite'}")
    key = FolderKeys(folder / "keys").ledger_key()
    with SqlStore(engine, ledger_key=key).transaction() as transaction:
        entries = transaction.ledger()
        verify_chain(entries, key=key, heads=[transaction.ledger_head()])
        rows = transaction.offboardings()
        left = {
            "off-boardings": {(row.id, row.status, row.episode) for row in rows},
            "steps": {
                (row.id, step.key, step.status, step.due_at, step.issue)
                for row in rows
                for step in transaction.steps(row.id)
            },
            "deliveries": {
                (d.offboarding, d.step, d.member, d.status)
                for row in rows
                for d in transaction.deliveries(row.id)
            },
            "ledger": {(entry.event.kind, entry.event.step) for entry in entries},
        }
    left["application"] = dump(application)
    vault = folder / "vault"
    left["vault"] = sorted(str(f.relative_to(vault)) for f in vault.rglob("*") if f.is_file())
    left["certified"] = [
        json.loads(file.read_text())["certificate"]["tables"]
        for file in vault.rglob("certificate.json")
    ]
    engine.dispose()
    application.dispose()
    return left


@pytest.fixture(scope="module")
def undisturbed(tell):
    return tell()


POINTS = (
    *("claimed uncommitted", "claimed", "started", "fanned out", "sending"),
    *("mail accepted", "delivery saved", "performed", "verified", "receipt written"),
    *("receipt", "settled uncommitted", "document written", "tombstone taken"),
    *("chunk fenced", "chunk committed", "chunk recorded"),
    *("rows gone", "key destroyed", "certificate written"),
)


def test_every_point_that_is_passed_is_died_at(undisturbed):
    """L42: no point is forgotten below."""
    answer, mail, left = undisturbed

    assert set(answer["points"]) == set(POINTS)
    assert set(mail.values()) == {1}
    assert len(left["certified"]) == 1


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_is_followed_by_one_that_ends_in_the_same_state(
    tell, undisturbed, point
):
    """L32: no lost mail, no second mail but of those in hand at one point, nothing else."""
    answer, mail, left = undisturbed
    occurrences = answer["points"].count(point)
    occurrence = 1 + POINTS.index(point) * 7 % occurrences

    died, mail_now, left_now = tell([point, occurrence])

    assert len(died["died_at"]) == 1
    assert {key for key in left if left[key] != left_now[key]} == set()
    assert set(mail_now) == set(mail)
    repeats, in_hand = sum(mail_now.values()) - len(mail_now), LIMITS.mails_per_batch
    assert repeats in (range(1, in_hand + 1) if point == REPEATS_POSSIBLE_AT else [0])
