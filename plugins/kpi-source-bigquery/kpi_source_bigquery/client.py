"""A client of BigQuery, as the settings say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kpi_engine.api import SourceError
from kpi_source_bigquery.settings import HERE

if TYPE_CHECKING:
    from kpi_source_bigquery.settings import BigQuerySettings

_SCOPE = "https://www.googleapis.com/auth/bigquery"


def connected(settings: BigQuerySettings, about: str) -> Any:  # noqa: ANN401 - a client of the library's
    """Make a client; nothing is sent yet."""
    from google.cloud import bigquery

    options = {"api_endpoint": settings.address} if settings.address else None
    return bigquery.Client(
        settings.project,
        credentials=_credentials(settings, about),
        location=settings.location or None,
        client_options=options,
    )


def _credentials(settings: BigQuerySettings, about: str) -> Any:  # noqa: ANN401
    if settings.credentials is None:
        return _of_nobody() if urlsplit(settings.address).hostname in HERE else None
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_info(
            json.loads(settings.credentials.get_secret_value()), scopes=[_SCOPE]
        )
    except ValueError:
        message = f"`credentials` of the source `{about}` is no key of a service account"
        hint = "it is the JSON file that the console of Google Cloud gives: `credentials: {file: key.json}`"
        raise SourceError(message, code="bad_value", hint=hint) from None


def _of_nobody() -> Any:  # noqa: ANN401
    """Ask a server on this machine without saying who asks."""
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()
