"""docs/performance-console.md, written from the run that was kept."""

from benchmarks.page import in_full
from benchmarks.report import figure
from benchmarks.run import Run

HEADINGS = {"work": "page", "Offramp": "took", "limit": "limit", "holds": "holds"}
_HEAD = """\
# Performance of the console

Measured, not estimated: `python3 dev.py bench console` fills a store and opens every page of
[the console](console.md) again and again, and the three of [the portal](portal.md) that have the
most on them. Nothing in this page is typed; it is written by such a run, with `--write-docs`.

"""
_HOW = """\
## What is measured

The store is SQLite and has {organizations} organizations, each with a seat that ends on a day of
the next thirteen months. Every page is opened {visits} times, in turns, by an operator or an
administrator who is signed in; nineteen of twenty times it took no longer than what is shown. That
is the whole time from the request to the last byte, in one process, without a network.

A stage is worked out for one organization after the other, and a page looks at 150 of them at most;
whoever looks for one that nobody is in is offered to go on from there. *Organizations that do not*
leave are looked for in the same way, among 100,000 at a time: here there are none of them.

```
python3 dev.py bench console            minutes, most of them to fill the store
python3 dev.py bench console --quick    a thousand organizations
```
"""


def page(run: Run) -> str:
    """Write the page of the documentation."""
    middles = run.middles
    told = {
        "organizations": figure(middles["organizations counted"]),
        "visits": figure(middles["visits"]),
    }
    return "\n".join([f"{_HEAD}{run.machine}.\n", in_full(run, HEADINGS), _HOW.format_map(told)])
