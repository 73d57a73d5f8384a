"""Apply the configured stream maps to the selected streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.singerlib import Catalog

if TYPE_CHECKING:
    from singer_sdk.mapper import PluginMapper


def register(mapper: PluginMapper, catalog: Catalog) -> None:
    """Register all streams; raise ConfigValidationError if a map does not match its stream.

    The SDK would also look for the keys of streams that are not selected, in a schema without properties.
    """
    for selected, maps in ((False, {}), (True, mapper.stream_maps_dict)):
        mapper.stream_maps_dict = maps
        entries = {n: entry for n, entry in catalog.items() if entry.metadata.resolve_selection()[()] is selected}
        try:
            mapper.register_raw_streams_from_catalog(Catalog(entries))
        except MappingError as error:
            raise ConfigValidationError("Config validation failed", errors=[f"stream_maps: {error}"]) from None
