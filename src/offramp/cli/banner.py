"""`offramp banner`: what the product shows somebody, and the element that shows it.

Source: docs/banner.md; docs/cli.md.
"""

from pathlib import Path
from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_text, write_file
from offramp.core.policy import ANY
from offramp.documents.banner import BannerAnswer, answer_of
from offramp.engine.banner import banner_of
from offramp.web.element import element_script

app = typer.Typer(help="See what the product shows; get what shows it.", no_args_is_help=True)


@app.command("show")
@guarded
def show(
    organization: Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")],
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id.")],
    product: Annotated[str | None, typer.Option(help="The product of the page.")] = None,
    surface: Annotated[str, typer.Option(help="Where in it: app, console, …")] = ANY,
    locale: Annotated[str, typer.Option(help="The page's language; else the member's own.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what a page of the product shows a member right now."""
    seen = banner_of(
        open_context(), organization, member, surface=surface, product=product, locale=locale
    )
    answer = answer_of(seen.showing, seen.words)
    if as_json:
        show_json(answer.model_dump(mode="json"))
    else:
        _show(answer)


@app.command("script")
@guarded
def script(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the script goes.")],
    as_json: AsJson = False,
) -> None:
    """Write the script of the element `<offramp-banner>`, to be served by the product."""
    content = element_script()
    write_file(out, content)
    if as_json:
        show_json({"file": str(out), "size_bytes": len(content)})
    else:
        show_text(f"{out}: {len(content)} bytes")


def _show(answer: BannerAnswer) -> None:
    banner = answer.banner
    if banner is None:
        show_text(f"nothing is shown, until {answer.changes_at or 'further notice'}")
        return
    show_text(f"{banner.stage_title}: {banner.heading}", style="bold")
    for words in (banner.text, banner.until, banner.advice, banner.note):
        if words:
            show_text(words)
    for link in banner.links:
        show_text(f"{link.label}: {link.href}")
