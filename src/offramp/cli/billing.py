"""`offramp billing`: subscriptions of a billing system, and the pools that they pay for.

Source: docs/billing.md; `engine.billing`.
"""

from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.engine.billing import assign, list_subscriptions
from offramp.engine.pages import PAGE_ROWS_MAX
from offramp.ports import Subscription

app = typer.Typer(
    help="Subscriptions of a billing system, and what they pay for.", no_args_is_help=True
)


@app.command("list")
@guarded
def list_them(as_json: AsJson = False) -> None:
    """List subscriptions, with what keeps some of them from counting."""
    context, found, after = open_context(), list[Subscription](), ""
    while True:
        page = list_subscriptions(context, after=after, limit=PAGE_ROWS_MAX)
        found += page.rows
        if not page.has_more:
            break
        after = page.rows[-1].id
    if as_json:
        show_json({"subscriptions": [_data(each) for each in found]})
    elif found:
        columns = ("subscription", "organization", "pool", "ends", "problem")
        show_table(columns, [_row(each) for each in found], unbroken=("subscription",))
    else:
        show_text("no billing system has said anything; docs/billing.md says how it can")


@app.command("assign")
@guarded
def assign_pool(
    subscription: Annotated[
        str, typer.Argument(metavar="SUBSCRIPTION", help="The id that the billing system gave it.")
    ],
    organization: Annotated[str, typer.Option(metavar="ORG", help="Whose pool it pays for.")],
    pool: Annotated[str, typer.Option(help="Which pool.")],
    as_json: AsJson = False,
) -> None:
    """Say which pool a subscription pays for; whatever was said of it counts from now on."""
    assigned = assign(open_context(), subscription, organization=organization, pool=pool)
    if as_json:
        show_json(_data(assigned))
    else:
        show_text(f"{subscription} pays for {pool} of {organization}")


def _row(each: Subscription) -> tuple[str, ...]:
    place = each.organization or "", each.pool or ""
    return each.id, *place, _end(each) or "renews", each.problem or ""


def _end(each: Subscription) -> str | None:
    ends_at = each.word and each.word.ends_at
    return ends_at.format_iso(unit="second") if ends_at else None


def _data(each: Subscription) -> dict[str, str | bool | None]:
    owed_since = each.payments.owed_since
    return {
        "subscription": each.id,
        "organization": each.organization,
        "pool": each.pool,
        "is_assigned": each.is_assigned,
        "is_over": each.word is not None and each.word.is_over,
        "ends_at": _end(each),
        "owed_since": owed_since.format_iso() if owed_since else None,
        "told_at": each.word.at.format_iso() if each.word else None,
        "problem": each.problem,
    }
