"""`offramp message`: what people will read, before anybody reads it.

Source: docs/cli.md; docs/messages.md; docs/banner.md.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from whenever import Date

from offramp.adapters.mail_format import Sender, format_mail
from offramp.bootstrap import Camera, open_camera, open_composer, sender_of
from offramp.cli.option import OptionInvalid
from offramp.cli.output import AsJson, guarded, make_folder, show_json, show_text, write_file
from offramp.config import load_settings
from offramp.core.errors import Missing, OfframpError, Unavailable
from offramp.core.policy import Policy
from offramp.core.spelling import did_you_mean
from offramp.documents.banner import answer_of
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.banner_specimen import BannerSpecimen, banner_specimens, write_banner_specimen
from offramp.engine.specimen import Specimen, specimens, write_specimen
from offramp.ports import BannerWords, Composer, Message
from offramp.web.banner_page import Sight, write_banner_page

BANNERS = "banners"  # the folder beside those of the notices
ENDS_ON = Date(2024, 8, 30)  # a Friday, as everywhere in the documentation

app = typer.Typer(help="See what people will read.", no_args_is_help=True)


@app.callback()
def message() -> None:
    """See what people will read."""
    # With a single command Typer would leave out its name.


@app.command("preview")
@guarded
def preview(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the messages go.")],
    notice: Annotated[
        str | None, typer.Option(help="One notice alone, as the policy names it; no banners.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="One language alone.")] = None,
    policy: Annotated[
        list[str], typer.Option(help="A preset or a file; both presets if left out. Repeatable.")
    ] = [],  # noqa: B006 (Typer reads the default and never shares it)
    as_json: AsJson = False,
) -> None:
    """Write every message and banner in every language, and pictures of them; nothing is sent."""
    settings = load_settings()
    composer = open_composer(settings)
    policies = [find_policy(name) for name in policy or PRESETS]
    languages = _chosen("--language", language, known=composer.languages)
    names = {each.facts.notice for p in policies for each in specimens(p, ends=ENDS_ON)}
    notices = _chosen("--notice", notice, known=sorted(names))
    with ExitStack() as stack:
        camera, trouble = _camera(stack)
        press = _Press(composer=composer, sender=sender_of(settings), camera=camera)
        written, banners = 0, 0
        for each in policies:
            folder = out / each.policy
            written += press.write_all(each, folder, notices=notices, languages=languages)
            if notice is None:
                banners += press.write_banners(each, folder / BANNERS, languages=languages)
    _show(out, written, banners=banners, trouble=trouble, as_json=as_json)


def _chosen(option: str, name: str | None, *, known: Sequence[str]) -> frozenset[str]:
    """Give the one that was asked for, or all."""
    if name is not None and name not in known:
        raise OptionInvalid(
            option=option,
            text=name,
            expected=", ".join(known),
            hint=did_you_mean(name, known),
        )
    return frozenset(known if name is None else (name,))


def _camera(stack: ExitStack) -> tuple[Camera, OfframpError | None]:
    """Start what takes pictures; where that is not possible there are none, and a reason."""
    try:
        return stack.enter_context(open_camera()), None
    except (Missing, Unavailable) as error:
        return _take_none, error


def _take_none(html: str, *, runs_scripts: bool = False) -> Mapping[str, bytes]:
    """Take no picture."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Press:
    """Writes messages into files."""

    composer: Composer
    sender: Sender
    camera: Camera

    def write_all(
        self, policy: Policy, folder: Path, *, notices: Set[str], languages: Set[str]
    ) -> int:
        """Write the chosen messages of one policy, and say how many there were."""
        written = 0
        for specimen in specimens(policy, ends=ENDS_ON):
            if specimen.facts.notice not in notices:
                continue
            for language in sorted(languages):
                self._write(specimen, folder / specimen.name, language=language)
                written += 1
        return written

    def write_banners(self, policy: Policy, folder: Path, *, languages: Set[str]) -> int:
        """Write the banners of one policy, all of a language on one page, and count them."""
        shown = banner_specimens(policy, ends=ENDS_ON)
        for language in sorted(languages) if shown else ():
            written = [
                (each, write_banner_specimen(self.composer, each, language=language))
                for each in shown
            ]
            html = write_banner_page(
                policy.title or policy.policy,
                [Sight(title=each.title, banner=_document(each, words)) for each, words in written],
            )
            text = "\n".join(_text_of(each.title, words) for each, words in written)
            files = {
                f"{language}.html": html.encode(),
                f"{language}.txt": text.encode(),
                **self._pictures(html, language=language, runs_scripts=True),
            }
            _write_files(folder, files)
        return len(shown) * len(languages)

    def _write(self, specimen: Specimen, folder: Path, *, language: str) -> None:
        message = write_specimen(self.composer, specimen, language=language)
        mail = format_mail(message, sender=self.sender, at=specimen.facts.stated_at)
        html = _shown_alone(message)
        files = {
            f"{language}.html": html.encode(),
            f"{language}.txt": f"{message.subject}\n\n{message.text}".encode(),
            f"{language}.eml": mail.content,
            **self._pictures(html, language=language),
        }
        _write_files(folder, files)

    def _pictures(
        self, html: str, *, language: str, runs_scripts: bool = False
    ) -> Mapping[str, bytes]:
        taken = self.camera(html, runs_scripts=runs_scripts)
        return {f"{language}.{light}.png": picture for light, picture in taken.items()}


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    make_folder(folder)
    for name, content in files.items():
        write_file(folder / name, content)


def _document(specimen: BannerSpecimen, words: BannerWords) -> object:
    banner = answer_of(specimen.showing, words).banner
    assert banner is not None, "a specimen shows something"
    return banner.model_dump(mode="json")


def _text_of(title: str, words: BannerWords) -> str:
    """Give what a banner says, below whose it is."""
    links = [f"{link.label}: {link.address}" for link in words.links]
    said = (words.heading, words.text, words.until, words.advice, words.note, *links)
    return "\n".join([f"[{title}]", *filter(None, said), ""])


def _shown_alone(message: Message) -> str:
    """Give the HTML as a page of its own, with its pictures inside."""
    html = message.html
    for image in message.images:
        data = b64encode(image.content).decode()
        html = html.replace(f"cid:{image.content_id}", f"data:{image.media_type};base64,{data}")
    return html


def _show(
    out: Path, written: int, *, banners: int, trouble: OfframpError | None, as_json: bool
) -> None:
    if as_json:
        reason = None if trouble is None else trouble.code
        data = {
            "folder": str(out),
            "messages": written,
            "banners": banners,
            "pictures": trouble is None,
        }
        show_json({**data, "reason": reason})
        return
    show_text(f"{out}: {written} messages as HTML, text and mail", style="bold")
    if banners:
        show_text(f"and {banners} banners as HTML and text", style="bold")
    if trouble is None:
        show_text("and in pictures: in the light, in the dark, and on a phone")
        return
    show_text(f"without pictures: {trouble}", style="yellow")
    if trouble.hint:
        show_text(f"   {trouble.hint}", style="dim")
