"""Stream maps of the settings, given to the streams that are selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.singerlib import Catalog

if TYPE_CHECKING:
    from singer_sdk.mapper import PluginMapper

__all__ = ["register"]


def register(mapper: PluginMapper, catalog: Catalog) -> None:
    """Make the mapper know all streams. ConfigValidationError where a map does not fit its stream.

    The SDK would look for the keys of a stream that is not selected, too, in a schema without any property.
    """
    for selected, maps in ((False, {}), (True, mapper.stream_maps_dict)):
        mapper.stream_maps_dict = maps
        entries = {n: entry for n, entry in catalog.items() if entry.metadata.resolve_selection()[()] is selected}
        try:
            mapper.register_raw_streams_from_catalog(Catalog(entries))
        except MappingError as error:
            raise ConfigValidationError("Config validation failed", errors=[f"stream_maps: {error}"]) from None
