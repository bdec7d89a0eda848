"""docs/performance-achievements.md, written from the run that was kept."""

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
# Performance of achievements

Measured, not estimated: `python3 dev.py bench achievements` reads what everybody of one company has
earned through the data map, as the step of the farewell does, and makes the files of one member
after another: the list, the diplomas in a zip, the credentials. Nothing in this page is typed; it
is written by such a run, with `--write-docs`.

"""
_HOW = """\
## What is measured

{members} members with {each} achievements each: {papers} papers. Reading is part of the time,
sending is not. It is done by one process with one connection, and papers of one member are printed
side by side. A memory that grew with the number of mails would show in the last row: it is the most
that the process held in the end, beside the most that it held after the first tenth.

```
python3 dev.py bench achievements            minutes
python3 dev.py bench achievements --quick    a hundred members
```
"""


def page(run: Run) -> str:
    """Write the page of the documentation."""
    middles = run.middles
    papers = middles["members"] * (middles["each"] + 1)
    counts = {
        "members": figure(middles["members"]),
        "each": figure(middles["each"]),
        "papers": figure(papers),
    }
    short = (
        f"**{figure(1e3 / middles['credential'])} credentials and {figure(1e3 / middles['paper'])}"
        f" papers in a second**; everybody's files in"
        f" {figure(papers * middles['paper'] / 6e4)} minutes.\n"
    )
    return "\n".join(
        [f"{_HEAD}{run.machine}.\n", short, in_full(run, HEADINGS), _HOW.format_map(counts)]
    )
