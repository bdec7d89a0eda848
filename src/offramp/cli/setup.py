"""`offramp init`: an installation, and what it promises. A second time it changes nothing.

Source: docs/cli.md; docs/settings.md.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from offramp.bootstrap import build, silent
from offramp.cli.output import AsJson, guarded, show_json, show_text, write_file
from offramp.config import CONFIG_FILE, CONFIG_FILE_VARIABLE, Settings, load_settings
from offramp.core.errors import Invalid, Refused
from offramp.core.policy import Policy
from offramp.documents.datamap import load_datamap
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.context import Context
from offramp.engine.publication import ScopeChanged, VersionNotNext, preview, publish
from offramp.ports import Probe

_HEAD = """\
# The settings of Offramp. `mail_host` here is OFFRAMP_MAIL_HOST in the environment, which wins.
# Passwords belong into the environment.
"""


class SettingsDiffer(Refused):
    """{file} is there already and says something else about {path}."""


class PasswordInSettings(Invalid):
    """The address of the database holds a password, which does not belong into a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What an installation consists of, and what became of each policy."""

    file: Path
    is_new: bool
    folder: Path
    published: tuple[Mapping[str, str | int | bool | None], ...]


@guarded
def initialize(
    folder: Annotated[Path | None, typer.Option(help="For keys, exports and proofs.")] = None,
    database: Annotated[
        str | None, typer.Option(help="The store: sqlite:///… or postgresql://…")
    ] = None,
    datamap: Annotated[Path | None, typer.Option(help="The data map of your application.")] = None,
    policy: Annotated[
        list[str], typer.Option(help="A policy to publish beside the presets. Repeatable.")
    ] = [],  # noqa: B006 (Typer reads the default and never shares it)
    as_json: AsJson = False,
) -> None:
    """Set up an installation here: settings, keys, store, and the two preset policies."""
    options = {"folder": folder, "database_url": database, "datamap": datamap}
    given = {name: value for name, value in options.items() if value is not None}
    done = set_up(given, policies=policy)
    if as_json:
        show_json({"settings": str(done.file), "is_new": done.is_new, "policies": done.published})
        return
    show_text(f"settings: {done.file}" + ("" if done.is_new else " (left as it was)"), style="bold")
    show_text(f"keys, exports and proofs: {done.folder}")
    for row in done.published:
        _show_published(row)


def set_up(
    given: Mapping[str, object], *, policies: Sequence[str] = (), probe: Probe = silent
) -> SetUp:
    """Make what is missing of an installation: settings, keys, store, the published policies.

    Whoever is stopped in between can do it again; the settings come last, and all at once.

    Args:
        given: settings that go into the file.
        policies: names or files of those to publish beside the presets.
        probe: hears of each thing that is done.

    Raises:
        SettingsDiffer, PasswordInSettings, SettingInvalid: the settings cannot be those.
        StoreUnavailable, DocumentInvalid: what they name is not there.
    """
    file = Path(os.environ.get(CONFIG_FILE_VARIABLE, CONFIG_FILE))
    is_new = not file.exists()
    settings = _load_new(given) if is_new else _load_same(file, given)
    found = [find_policy(name) for name in (*PRESETS, *policies)]
    if settings.datamap is not None:
        load_datamap(settings.datamap)
    context = build(settings.model_copy(update={"datamap": None, "webhooks": None}), probe=probe)
    probe("store made")
    context.keys.signing_key()
    published = tuple(_publish(context, each) for each in found)
    if is_new:
        draft = file.with_name(f"{file.name}.part")
        write_file(draft, settings_file(settings, given=frozenset(given)).encode())
        probe("settings drafted")
        draft.replace(file)
        probe("settings written")
    return SetUp(file=file, is_new=is_new, folder=settings.folder, published=published)


def settings_file(settings: Settings, *, given: frozenset[str]) -> str:
    """Write a settings file in which everything that was not given is a comment."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name) if name in given else field.default
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        shown = "…" if plain is None else plain if isinstance(plain, int) else str(plain)
        mark = "" if name in given else "# "
        text = json.dumps(shown, ensure_ascii=False)
        parts.append(f"\n# {field.description}\n{mark}{name} = {text}\n")
    return "".join(parts)


def _load_new(given: Mapping[str, object]) -> Settings:
    url = given.get("database_url")
    if isinstance(url, str) and _has_password(url):
        raise PasswordInSettings(
            hint="set OFFRAMP_DATABASE_URL in the environment, and leave out --database"
        )
    return load_settings(**given)


def _has_password(url: str) -> bool:
    try:
        return make_url(url).password is not None
    except ArgumentError:
        return False  # the store will say what is wrong with it


def _load_same(file: Path, given: Mapping[str, object]) -> Settings:
    """Read the settings that are there, if what was asked for does not contradict them."""
    settings = load_settings()
    asked = load_settings(**given)
    for name in given:
        if getattr(settings, name) != getattr(asked, name):
            raise SettingsDiffer(file=str(file), path=name, hint="change it in the file")
    return settings


def _publish(context: Context, policy: Policy) -> dict[str, str | int | bool | None]:
    """Publish a version unless it does something to somebody: that is shown before it is done."""
    row: dict[str, str | int | bool | None]
    row = {"policy": policy.policy, "version": policy.version}
    try:
        found = preview(context, policy)
    except (VersionNotNext, ScopeChanged) as error:
        return {**row, "is_new": True, "is_published": False, "reason": str(error)}
    in_flight = found.effect.in_flight
    if found.is_new and not in_flight:
        publish(context, policy)
        context.probe("policy published")
    is_published = found.is_new and not in_flight
    reason = f"{in_flight} are leaving by another version" if in_flight else None
    return {**row, "is_new": found.is_new, "is_published": is_published, "reason": reason}


def _show_published(row: Mapping[str, str | int | bool | None]) -> None:
    told = "published" if row["is_published"] else "was published already"
    if row["reason"] is not None:
        told = f"not published: {row['reason']}"
    show_text(f"policy {row['policy']} version {row['version']}: {told}")
    if row["reason"] is not None:
        show_text("   offramp policy publish shows what it would do", style="dim")
