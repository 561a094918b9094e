"""A small stand-in of the Hugging Face hub: it keeps the files of commits, and gives them out again."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SHA = "0" * 40


class StandIn(ThreadingHTTPServer):
    """The server.

    Attributes:
        repositories: by name, their files. refuse: answers every call with this status, if it is set. asked: paths.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.refuse = 0
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        """Of the stand-in, for ``HF_ENDPOINT``."""
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    """What the hub answers to the calls of huggingface_hub that upload and fetch a model."""

    server: StandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        if self.server.refuse:
            return self._send(self.server.refuse, {"error": "refused", "url": f"{self.server.address}/me/birds"})
        if path == "/api/validate-yaml":
            return self._send(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            given = json.loads(body)
            name = f"{given['organization']}/{given['name']}" if given.get("organization") else given["name"]
            self.server.repositories.setdefault(name, {})
            return self._send(200, {"url": f"{self.server.address}/{name}"})
        parts = path.strip("/").split("/")
        name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
        files = self.server.repositories.get(name)
        if files is None:
            return self._send(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        if parts[0] != "api":
            return self._file(files, "/".join(parts[4:]))
        return self._of_repository(name, files, parts[4:], body)

    def _of_repository(self, name: str, files: dict[str, bytes], what: list[str], body: bytes) -> None:
        if what[:1] == ["preupload"]:
            modes = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return self._send(200, {"files": modes})
        if what[:1] == ["commit"]:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            return self._send(200, {"commitUrl": f"{self.server.address}/{name}/commit/{SHA}", "commitOid": SHA})
        if what[:1] == ["tree"]:
            tree = [
                {"type": "file", "path": path, "size": len(content), "oid": _digest(content)}
                for path, content in files.items()
            ]
            return self._send(200, tree)
        siblings = [{"rfilename": path} for path in files]
        return self._send(200, {"id": name, "sha": SHA, "siblings": siblings, "private": False, "tags": []})

    def _file(self, files: dict[str, bytes], name: str) -> None:
        if name not in files:
            return self._send(404, {"error": "no such file"}, {"X-Error-Code": "EntryNotFound"})
        headers = {"X-Repo-Commit": SHA, "ETag": f'"{_digest(files[name])}"', "Accept-Ranges": "bytes"}
        return self._send(200, files[name], headers)

    def _send(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        for key, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """The stand-in, answering."""
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
