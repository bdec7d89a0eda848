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
# Performance of access decisions

Measured, not estimated: `python3 dev.py bench access` asks a snapshot, as the [SDK](sdk.md) keeps
one in your application, and beside it two engines for rules, the same questions in turns. Nothing
in this page is typed; it is written by such a run, with `--write-docs`.

"""
_HOW = """\
## What is measured

1. **One decision**: {rounds} rounds of {asked} questions about the {members} members of one
   organization in *Expired*, everybody in turn, every capability, in the app and in the console.
   What is looked up is a person, a place, an instant; the answer names the stage, the level, the
   voter and until when it holds. A look-up in a dictionary takes {dictionary} µs. The calls around
   each of them are measured too.
2. **Beside engines for rules**: [Cedar](https://www.cedarpolicy.com) and
   [Casbin](https://casbin.org) get the table of that one stage, parsed before. They are told the
   stage and the role, which Offramp works out for itself.
3. **A large organization**: {members} members, one in ten with an end of their own; worked out from
   the store in memory and written down, and read again.
4. **Many organizations**: the memory for each of {organizations} snapshots that are kept at once.

```
python3 dev.py bench access            minutes
python3 dev.py bench access --quick    seconds
```
"""


def page(run: Run) -> str:
    """Write the page of the documentation."""
    middles = run.middles
    names = ("asked", "members", "organizations", "dictionary")
    told = {"rounds": figure(run.rounds), **{name: figure(middles[name]) for name in names}}
    short = f"**{figure(1e6 / middles['decision'])} decisions in a second**, on one core.\n"
    return "\n".join(
        [f"{_HEAD}{run.machine}.\n", short, in_full(run, HEADINGS), _HOW.format_map(told)]
    )
