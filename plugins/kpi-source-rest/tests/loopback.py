"""An HTTP server on this machine that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit


class Asked:
    """One request that arrived."""

    def __init__(self, handler, body):
        self.method, self.body = handler.command, body
        parts = urlsplit(handler.path)
        self.path, self.query = parts.path, {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.headers = {name.lower(): value for name, value in handler.headers.items()}


class Reply:
    """What the server answers: a value as JSON, or bytes as they are; `cut` sends half of them, `hang` none."""

    def __init__(self, value=None, status=200, headers=None, *, raw=None, cut=False, hang=False, reset=False):
        self.status, self.headers = status, {"Content-Type": "application/json", **(headers or {})}
        self.body = json.dumps(value).encode() if raw is None else raw
        self.cut, self.hang, self.reset = cut, hang, reset


class Loopback:
    """The server. `answer` is a function of what is asked, or a list of replies in order."""

    def __init__(self):
        self.asked, self.answer, self.over = [], [], Event()
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self, body)
                loopback.asked.append(asked)
                loopback.send(self, loopback.reply(asked))

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *args):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reply(self, asked):
        made = self.answer(asked) if callable(self.answer) else self.answer[len(self.asked) - 1]
        return made if isinstance(made, Reply) else Reply(made)

    def send(self, handler, reply):
        if reply.hang:
            self.over.wait(10)
        if reply.hang or reply.reset:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        if reply.cut:
            handler.close_connection = True
