"""A web server on this machine whose answers tests choose."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Page:
    """One address. `cuts`: after how many bytes the next answers to GET break off. `chunked`: no length is sent."""

    content: bytes = b""
    status: int = 200
    kind: str = "application/octet-stream"
    etag: str = ""
    modified: str = ""
    ranges: bool = True
    head: int = 200
    chunked: bool = False
    cuts: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Web:
    """The pages by path, and the requests that came: method, path, headers."""

    address: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def asked(self, path: str, method: str = "GET") -> list[dict[str, str]]:
        """The headers of the requests for a path, in order."""
        return [headers for how, what, headers in self.requests if how == method and what == path]


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing on standard error."""

    def do_HEAD(self) -> None:
        page = self._page()
        self._answer(page, page.head if page.status == 200 else page.status, page.content, {})

    def do_GET(self) -> None:
        page = self._page()
        status, body, extra = page.status, page.content, {}
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match and page.ranges and self.headers.get("If-Range", page.etag) in (page.etag, page.modified):
            start = int(match[1])
            extra["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            status, body = 206, body[start:]
            if not body:
                status, extra["Content-Range"] = 416, f"bytes */{len(page.content)}"
        self._answer(page, status, body, extra)
        cut = page.cuts.pop(0) if page.cuts else len(body)
        with suppress(ConnectionError):  # the other side had enough
            self.wfile.write(body[:cut])
        self.close_connection = True

    def _page(self) -> Page:
        path = urlsplit(self.path).path
        self.web.requests.append((self.command, path, dict(self.headers)))
        return self.web.pages.get(path, Page(b"nothing here", status=404, kind="text/plain"))

    def _answer(self, page: Page, status: int, body: bytes, extra: dict[str, str]) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": page.kind,
            "ETag": page.etag,
            "Last-Modified": page.modified,
            **extra,
            **page.headers,
        }
        if not page.chunked:
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()


@contextmanager
def serve() -> Iterator[Web]:
    """A running server."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.web = Web(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield handler.web
    finally:
        server.shutdown()
        server.server_close()
