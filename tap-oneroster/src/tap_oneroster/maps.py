"""Stream maps of the settings, given to the streams that are selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers._catalog import get_selected_schema

if TYPE_CHECKING:
    from singer_sdk.mapper import PluginMapper
    from singer_sdk.singerlib import Catalog

__all__ = ["register"]


def register(mapper: PluginMapper, catalog: Catalog) -> None:
    """Make the mapper know all streams. ConfigValidationError where a map does not fit its stream.

    The SDK would look for the keys of a stream that is not selected, too, in a schema without any property.
    """
    maps = mapper.stream_maps_dict
    for entry in catalog.streams:
        name = entry.stream or entry.tap_stream_id
        mask = entry.metadata.resolve_selection()
        mapper.stream_maps_dict = maps if mask[()] else {}
        try:
            mapper.register_raw_stream_schema(
                name, get_selected_schema(name, entry.schema.to_dict(), mask), entry.key_properties
            )
        except MappingError as error:
            raise ConfigValidationError("Config validation failed", errors=[f"stream_maps: {error}"]) from None
    mapper.stream_maps_dict = maps
