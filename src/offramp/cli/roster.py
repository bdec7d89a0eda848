"""`offramp import`: organizations, pools and members from the vendor's files, all or nothing.

What the files say wins over what was there; what they do not mention is left alone.

Source: docs/cli.md; `documents.roster_set` for the form of the files; lesson L26.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.lifecycle import followed_text
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.cli.progress import Watcher
from offramp.documents.roster_set import Known, read_roster
from offramp.engine.offboarding import Registered, register
from offramp.engine.overview import known_organizations, known_pools
from offramp.ports import Changes


@guarded
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CSV, XLSX or JSON files.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be changed, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over organizations, pools and members; a second time changes nothing."""
    watcher = Watcher()
    context = open_context(report=watcher)
    known = Known(organizations=known_organizations(context), pools=known_pools(context))

    def watch(name: str, rows: int) -> None:
        watcher("import", {"table": name, "rows": rows})

    with watcher.shown():
        roster = read_roster(files, known=known, watch=watch)
        registered = register(
            context,
            organizations=roster.organizations,
            pools=roster.pools,
            members=roster.members,
            is_rehearsal=dry_run,
        )
    _show(registered, as_json=as_json)
    if dry_run and not as_json:
        show_text("nothing was changed: this was a dry run")


def _show(registered: Registered, *, as_json: bool) -> None:
    changes: Mapping[str, Changes] = {
        "organizations": registered.organizations,
        "pools": registered.pools,
        "members": registered.members,
    }
    followed = registered.followed
    if as_json:
        show_json(
            {
                **{
                    kind: {"created": c.created, "changed": c.changed, "same": c.same}
                    for kind, c in changes.items()
                },
                "offboardings": {
                    "opened": followed.opened,
                    "moved": followed.moved,
                    "ended": followed.ended,
                },
            }
        )
        return
    show_table(
        ("", "created", "changed", "same"),
        [(kind, str(c.created), str(c.changed), str(c.same)) for kind, c in changes.items()],
    )
    if not any(c.created or c.changed for c in changes.values()):
        show_text("everything was known already; nothing changed")
    show_text(followed_text(followed))
