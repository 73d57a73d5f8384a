"""Tables that describe a district, made by dbt from a OneRoster warehouse."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("oneroster-marts")
except PackageNotFoundError:  # read from a folder, as import-linter does
    __version__ = "0.0.0.dev0"
