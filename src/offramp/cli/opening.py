"""How a command comes by the engine's context: settings are read, and a store has to be there.

A store is made by `offramp init` alone. A command that is run in the wrong folder says so; it does
not begin a new, empty ledger beside the true one.

Source: docs/settings.md.
"""

from collections.abc import Callable, Mapping

from offramp.bootstrap import build, build_worker, keys_folder, source_tools
from offramp.cli.progress import Watcher
from offramp.config import Settings, load_settings
from offramp.core.errors import Missing
from offramp.data.datamap import DataMap
from offramp.data.elsewhere import open_elsewhere
from offramp.data.sources.source import Source
from offramp.engine.context import Context
from offramp.ports import Report, WorkQueue


class InstallationMissing(Missing):
    """Nothing was set up in the folder {folder} yet."""


def open_others(datamap: DataMap) -> Mapping[str, Source]:
    """Open the sources of a map that are no database; no store has to be there.

    Raises:
        SettingInvalid: a setting is wrong.
        KindMissing, SourceUnusable, SourceUnavailable: a source cannot be opened as it is declared.
    """
    return open_elsewhere(datamap, tools=source_tools(load_settings()))


def open_context(
    *,
    with_data: bool = False,
    with_endpoints: bool = False,
    with_messages: bool = False,
    report: Report | None = None,
    is_stopping: Callable[[], bool] | None = None,
) -> Context:
    """Put the parts together; data and endpoints are opened only for those who need them.

    The same is true of its templates: a mistake in one keeps nobody from pausing everything.

    Raises:
        SettingInvalid: a setting is wrong.
        InstallationMissing: `offramp init` was not run here.
        StoreUnavailable: the store cannot be reached.
    """
    settings = _load_installation()
    if not with_data:
        settings = settings.model_copy(update={"datamap": None})
    if not with_endpoints:
        settings = settings.model_copy(update={"webhooks": None})
    if not with_messages:
        settings = settings.model_copy(update={"templates": None, "brand_logo": None})
    return build(settings, report=report or Watcher(), is_stopping=is_stopping)


def open_worker(*, report: Report, is_stopping: Callable[[], bool]) -> tuple[Context, WorkQueue]:
    """Put the parts of one worker together, with the queue that it serves.

    Raises:
        QueueMissing: the package of the queue is not installed.
        SettingInvalid, InstallationMissing, StoreUnavailable: as for `open_context`.
    """
    return build_worker(_load_installation(), report=report, is_stopping=is_stopping)


def _load_installation() -> Settings:
    settings = load_settings()
    if not keys_folder(settings).is_dir():
        raise InstallationMissing(
            folder=str(settings.folder),
            hint="run offramp init, or go to the folder of your offramp.toml",
        )
    return settings
