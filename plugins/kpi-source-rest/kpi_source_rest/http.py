"""Requests to one API: sent with what it asks for, repeated where the failure passes, and explained where it stays."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from kpi_engine.api import SourceError
from kpi_source_rest.addresses import followed, hidden, origin, secrets_of, shown
from kpi_source_rest.waiting import TRANSIENT, retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_source_rest.settings import Timeouts
    from kpi_source_rest.waiting import Clock, Patience

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LARGEST = 256 * 1024 * 1024
"""So many bytes an answer may have: a page of records is far smaller."""
_PIECE = 64 * 1024
_SAID = 300
"""So much of what a server says against a request is repeated."""


@dataclass(frozen=True)
class Request:
    """One request. `private` are headers that only the server of `url` is sent."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _PassingError(Exception):
    """A failure that another try may find otherwise."""

    def __init__(self, said: str, reason: str, after: float | None = None) -> None:
        super().__init__(said)
        self.said, self.reason, self.after = said, reason, after


class Transport:
    """Sends requests. `secrets` grows with what must not be said; `about` names the source and the stream in errors."""

    def __init__(self, timeouts: Timeouts, patience: Patience, secrets: set[str]) -> None:
        from urllib3 import PoolManager, Timeout

        self._timeouts, self._patience, self._secrets = timeouts, patience, secrets
        self._options: dict[str, Any] = {
            "timeout": Timeout(connect=timeouts.connect, read=timeouts.read), "retries": False,
        }  # fmt: skip
        self._pools: dict[str, Any] = {"": PoolManager(**self._options)}

    @property
    def clock(self) -> Clock:
        """The clock by which it waits."""
        return self._patience.clock

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.clear()

    def send(self, request: Request, about: str) -> Answer:
        """Send a request until it is answered; an answer that says no is given back too.

        Raises `SourceError` where it fails for good, or too often.
        """
        began, tries = self.clock.now(), 0
        while True:
            tries += 1
            try:
                return self._followed(request, about)
            except _PassingError as failure:
                pause = self._patience.pause(tries, began, failure.after)
                if pause is None:
                    raise self._given_up(request, about, failure, tries, began) from None
                self._patience.wait(pause, failure.reason)

    def learn(self, url: str) -> None:
        """Take note of what is secret in an address that an API gave."""
        self._secrets.update(secrets_of(url))

    def address(self, url: str) -> str:
        """Write an address for people."""
        return shown(url, self._secrets)

    def said(self, answer: Answer) -> str:
        """Give what a server says against a request, in short."""
        try:
            found = _message(json.loads(answer.body)) or ""
        except (ValueError, RecursionError):
            found = answer.body[: 4 * _SAID].decode("utf-8", "replace")
        if found.lstrip().startswith("<"):
            return ""
        line = " ".join(hidden(found, self._secrets).split())
        return line if len(line) <= _SAID else line[:_SAID] + "…"

    def _followed(self, request: Request, about: str) -> Answer:
        """Send a request, and go where answers lead; another server is sent nothing private."""
        first = origin(request.url)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._once(request, about)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            url = followed(request.url, target)
            if origin(url)[0] not in ("http", "https"):
                break
            request = replace(request, url=url, private=request.private if origin(url) == first else {})
            if answer.status == 303 or (answer.status in (301, 302) and request.method == "POST"):  # noqa: PLR2004
                request = replace(request, method="GET", body=None)
            elif origin(url) != first:
                request = replace(request, body=None)
        raise SourceError(
            f"{about}: {self.address(request.url)} leads from one address to the next without end",
            code="endless_redirect",
            hint="check `base_url` and `path`",
        )

    def _once(self, request: Request, about: str) -> Answer:
        from urllib3 import exceptions

        began = self.clock.now()
        try:
            response = self._pool(request.url).request(
                request.method, request.url, headers={**request.headers, **request.private}, body=request.body,
                redirect=False, preload_content=False, decode_content=True,
            )  # fmt: skip
            try:
                body = self._read(response, began, request.url, about)
            finally:
                response.close()
        except exceptions.SSLError as error:
            if not any(
                isinstance(each, ssl.SSLCertVerificationError)
                for each in (error.__cause__, error.__context__, *error.args)
            ):
                raise _PassingError(f"broke the connection off: {_reason(error)}", "connection lost") from None
            raise SourceError(
                f"{about}: {self.address(request.url)} has a certificate that is not trusted: {_reason(error)}",
                code="untrusted_server",
                hint="check `base_url`, and the certificates that this machine trusts (SSL_CERT_FILE)",
            ) from None
        except exceptions.LocationParseError:
            raise SourceError(
                f"{about}: {self.address(request.url)} is no address",
                code="bad_address",
                hint="check `base_url` and `path`",
            ) from None
        except exceptions.NewConnectionError as error:
            raise _PassingError(f"cannot be reached: {_reason(error)}", "unreachable") from None
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError) as error:
            what = "connection" if isinstance(error, exceptions.ConnectTimeoutError) else "answer"
            raise _PassingError(f"gave no {what} in time", "timeout") from None
        except exceptions.DecodeError:
            raise _PassingError("gave an answer whose compression is damaged", "damaged") from None
        except (exceptions.HTTPError, OSError) as error:
            raise _PassingError(f"broke the connection off: {_reason(error)}", "connection lost") from None
        except ValueError:
            raise SourceError(
                f"{about}: a header or the address of a request has a character that must not stand there",
                code="bad_address",
                hint="check `headers`, `path` and the secrets: a line break at the end of one is enough",
            ) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(request.url, response.status, headers, body)
        if answer.status in TRANSIENT:
            after = retry_after(headers.get("retry-after"), self.clock)
            raise _PassingError(self._answered(answer), str(answer.status), after)
        return answer

    def _read(self, response: Any, began: float, url: str, about: str) -> bytes:  # noqa: ANN401 - of urllib3
        pieces, size = [], 0
        while piece := response.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST:
                raise SourceError(
                    f"{about}: {self.address(url)} gave more than {_LARGEST // 1024**2} MB in one answer",
                    code="answer_too_large",
                    hint="ask for smaller pages",
                )
            if self.clock.now() - began > self._timeouts.total:
                raise _PassingError("gave no whole answer in time", "timeout")
        return b"".join(pieces)

    def _answered(self, answer: Answer) -> str:
        said = self.said(answer)
        return f"answered {answer.status}" + (f": {said}" if said else "")

    def _given_up(self, request: Request, about: str, failure: _PassingError, tries: int, began: float) -> SourceError:
        text = f"{about}: {self.address(request.url)} {hidden(failure.said, self._secrets)}"
        spent = self.clock.now() - began
        text += f" ({tries} tr{'ies' if tries > 1 else 'y'} in {spent:.0f} s)"
        if failure.after:
            hint = f"the server asks to wait for {failure.after:.0f} s; try later, or raise `retries.seconds`"
        else:
            hint = "check that the server is up, and `base_url`; `retries` and `timeouts` say how long is tried"
        return SourceError(text, code="unreachable_api", hint=hint)

    def _pool(self, url: str) -> Any:  # noqa: ANN401 - of urllib3
        """Give the connections for an address: through the proxy that the environment names, where it names one."""
        from urllib3 import ProxyManager

        scheme, host, _ = origin(url)
        proxy = getproxies().get(scheme, "")
        if not proxy or proxy_bypass(host):
            return self._pools[""]
        if proxy not in self._pools:
            self._pools[proxy] = ProxyManager(proxy, **self._options)
        return self._pools[proxy]


def _message(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Find what is said in an error that is written in one of the usual ways."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        return _message(value[0])
    if isinstance(value, dict):
        for key in ("message", "error_description", "detail", "title", "error", "errors"):
            if found := _message(value.get(key)):
                return found
    return None


def _reason(error: BaseException) -> str:
    """Give the system's word for a failure, without what the library says around it."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = (
            inner.__cause__ or inner.__context__ or next((e for e in inner.args if isinstance(e, BaseException)), None)
        )
    return str(error).rpartition(": ")[2] or type(error).__name__
