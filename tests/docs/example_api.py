"""A small shop with an API, for the page that fetches from one: it runs on this machine, and changes as the page says."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PLUGIN = Path(__file__).parents[2] / "plugins" / "kpi-source-rest"
TOKEN = "the token of the example"  # noqa: S105


def _orders() -> list[dict[str, Any]]:
    return [
        {"id": 1, "updated_at": "2026-01-05T09:00:00Z", "amount": 20.0, "customer": {"country": "FR"}},
        {"id": 2, "updated_at": "2026-01-20T10:00:00Z", "amount": 35.5, "customer": {"country": "DE"}},
        {"id": 3, "updated_at": "2026-02-10T10:00:00Z", "amount": 50.0, "customer": {"country": "DE"}},
    ]


@dataclass
class Shop:
    """The orders of the shop, what it was asked, and what it answers instead of them."""

    orders: list[dict[str, Any]] = field(default_factory=_orders)
    asked: list[dict[str, str]] = field(default_factory=list)
    busy: int = 0
    refusal: str = ""

    def __post_init__(self) -> None:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
                status, value = shop.answer(query, self.headers.get("Authorization", ""))
                body = json.dumps(value).encode()
                self.send_response(status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Retry-After": "0"}
                for name, text in headers.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Shop:
        """Open the shop, and let the project of the page use the plugin as if it were installed."""
        self._thread.start()
        os.environ["SHOP_TOKEN"] = TOKEN
        sys.path.insert(0, str(PLUGIN))
        Path("plugins").mkdir()
        Path("plugins/installed.py").write_text("from kpi_source_rest import sources\n", encoding="utf-8")
        return self

    def stop(self) -> None:
        """Close it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        sys.path.remove(str(PLUGIN))
        del os.environ["SHOP_TOKEN"]

    def move_here(self) -> None:
        """Let the project ask this machine in place of the address on the page."""
        file = Path("kpi.yaml")
        text = file.read_text(encoding="utf-8")
        assert "https://api.shop.example" in text
        file.write_text(text.replace("https://api.shop.example", self.url), encoding="utf-8")

    def change(self, number: int, **values: object) -> None:
        """Change an order."""
        next(each for each in self.orders if each["id"] == number).update(values)

    def answer(self, query: dict[str, str], authorisation: str) -> tuple[int, object]:
        """Answer a request for orders."""
        self.asked.append(query)
        if self.busy:
            self.busy -= 1
            return 503, {"message": "too busy"}
        if self.refusal or authorisation != f"Bearer {TOKEN}":
            return 401, {"message": self.refusal or "who are you?"}
        found = [each for each in self.orders if each["updated_at"] >= query.get("updated_since", "")]
        start, size = int(query.get("cursor", 0)), int(query["limit"])
        following = {"next": str(start + size)} if start + size < len(found) else {}
        return 200, {"data": found[start : start + size], **following}
