"""Downloads from a server on this machine that breaks off, changes its mind and lies."""

from __future__ import annotations

import errno
import hashlib
import json
import random
from pathlib import Path

import pytest

from dapt.data.fetch import download as module
from dapt.data.fetch.download import ChecksumError, SourceError, checksum_of, discard, download, remote_size, show_bytes
from dapt.errors import DataError
from web import Page, Web, serve

CONTENT = random.Random(0).randbytes(3_000_000)
OTHER = random.Random(1).randbytes(3_000_000)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))
    with serve() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "file.zip"


def interrupt(web: Web, path: Path, page: Page, at: int = 1_000_000) -> None:
    """Leave the first `at` bytes of a page, as after a broken connection."""
    web.pages["/file.zip"] = page
    page.cuts = [at]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAUSES", ())
        with pytest.raises(SourceError, match="the connection ended after 1000000 of 3000000 bytes"):
            download(f"{web.address}/file.zip", path)
    assert not path.exists()
    assert (path.parent / "file.zip.part").read_bytes() == page.content[:at]
    web.requests.clear()


def test_plain(web: Web, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    web.pages["/file.zip"] = Page(CONTENT)
    expected = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    assert download(f"{web.address}/file.zip", path, checksum=expected).read_bytes() == CONTENT
    assert sorted(each.name for each in path.parent.iterdir()) == ["file.zip", "file.zip.from.json"]
    assert web.asked("/file.zip")[0]["User-Agent"].startswith("dapt/")
    download(f"{web.address}/file.zip", path, checksum=expected)  # it is there
    assert len(web.asked("/file.zip")) == 1
    assert checksum_of(path, "md5") == "md5:" + hashlib.md5(CONTENT).hexdigest()
    discard(path)
    assert list(path.parent.iterdir()) == []


def test_a_broken_transfer_is_gone_on_with_at_once(web: Web, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    web.pages["/file.zip"] = Page(CONTENT, etag='"a"', cuts=[1_000_000, 500_000, 500_000, 500_000])
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    ranges = [headers.get("Range") for headers in web.asked("/file.zip")]
    assert ranges == [None, "bytes=1000000-", "bytes=1500000-", "bytes=2000000-", "bytes=2500000-"]
    assert "ended after 2000000 of 3000000 bytes; trying again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("page", "validator"),
    [
        (Page(CONTENT, etag='"a"', modified="Mon, 01 Jan 2024 00:00:00 GMT"), '"a"'),
        (Page(CONTENT, etag='W/"a"', modified="Mon, 01 Jan 2024 00:00:00 GMT"), "Mon, 01 Jan 2024 00:00:00 GMT"),
        (Page(CONTENT), None),
    ],
)
def test_resumed_later(web: Web, path: Path, page: Page, validator: str | None) -> None:
    interrupt(web, path, page)
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    (headers,) = web.asked("/file.zip")
    assert headers["Range"] == "bytes=1000000-"
    assert headers.get("If-Range") == validator


def test_server_without_ranges(web: Web, path: Path) -> None:
    interrupt(web, path, Page(CONTENT, ranges=False))
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    assert web.asked("/file.zip")[0]["Range"] == "bytes=1000000-"


def test_server_without_ranges_that_always_breaks_off_ends(web: Web, path: Path) -> None:
    web.pages["/file.zip"] = Page(CONTENT, ranges=False, cuts=[1_000_000] * 50)
    with pytest.raises(SourceError, match="ended after 1000000 of 3000000"):
        download(f"{web.address}/file.zip", path)
    assert len(web.asked("/file.zip")) == 3  # no attempt brought more than the first


@pytest.mark.parametrize("etags", [('"a"', '"b"'), ("", "")])
def test_changed_file_is_not_glued(web: Web, path: Path, etags: tuple[str, str]) -> None:
    interrupt(web, path, Page(CONTENT, etag=etags[0]))
    web.pages["/file.zip"] = Page(OTHER if etags[0] else OTHER[:-1], etag=etags[1])  # without tags: another length
    assert download(f"{web.address}/file.zip", path).read_bytes() == web.pages["/file.zip"].content


def test_server_that_ignores_if_range_and_has_another_tag(web: Web, path: Path) -> None:
    interrupt(web, path, Page(CONTENT, etag='"a"'))
    state = path.parent / "file.zip.from.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "etag": 'W/"a"'}))  # so that no If-Range is sent
    web.pages["/file.zip"] = Page(OTHER, etag='"b"')
    assert download(f"{web.address}/file.zip", path).read_bytes() == OTHER
    assert [headers.get("Range") for headers in web.asked("/file.zip")] == ["bytes=1000000-", None]


def test_part_of_another_address_is_not_used(web: Web, path: Path) -> None:
    interrupt(web, path, Page(CONTENT))
    web.pages["/elsewhere.zip"] = Page(OTHER)
    assert download(f"{web.address}/elsewhere.zip", path).read_bytes() == OTHER
    assert "Range" not in web.asked("/elsewhere.zip")[0]
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT  # nor is a finished one


@pytest.mark.parametrize("damage", ["", "{", '{"url": 1, "more": 2}'])
def test_part_of_unknown_origin_is_not_used(web: Web, path: Path, damage: str) -> None:
    interrupt(web, path, Page(CONTENT))
    (path.parent / "file.zip.from.json").write_text(damage)
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    assert "Range" not in web.asked("/file.zip")[0]


def test_complete_part_is_only_renamed(web: Web, path: Path) -> None:
    interrupt(web, path, Page(CONTENT))
    (path.parent / "file.zip.part").write_bytes(CONTENT)
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    assert web.asked("/file.zip") == []


@pytest.mark.parametrize("content", [CONTENT[:1_000_000], OTHER[:900_000]])
def test_status_416(web: Web, path: Path, content: bytes) -> None:
    """A server that gives no length, asked to go on at what may be the end."""
    interrupt(web, path, Page(CONTENT))
    state = path.parent / "file.zip.from.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "total": None}))
    web.pages["/file.zip"] = Page(content)
    assert download(f"{web.address}/file.zip", path).read_bytes() == content
    assert len(web.asked("/file.zip")) == (1 if len(content) == 1_000_000 else 2)


def test_no_length(web: Web, path: Path) -> None:
    web.pages["/file.zip"] = Page(CONTENT, chunked=True)
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT


def test_wrong_checksum(web: Web, path: Path) -> None:
    web.pages["/file.zip"] = Page(CONTENT)
    expected = "md5:" + "0" * 32
    with pytest.raises(ChecksumError) as caught:
        download(f"{web.address}/file.zip", path, checksum=expected)
    assert not isinstance(caught.value, SourceError)
    assert expected in caught.value.message
    assert hashlib.md5(CONTENT).hexdigest() in caught.value.message
    assert [each.name for each in path.parent.iterdir()] == ["file.zip.bad"]


@pytest.mark.parametrize(
    ("status", "message", "attempts"),
    [(404, "There is no file at", 1), (403, "The server refuses", 1), (410, "no file", 1), (500, "answers 500", 3)],
)
def test_error_statuses(web: Web, path: Path, status: int, message: str, attempts: int) -> None:
    web.pages["/file.zip"] = Page(b"error", status=status)
    with pytest.raises(SourceError, match=message) as caught:
        download(f"{web.address}/file.zip", path)
    assert f"{web.address}/file.zip" in caught.value.message
    assert str(status) in caught.value.message
    assert len(web.asked("/file.zip")) == attempts
    assert list(path.parent.iterdir()) == []


def test_nobody_answers(path: Path) -> None:
    with serve() as web:
        gone = f"{web.address}/file.zip"
    assert remote_size(gone) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAUSES", (0.0,))
        with pytest.raises(SourceError, match=r"file\.zip could not be downloaded: the server cannot be reached"):
            download(gone, path)
    with pytest.raises(SourceError, match="not a web address"):
        download("file:///etc/passwd", path)


@pytest.mark.parametrize(
    "page",
    [
        Page(b"<!DOCTYPE html><title>Quota exceeded</title>"),
        Page(b"\n <html lang='en'>", kind="application/zip"),
        Page(b"Sorry", kind="text/html; charset=utf-8"),
    ],
)
def test_web_page_instead_of_the_file(web: Web, path: Path, page: Page) -> None:
    web.pages["/file.zip"] = page
    with pytest.raises(SourceError, match=r"web page instead of file\.zip"):
        download(f"{web.address}/file.zip", path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("page", [Page(b""), Page(b"", chunked=True)])
def test_nothing_instead_of_the_file(web: Web, path: Path, page: Page) -> None:
    web.pages["/file.zip"] = page
    with pytest.raises(SourceError, match=r"answers with nothing \(0 bytes\) instead of file\.zip"):
        download(f"{web.address}/file.zip", path)
    assert list(path.parent.iterdir()) == []
    path.write_bytes(b"")  # as earlier versions left it
    (path.parent / "file.zip.from.json").write_text(json.dumps({"url": f"{web.address}/file.zip", "total": 0}))
    web.pages["/file.zip"] = Page(CONTENT)
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT


def test_redirects_are_followed(web: Web, path: Path) -> None:
    web.pages["/real.zip"] = Page(CONTENT)
    for status in (301, 302, 307, 308):
        web.pages["/file.zip"] = Page(status=status, headers={"Location": f"{web.address}/real.zip"})
        discard(path)
        assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
        assert remote_size(f"{web.address}/file.zip") == 3_000_000


def test_full_disk_keeps_what_has_arrived(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages["/file.zip"] = Page(CONTENT, etag='"a"')
    write = module._write

    def full(file, chunk: bytes) -> None:
        if file.tell() > 1_000_000:
            write(file, chunk[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", full)
        with pytest.raises(DataError, match=r"The disk is full.*\n.*--root.*goes on from there") as caught:
            download(f"{web.address}/file.zip", path)
    assert not isinstance(caught.value, SourceError)
    arrived = (path.parent / "file.zip.part").read_bytes()
    assert len(arrived) > 1_000_000
    assert arrived == CONTENT[: len(arrived)]
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    assert web.asked("/file.zip")[-1]["Range"] == f"bytes={len(arrived)}-"


def test_too_little_space_is_refused_before_anything_is_written(
    web: Web, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages["/file.zip"] = Page(CONTENT)
    monkeypatch.setattr(module, "free_space", lambda folder: 1000)
    with pytest.raises(DataError, match=r"needs 3\.0 MB more, the disk has 1\.0 kB left"):
        download(f"{web.address}/file.zip", path)
    assert list(path.parent.iterdir()) == []


def test_an_interrupt_keeps_what_has_arrived(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages["/file.zip"] = Page(CONTENT, etag='"a"')
    read, calls = module._read, []

    def interrupted(response) -> bytes:
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return read(response)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            download(f"{web.address}/file.zip", path)
    assert (path.parent / "file.zip.part").read_bytes() == CONTENT[: 19 * module.CHUNK]
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
    assert web.asked("/file.zip")[-1]["Range"] == f"bytes={19 * module.CHUNK}-"


def test_remote_size(web: Web) -> None:
    web.pages["/a"] = Page(CONTENT)
    web.pages["/b"] = Page(CONTENT, head=405)
    web.pages["/c"] = Page(b"a page", kind="text/html")
    web.pages["/d"] = Page(CONTENT, chunked=True)
    assert [remote_size(f"{web.address}/{name}") for name in "abcd"] == [3_000_000, None, None, None]
    with pytest.raises(SourceError, match="no file"):
        remote_size(f"{web.address}/e")


def test_sizes_for_people() -> None:
    assert [show_bytes(count) for count in (12, 1500, 2_500_000, 5_000_000_000, 7 * 10**12)] == [
        "12 bytes",
        "1.5 kB",
        "2.5 MB",
        "5.0 GB",
        "7000.0 GB",
    ]


def test_a_download_of_unsaid_length_does_not_fill_the_disk(web: Web, path: Path, monkeypatch) -> None:
    web.pages["/file.zip"] = Page(CONTENT, chunked=True)
    monkeypatch.setattr(module, "free_space", lambda folder: 1e9)
    with pytest.raises(
        DataError, match=r"does not say how large file.zip is; 1.0 MB have come, and the disk has 1.0 GB"
    ):
        download(f"{web.address}/file.zip", path)
    assert not path.exists()
    monkeypatch.setattr(module, "free_space", lambda folder: 1.1e9)
    assert download(f"{web.address}/file.zip", path).read_bytes() == CONTENT
