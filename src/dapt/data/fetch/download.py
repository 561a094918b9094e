"""One file over HTTP: resumed where it broke off, checked, and never a web page in place of an archive."""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.message import Message
from io import FileIO
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError

from dapt.console import progress, say
from dapt.environment import version
from dapt.errors import DaptError, DataError
from dapt.files import write_json
from dapt.limits import DOWNLOAD_LEFT

TIMEOUT = 30.0  # seconds without an answer or without data
PAUSES = (1.0, 3.0, 9.0)  # seconds before each new attempt that follows one which brought nothing
CHUNK = 2**16
MIB = 2**20
BUSY = (429, 500, 502, 503, 504)  # statuses that may pass
AGAIN = "What has arrived is kept: run the same command again and it goes on from there."


class SourceError(DataError):
    """An address gives nothing: no answer, a refusal, or a page instead of the file. Another source may help."""


class ChecksumError(DataError):
    """What arrived is not the file that was announced."""


class _BrokenError(Exception):
    """The connection failed or ended early; a new attempt may do better."""


@dataclass(frozen=True)
class _Origin:
    """What is remembered beside a file about where it came from.

    Attributes:
        url: the address. etag, modified: the server's validators, empty if it sent none. total: bytes, None if unsaid.
    """

    url: str
    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """A value for ``If-Range``; weak tags do not qualify (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def download(url: str, path: Path, *, checksum: str = "") -> Path:
    """Fetch `url` to `path`, whole or not at all.

    Meanwhile the bytes are in ``<path>.part``, which the next call goes on with unless the file on the server has
    changed. A file that an earlier call finished from the same address is used as it is.

    Args:
        url: an http or https address. path: the file. checksum: ``md5:...`` or ``sha256:...``, empty if unknown.

    Raises:
        SourceError: the address gives nothing, or the connection failed several times.
        ChecksumError: the checksum is wrong; the file is kept as ``<path>.bad``. DataError: the disk is full.
    """
    part = beside(path, ".part")
    origin = _origin(path)
    if not (_size(path) and origin and origin.url == url and origin.total in (None, path.stat().st_size)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        _fetch(url, path, part)
    if checksum:
        _verify(path, checksum, url)
    return path


def discard(path: Path) -> None:
    """Remove a downloaded file, finished or not, and what is remembered about it."""
    for name in (path, beside(path, ".part"), beside(path, ".from.json")):
        name.unlink(missing_ok=True)


def beside(path: Path, suffix: str) -> Path:
    """The file next to `path` whose name has `suffix` appended."""
    return path.with_name(path.name + suffix)


def remote_size(url: str) -> int | None:
    """The bytes at an address, by a HEAD request; None where the server does not tell, or does not answer.

    Raises:
        SourceError: the server says that there is nothing at the address.
    """
    try:
        with _opener().open(_request(url, method="HEAD"), timeout=TIMEOUT) as response:
            return None if "html" in response.headers.get_content_type() else _length(response.headers)
    except HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise _status_error(url, error) from error
        return None  # some servers refuse HEAD and answer GET
    except (URLError, http.client.HTTPException, OSError):
        return None  # the download itself will say why


def free_space(folder: Path) -> int:
    """Free bytes of the file system on which `folder` is, or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def show_bytes(count: int) -> str:
    """A size for people, in decimal units: ``1.3 GB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def checksum_of(path: Path, kind: str = "sha256") -> str:
    """``<kind>:<hexadecimal digest>`` of a file; kind: md5 or sha256."""
    digest = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(MIB):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def _verify(path: Path, expected: str, url: str) -> None:
    found = checksum_of(path, expected.partition(":")[0])
    if found != expected.lower():
        bad = beside(path, ".bad")
        path.replace(bad)
        discard(path)
        raise ChecksumError(
            f"{path.name} is not the file that was expected: its checksum is {found}, it should be {expected}.",
            where=url,
            todo=f"It was set aside as {bad}. Download it again; if the sums differ again, the file was changed there.",
        )


def _fetch(url: str, path: Path, part: Path) -> None:
    most, failures = _size(part), 0
    while True:
        try:
            _attempt(url, path, part)
            break
        except _BrokenError as error:
            if _size(part) > most:
                most, failures = _size(part), 0
            if failures == len(PAUSES):
                todo = AGAIN if _size(part) else "Is this machine online? Run the same command again later."
                raise SourceError(f"{path.name} could not be downloaded: {error}.", where=url, todo=todo) from error
            say(f"{path.name}: {error}; trying again")
            time.sleep(PAUSES[failures])
            failures += 1
    part.replace(path)


def _attempt(url: str, path: Path, part: Path) -> None:
    """One request, which brings the part file to its end.

    Raises:
        _BrokenError: it did not, but the next may. SourceError, DataError: see `download`.
    """
    kept, have = _origin(path), _size(part)
    if kept is None or kept.url != url or have > (kept.total or have):
        part.unlink(missing_ok=True)
        kept, have = None, 0
    if kept and have and have == kept.total:  # only the renaming was left
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    if kept and have and kept.validator:
        headers["If-Range"] = kept.validator
    try:
        response = _open(url, headers)
    except HTTPError as error:  # 416: what we have is all there is, or no part of it
        error.close()
        if kept and have and _content_range(error.headers)[1] == have and _same(kept, error.headers):
            return
        part.unlink(missing_ok=True)
        raise _BrokenError("the server has other content than before") from error
    with response:
        origin = _Origin(url, *_validators(response.headers), _length(response.headers))
        if response.status == 206:
            start, total = _content_range(response.headers)
            if not kept or start != have or total is None or total != (kept.total or total) or not _same(kept, origin):
                part.unlink(missing_ok=True)
                raise _BrokenError("the server has other content than before")
            origin = _Origin(url, kept.etag, kept.modified, total)
        else:
            have = 0
        _check_space(part, origin.total, have)
        first = _read(response)
        if not have:
            _refuse_page(url, path.name, response.headers, first)
            if not (first or origin.total):
                raise SourceError(f"The server answers with nothing (0 bytes) instead of {path.name}.", where=url)
        _receive(response, first, path, part, origin, have)
    if origin.total is not None and _size(part) < origin.total:
        raise _BrokenError(f"the connection ended after {_size(part)} of {origin.total} bytes")


def _receive(response: Any, first: bytes, path: Path, part: Path, origin: _Origin, have: int) -> None:
    """Write what the server sends; whatever happens, the part file then holds what has arrived."""
    if not have:
        part.unlink(missing_ok=True)  # before its origin is forgotten
    write_json(beside(path, ".from.json"), asdict(origin))
    left = -(-(origin.total - have) // MIB) if origin.total else 0
    label = path.name + (f" (from {show_bytes(have)})" if have else "")
    with FileIO(part, "ab") as file:
        for _ in progress(_copy(response, first, file), left, label, unit="MiB"):
            if origin.total is None:
                _check_left(part)
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise _disk_error(error, part) from error


def _copy(response: Any, chunk: bytes, file: FileIO) -> Iterator[None]:
    """Copy to the end of the response; yields once per MiB, and for the rest."""
    pending = 0
    while chunk:
        try:
            _write(file, chunk)
        except OSError as error:
            raise _disk_error(error, Path(str(file.name))) from error
        pending += len(chunk)
        if pending >= MIB:
            pending -= MIB
            yield
        chunk = _read(response)
    if pending:
        yield


def _write(file: FileIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[file.write(view) :]


def _read(response: Any) -> bytes:
    try:
        return bytes(response.read(CHUNK))
    except (http.client.HTTPException, OSError) as error:
        raise _BrokenError(f"the connection broke: {_reason(error)}") from error


def _disk_error(error: OSError, part: Path) -> DaptError:
    full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    what = f"The disk is full: {part} cannot grow" if full else f"{part} cannot be written: {error.strerror or error}"
    return DataError(f"{what}.", todo=f"Free some space, or choose another disk with --root. {AGAIN}")


def _check_space(part: Path, total: int | None, have: int) -> None:
    free = free_space(part.parent)
    if total is not None and total - have > free:
        raise DataError(
            f"{part.name} needs {show_bytes(total - have)} more, the disk has {show_bytes(free)} left.",
            where=str(part.parent),
            todo="Free some space, or choose another disk with --root.",
        )


def _check_left(part: Path) -> None:
    """Whether a download of unsaid length may go on: it must not fill the disk."""
    free = free_space(part.parent)
    if free < DOWNLOAD_LEFT:
        raise DataError(
            f"The server does not say how large {part.name.removesuffix('.part')} is; {show_bytes(_size(part))} have "
            f"come, and the disk has {show_bytes(free)} left.",
            where=str(part.parent),
            todo=f"Free some space, or choose another disk with --root. {AGAIN}",
        )


def _refuse_page(url: str, name: str, headers: Message, first: bytes) -> None:
    """Dead links and download limits often answer with a page and status 200."""
    start = first.lstrip(b"\xef\xbb\xbf \r\n\t")[:64].lower()
    looks = start.startswith((b"<!doctype html", b"<html", b"<head"))
    if looks or ("html" in headers.get_content_type() and not name.endswith((".txt", ".json", ".csv"))):
        raise SourceError(
            f"The server answers with a web page instead of {name}.",
            where=url,
            todo="The link is dead, needs a login, or has reached its limit for today. Open it in a browser to see.",
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows 308 too, which Python 3.10 does not."""

    def http_error_308(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any) -> Any:
        return self.http_error_307(req, fp, 307, msg, headers)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects)


def _request(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> urllib.request.Request:
    if not url.startswith(("http://", "https://")):
        raise SourceError(f"'{url}' is not a web address.", todo="Addresses begin with http:// or https://.")
    general = {"User-Agent": f"dapt/{version()}", "Accept-Encoding": "identity"}
    return urllib.request.Request(url, headers={**general, **(headers or {})}, method=method)


def _open(url: str, headers: dict[str, str]) -> Any:
    """The response, if there is content in it; `HTTPError` is passed on for status 416 only."""
    try:
        return _opener().open(_request(url, headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code == 416:
            raise
        error.close()
        if error.code in BUSY:
            raise _BrokenError(f"the server answers {error.code} {error.reason}") from error
        raise _status_error(url, error) from error
    except (URLError, http.client.HTTPException, OSError) as error:
        raise _BrokenError(f"the server cannot be reached: {_reason(error)}") from error


def _status_error(url: str, error: HTTPError) -> SourceError:
    if error.code in (404, 410):
        return SourceError(f"There is no file at {url} (status {error.code}).", todo="The link is dead, or has moved.")
    todo = "It may want a login, or limit downloads: try later, or open the address in a browser."
    return SourceError(f"The server refuses {url}: {error.code} {error.reason}.", todo=todo)


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason) or type(error).__name__


def _origin(path: Path) -> _Origin | None:
    """What is remembered about a file; None if nothing, or nothing legible."""
    try:
        return _Origin(**json.loads(beside(path, ".from.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _same(kept: _Origin, found: _Origin | Message) -> bool:
    """Whether validators, where both sides have them, agree."""
    etag, modified = (found.etag, found.modified) if isinstance(found, _Origin) else _validators(found)
    return etag == kept.etag if etag and kept.etag else modified == kept.modified or not (modified and kept.modified)


def _validators(headers: Message) -> tuple[str, str]:
    return headers.get("ETag", ""), headers.get("Last-Modified", "")


def _length(headers: Message) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _content_range(headers: Message) -> tuple[int | None, int | None]:
    """First byte and total of ``Content-Range``, as far as they are said."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", headers.get("Content-Range", "").strip())
    if match is None:
        return None, None
    start, total = match.groups()
    return int(start) if start else None, int(total) if total != "*" else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
