"""docs/performance-access.md, written from the run that was kept."""

from benchmarks.page import in_full
from benchmarks.report import figure
from benchmarks.run import Run

# What is shown of a line, and above it.
HEADINGS = {
    "work": "work",
    "Offramp": "Offramp",
    "by hand": "beside",
    "ratio": "ratio",
    "limit": "limit",
    "holds": "holds",
}
_HEAD = """\
# Performance of access

Measured, not estimated: `python3 dev.py bench access` asks the guard of [the SDK](sdk.md) who may
do what, and beside it two libraries that decide by rules, and a plain dictionary; then
`offramp serve`, and beside it an endpoint that decides nothing. Nothing in this page is typed; it
is written by such a run, with `--write-docs`.

"""
_HOW = """\
## What is measured

1. **One decision**: {rounds} rounds of {questions} questions to `Guard.may`, each timed by itself,
   about people in turn; what timing nothing takes is taken off. It reads the clock of the machine,
   and looks up the organization, the member, the surface and the instant.
2. **Cedar** (cedarpy) is asked the same with policies and entities parsed beforehand, a rule for
   each stage and the instants in it; {people} people, as it is slower with more.
3. **Casbin** (its FastEnforcer, with an index) is given one line for each capability of each stage.
   It knows nothing of time: the stage is worked out for it beforehand.
4. **A dictionary** of every answer of one stage is the floor: it is right until midnight.
5. **The snapshot** of an organization with {members} members, whose ids have 36 characters; every
   tenth leaves on a day of their own. Whoever shares everything shares one entry.
6. **To make it** the server reads every member from the store, and works out each group once.
7. **To read it** happens in the application, behind the back of whoever asks, when there is news.
8. **Memory** is what the application holds for it.
9. **Many organizations**: {organizations} snapshots that are held at once, of {few} members each.
10. **Over HTTP**: as many rounds of {requests} questions to
   [`POST /access/v1/evaluation`](access-api.md) about that organization, over {connections}
   connections that stay open. The answer is looked up in memory, after a read of the store that
   tells whether anything changed. Beside it stands a bare FastAPI endpoint in the same server with
   the same settings: it reads and writes the same documents, in a thread, as whoever asks a store
   has to. It asks for no key, and gives one answer to everything. An endpoint that needs no thread
   either takes {at_once} µs.

The guard takes {guard} µs, Cedar {cedar}, Casbin {casbin}, and the dictionary {dictionary}.

```
python3 dev.py bench access            minutes
python3 dev.py bench access --quick    a thousand members
```
"""


def page(run: Run) -> str:
    """Write the page of the documentation."""
    middles = run.middles
    told = {
        "rounds": figure(run.rounds),
        "questions": figure(middles["questions"]),
        "members": figure(middles["members"]),
        "people": figure(middles["people"]),
        "organizations": figure(middles["organizations"]),
        "requests": figure(middles["requests"]),
        "connections": figure(middles["connections"]),
        "at_once": figure(middles["HTTP bare at once"]),
        "few": figure(middles["few"]),
        **{
            name: figure(middles[f"{name} p50"])
            for name in ("guard", "cedar", "casbin", "dictionary")
        },
    }
    within, over_http = (figure(1e6 / middles[name]) for name in ("guard p50", "HTTP ours"))
    short = f"**{within} decisions in a second** by one thread, {over_http} over HTTP.\n"
    return "\n".join(
        [f"{_HEAD}{run.machine}.\n", short, in_full(run, HEADINGS), _HOW.format_map(told)]
    )
