"""How a client says who it is."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlencode

from kpi_engine.api import SourceError
from kpi_source_rest.http import Request
from kpi_source_rest.settings import ApiKeyAuth, BasicAuth, BearerAuth, OAuthAuth

if TYPE_CHECKING:
    from kpi_source_rest.http import Transport

_EARLY = 30.0
"""So many seconds before its end a token is taken to be over."""


class Credentials:
    """What is added to a request so that the API knows who asks; its secrets are told to the transport's list."""

    def __init__(self, auth: Any, secrets: set[str]) -> None:  # noqa: ANN401 - one of the settings' kinds
        self._auth, self._secrets = auth, secrets
        self._token, self._ends = "", 0.0
        for name in ("token", "password", "api_key", "client_secret"):
            if value := getattr(auth, name, None):
                self._learn(value.get_secret_value())

    @property
    def renews(self) -> bool:
        """Whether there is a new token to be had where one is refused."""
        return isinstance(self._auth, OAuthAuth)

    def forget(self) -> None:
        """Take the token that was given to be over."""
        self._token = ""

    def headers(self, transport: Transport, about: str) -> dict[str, str]:
        """Give the headers that only the API itself is sent."""
        match self._auth:
            case BearerAuth(token=token):
                return {"Authorization": f"Bearer {token.get_secret_value()}"}
            case BasicAuth(username=user, password=password):
                pair = f"{user}:{password.get_secret_value()}".encode()
                written = base64.b64encode(pair).decode("ascii")
                self._learn(written)
                return {"Authorization": f"Basic {written}"}
            case ApiKeyAuth(name=name, api_key=key, location="header"):
                return {name: key.get_secret_value()}
            case OAuthAuth():
                return {"Authorization": f"Bearer {self._granted(transport, about)}"}
        return {}

    def params(self) -> list[tuple[str, str]]:
        """Give the parameters of the address."""
        if isinstance(self._auth, ApiKeyAuth) and self._auth.location == "query":
            return [(self._auth.name, self._auth.api_key.get_secret_value())]
        return []

    def _granted(self, transport: Transport, about: str) -> str:
        if self._token and transport.clock.now() < self._ends:
            return self._token
        auth = self._auth
        form = {
            "grant_type": "client_credentials", "client_id": auth.client_id,
            "client_secret": auth.client_secret.get_secret_value(), **auth.access_token_request_data,
        }  # fmt: skip
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        request = Request(auth.access_token_url, "POST", headers, body=urlencode(form).encode())
        answer = transport.send(request, about)
        value = _object(answer.body) if answer.status < 300 else {}  # noqa: PLR2004
        token, seconds = value.get("access_token"), value.get("expires_in", 3600)
        if not isinstance(token, str) or not token:
            said = transport.said(answer) if answer.status >= 300 else "no `access_token` in the answer"  # noqa: PLR2004
            raise SourceError(
                f"{about}: {transport.address(auth.access_token_url)} gave no token: {answer.status} {said}".rstrip(),
                code="not_authorised",
                hint="check `client_id`, `client_secret` and `access_token_url`",
            )
        self._learn(token)
        lasting = float(seconds) if isinstance(seconds, int | float) or str(seconds).isdecimal() else 3600.0
        self._token, self._ends = token, transport.clock.now() + max(lasting - _EARLY, 1.0)
        return token

    def _learn(self, secret: str) -> None:
        self._secrets.update({secret, quote(secret, safe=""), quote_plus(secret)})


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
