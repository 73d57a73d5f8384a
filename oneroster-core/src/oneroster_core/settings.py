"""How Singer plugins define their settings and check them: the one part of the core that knows the SDK."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from singer_sdk import typing as th
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers import capabilities as sdk
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import JSONSchemaValidator, PluginBase
from typing_extensions import override

from . import shell

TEXT = th.StringType(nullable=False)


def setting(name: str, kind: Any, description: str, *, title: str = "", **more: Any) -> th.Property[Any]:
    """Return a setting; without a `title` the words of its name are the title."""
    return th.Property(name, kind, title=title or name.replace("_", " ").title(), description=description, **more)


def choice(name: str, words: list[str], description: str, **more: Any) -> th.Property[Any]:
    """Return a setting that takes one of these words."""
    return setting(name, TEXT, description, allowed_values=words, **more)


def switch(name: str, description: str, *, default: bool = False, **more: Any) -> th.Property[Any]:
    """Return a setting that is true or false."""
    return setting(name, th.BooleanType(nullable=False), description, default=default, **more)


class Configured(PluginBase):
    """A plugin whose settings come from files and from the environment alike, and whose errors never quote a value."""

    @classmethod
    @cache
    @override
    def get_plugin_version(cls) -> str:
        """Return the version of the package, whose metadata take milliseconds to read."""
        return super().get_plugin_version()

    @classmethod
    def _all_settings(cls) -> dict[str, Any]:
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        return schema

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """The settings from the environment, as text: they are converted like those of a file."""
        parse_environment_config({}, cls._env_var_prefix)  # reads a file .env
        return shell.settings_from_environment(os.environ, cls._env_var_prefix, cls._all_settings())

    def setting_errors(self, words: Mapping[str, str] = shell.WORDS) -> list[str]:
        """Return what is wrong with the settings, each line in these words; a name that nobody knows is a warning."""
        return shell.check_settings(
            self._config,
            JSONSchemaValidator(self._all_settings()),
            without_effect=shell.built_in_settings(sdk),
            warn=self.logger.warning,
            words=words,
        )
