"""A session with Snowflake, with what the engine's SQL relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_source_snowflake.settings import SnowflakeSettings

SESSION: dict[str, str | int | bool] = {
    "TIMEZONE": "UTC",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ROWS_PER_RESULTSET": 0,
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "ARROW",
    "QUERY_TAG": "kpi-engine",
}
"""Instants are read in UTC, names are what is written, no rows are cut off, numbers come with all their digits."""


def connected(settings: SnowflakeSettings, root: Path) -> Any:  # noqa: ANN401 - a connection of the connector's
    """Log in."""
    import snowflake.connector

    options: dict[str, Any] = {
        "account": settings.account,
        "user": settings.user,
        "database": quoted(settings.database),
        "schema": quoted(settings.schema_),
        "login_timeout": settings.login_timeout,
        "network_timeout": settings.network_timeout,
        "session_parameters": {**SESSION, "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        "application": "kpi_engine",
        "validate_default_parameters": True,
    }
    options |= {name: value for name in ("warehouse", "role") if (value := getattr(settings, name))}
    if settings.address:
        parts = urlsplit(settings.address)
        options |= {"host": parts.hostname, "protocol": parts.scheme}
        options |= {"port": parts.port or (443 if parts.scheme == "https" else 80)}
    if settings.password:
        options["password"] = settings.password.get_secret_value()
    if settings.token:
        options |= {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": settings.token.get_secret_value()}
    if settings.private_key_file:
        options |= {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(root / settings.private_key_file)}
        if settings.private_key_passphrase:
            options["private_key_file_pwd"] = settings.private_key_passphrase.get_secret_value()
    return snowflake.connector.connect(**options)


def quoted(name: str) -> str:
    """Write a name so that small letters stay small; one that needs no quotes has none."""
    return name if name.isidentifier() and name == name.upper() else '"' + name.replace('"', '""') + '"'
