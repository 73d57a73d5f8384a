"""What dbt is told: a profile for the warehouse, and the variables of the project."""

from __future__ import annotations

from typing import Any

from .project import limits
from .settings import SECRET_SETTINGS, Settings

SECRET = "DBT_ENV_SECRET_ONEROSTER_MARTS_"  # noqa: S105 - the prefix of variables that dbt never logs
_VARIABLES = (
    *("oneroster_schema", "tenant", "time_zone", "small_cell", "end_dates", "school_types"),
    *("pass_percent", "missing_keys", "missing_as_zero", "final_categories"),
)


def variables(settings: Settings, tables: dict[str, str]) -> dict[str, Any]:
    """Return the project's variables; `tables` are the inputs, each as a table."""
    found = {name: getattr(settings, name) for name in _VARIABLES}
    today = settings.today.isoformat() if settings.today else None
    at_risk = limits() | settings.at_risk
    return {**found, "tenant": settings.tenant or None, "today": today, "at_risk": at_risk, "inputs": tables}


def profile(settings: Settings) -> dict[str, Any]:
    """Return the content of profiles.yml. Secrets are named in it as variables of the environment."""
    output = {"duckdb": _duckdb, "postgres": _postgres, "snowflake": _snowflake}[settings.warehouse](settings)
    return {"oneroster_marts": {"target": "marts", "outputs": {"marts": output}}}


def _duckdb(settings: Settings) -> dict[str, Any]:
    return {
        "type": "duckdb",
        "path": ":memory:",
        "schema": "restricted",
        "threads": 1,  # DuckDB itself uses all cores for a query
        "attach": [
            {"path": settings.filepath, "alias": "warehouse_file", "read_only": True},
            {"path": settings.restricted_path, "alias": "restricted_file"},
            {"path": settings.marts_path, "alias": "shared_file"},
        ],
        "config_options": {  # from the beginning: settings are made anew for each model, and DuckDB refuses that once it has spilled
            "memory_limit": settings.memory_limit,
            "temp_directory": f"{settings.target_path}/spill",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        },
    }


def _postgres(settings: Settings) -> dict[str, Any]:
    return {
        "type": "postgres",
        "host": settings.host,
        "port": settings.port or 5432,
        "user": settings.user,
        "password": _secret(settings, "password"),
        "dbname": settings.database,
        "schema": "restricted",
        "threads": settings.threads,
    }


_SNOWFLAKE = (
    "account",
    "user",
    "password",
    "role",
    "database",
    "authenticator",
    "private_key_path",
    "private_key_passphrase",
    "host",
    "port",
    "protocol",
)


def _snowflake(settings: Settings) -> dict[str, Any]:
    found = {
        name: _secret(settings, name) if name in SECRET_SETTINGS else getattr(settings, name)
        for name in _SNOWFLAKE
        if getattr(settings, name)
    }
    more = {"warehouse": settings.snowflake_warehouse} if settings.snowflake_warehouse else {}
    return {"type": "snowflake", **found, **more, "schema": "RESTRICTED", "threads": settings.threads}


def snowflake_options(settings: Settings) -> dict[str, Any]:
    """Return what Snowflake's own client is told: the same, in its words."""
    other = {"private_key_path": "private_key_file", "private_key_passphrase": "private_key_file_pwd"}
    found = {other.get(name, name): getattr(settings, name) for name in _SNOWFLAKE if getattr(settings, name)}
    return found | ({"warehouse": settings.snowflake_warehouse} if settings.snowflake_warehouse else {})


def _secret(settings: Settings, name: str) -> str:
    return f"{{{{ env_var('{SECRET}{name.upper()}') }}}}" if getattr(settings, name) else ""
