"""Open the source that the settings describe."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._core.stores.addresses import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._core.twin.policy import Policy as TwinPolicy
    from .source import Source


def source_name(config: Mapping[str, Any], twin: TwinPolicy | None) -> str:
    """Return the name of the source for receipts, even if it could not be opened; of a twin, the consumer."""
    if twin:
        return twin.consumer
    if config["mode"] == "csv":
        return PurePosixPath(shown(config["csv_path"])).name
    if config["mode"] == "warehouse":
        return Path(config["warehouse_path"]).name
    from ._core.http.presets import filled_in

    return urlsplit(filled_in(config).get("base_url", "")).hostname or "unknown host"


def make_source(
    config: Mapping[str, Any],
    *,
    streams: frozenset[str],
    user_agent: str,
    say: Callable[[str], None],
    twin: TwinPolicy | None = None,
) -> Source:
    """Return the source of the settings, behind the policy of a twin if there is one; `streams` are the selected ones."""
    if twin is None:
        return _make_clear_source(config, streams=streams, user_agent=user_agent, say=say)
    from ._core.twin.lined import PolicyError
    from .twin.memory import TwinMemory
    from .twin.policy_file import today, twin_of
    from .twin.prepare import TwinRefused, needed
    from .twin.source import TwinSource

    try:
        of = twin_of(twin, config)
    except PolicyError as error:
        raise TwinRefused(str(error)) from None
    source = _make_clear_source(config, streams=streams | needed(of), user_agent=user_agent, say=say)
    return TwinSource(source, of, TwinMemory(twin), today(config), say)


def _make_clear_source(
    config: Mapping[str, Any], *, streams: frozenset[str], user_agent: str, say: Callable[[str], None]
) -> Source:
    """Return the REST service, the warehouse or the bundles of the settings.

    Imports are local, so that a run does not load the binding that it does not use.
    """
    if config["mode"] == "rest":
        from .rest.source import RestSource

        return RestSource.from_config(config, streams=streams, user_agent=user_agent)
    from .policy import Policy

    if config["mode"] == "warehouse":
        from .warehouse.source import WarehouseSource

        return WarehouseSource(config, Policy.of(config), say)
    from .batch_files.settings import is_columnar
    from .bundle.source import BundleSource

    columnar = is_columnar(config.get("batch_config")) and not config.get("twin")
    return BundleSource(config, Policy.of(config), say, columnar=columnar)
