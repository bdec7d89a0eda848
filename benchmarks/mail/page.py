"""docs/performance-mail.md, written from the run that was kept."""

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
# Performance of mail

Measured, not estimated: `python3 dev.py bench mail` lets a step write to everybody of one
organization, each with a file of their own, and beside it the same client hands over the very same
mails, written beforehand, to the same server, in turns. Nothing in this page is typed; it is
written by such a run, with `--write-docs`.

"""
_HOW = """\
## What is measured

1. **One mail**: {rounds} rounds of {mails} mails from the step, and of as many that are kept in
   memory as bytes and only handed over. The step looks up who is written to, reads what they have
   earned in the vendor's database, writes each message in its reader's language and by their
   calendar ({readers} ms of processor time for all of it), marks it as being sent before it is
   handed over, and notes what became of it. Both use the same four connections. The server is a
   process of its own, in Python; a faster one would leave less time to do all that in.
2. **Processor time** of the process that does it, for each mail; the bare client needs
   {client} ms.
3. **Memory**: the most that the process held with {large} readers, beside {small}.

Every mail has two texts and a file of {file} kB. How fast real files are made is on
[a page of its own](performance-achievements.md); how mails are kept from arriving twice is
[decision 028](decisions/028-mail-side-by-side.md).

```
python3 dev.py bench mail            minutes
python3 dev.py bench mail --quick    a hundred mails
```

## Whatever breaks

`MAILS=100000 KILLS=50 python3 dev.py test tests/integration/test_mail_chaos.py -s` sends that many
mails over TLS to a server that puts one in ten off, refuses two in a hundred, and breaks off
conversations before and after it has taken a message, while the workers are killed fifty times.
Everybody gets exactly one mail or is refused for good; what arrives twice has one Message-ID, and
the step's receipt counts it. A small one runs with all other tests.
"""


def page(run: Run) -> str:
    """Write the page of the documentation."""
    middles = run.middles
    told = {
        "rounds": figure(run.rounds),
        "mails": figure(middles["mails"]),
        "readers": figure(middles["step cpu"]),
        "client": figure(middles["prepared cpu"]),
        "small": figure(middles["small readers"]),
        "large": figure(middles["large readers"]),
        "file": figure(middles["file"]),
    }
    short = (
        f"**{figure(1e3 / middles['step'])} mails in a second** by one process; the bare client"
        f" reaches {figure(1e3 / middles['prepared'])}.\n"
    )
    return "\n".join(
        [f"{_HEAD}{run.machine}.\n", short, in_full(run, HEADINGS), _HOW.format_map(told)]
    )
