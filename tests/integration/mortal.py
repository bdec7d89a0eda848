"""Processes that really die: a parent that lives, and children that end in the middle of a step.

Started by ``test_crash.py``. Reads one story as JSON per line, lives it in child processes and
answers with one line: when each child died, and the points that the last one passed.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

from whenever import Instant

from examples.training_platform import __file__ as package
from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.trial import Trial
from offramp.bootstrap import build
from offramp.config import Settings
from offramp.engine.context import Limits
from offramp.engine.sweep import run_until_quiet
from offramp.testing.clock import VirtualClock

LIMITS = Limits(chunk_rows_max=20, mails_per_batch=3)
LOCALES = ("en-IE", "de-DE", "fr-FR")  # of those who leave
DIED, FINISHED = 1, 0


def live(folder, *, port, start, end, dies_at, pipe):
    """Live until the end, or until a point has been reached so many times."""
    os.environ["TRAINING_DATABASE_URL"] = f"sqlite:///{folder / 'app.sqlite'}"
    clock = VirtualClock(start)
    passed = []
    counts = Counter()

    def probe(point):
        passed.append(point)
        counts[point] += 1
        if [point, counts[point]] == dies_at:
            os.write(pipe, clock.now().format_iso().encode())
            os._exit(DIED)

    context = build(
        Settings(
            folder=folder,
            datamap=Path(package).parent / "datamap.yaml",
            mail_host="127.0.0.1",
            mail_port=port,
            mail_security="none",
            mail_connections=1,  # or it would be chance what is under way at a death
        ),
        clock=clock,
        limits=LIMITS,
        probe=probe,
        report=lambda event, facts: None,
    )
    while True:
        run_until_quiet(context)
        with context.store.transaction() as transaction:
            due_at = transaction.next_due_at()
        if due_at is None or due_at > end:
            break
        clock.advance_to(max(due_at, clock.now()))
    os.write(pipe, json.dumps(passed).encode())
    os._exit(FINISHED)


def tell(story):
    """Live one story in as many processes as it takes."""
    start, end = Instant.parse_iso(story["start"]), Instant.parse_iso(story["end"])
    folder = Path(story["folder"])
    died_at = []
    dies_at = story["dies_at"]
    while True:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            live(folder, port=story["port"], start=start, end=end, dies_at=dies_at, pipe=writer)
        os.close(writer)
        with os.fdopen(reader) as said:
            answer = said.read()
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == FINISHED:
            return {"died_at": died_at, "points": json.loads(answer)}
        if not answer:
            raise RuntimeError("a child died of something else")
        died_at.append(answer)
        start = Instant.parse_iso(answer).add(seconds=LIMITS.lease_seconds)
        dies_at = None


def compile_templates():
    """Compile what every child would have to compile again."""
    composer = JinjaComposer()
    trial = Trial(composer=composer, languages=LOCALES, folder=Path.cwd())
    trial.write_notices(composer.notices)


def main():
    compile_templates()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(tell(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
