"""Downloading a data set: consent, content in place, what is left alone. More: tests/e2e/test_data_download.py."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import picture
from dapt.data.catalog.base import CATALOG, Download, Manual
from dapt.data.catalog.fetch import fetch, offer
from dapt.errors import ConfigError, DataError
from helpers import fill
from web import Page, Web, serve

NAME = "dtd-for-fetch"


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as running:
        running.pages["/images.tar"] = Page(tar({"images/a/0.jpg": picture(), "images/b/0.jpg": picture()}))
        running.pages["/split.json"] = Page(json.dumps({"train": []}).encode())
        yield running


@pytest.fixture(autouse=True)
def known(web: Web, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small data set in the catalog, served from this machine."""
    sources = (
        Download("images", f"{web.address}/images.tar"),
        Download("split", f"{web.address}/split.json", unpack=False),
        Manual("masks", "Ask the authors."),
    )
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    CATALOG.add(NAME, replace(CATALOG.get("dtd"), name=NAME, sources=sources))
    yield
    CATALOG._values.pop(NAME)


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def get(root: Path, **changes: object) -> None:
    usual = {"yes": True, "masks": False, "only": [], "force": False, "dry_run": False, "keep_archives": False}
    fetch(NAME, str(root), **{**usual, **changes})  # type: ignore[arg-type]


def content(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_everything_in_place_and_nothing_else(tmp_path: Path, web: Web) -> None:
    get(tmp_path)
    names = ["dtd/.dapt-download.json", "dtd/images/a/0.jpg", "dtd/images/b/0.jpg", "dtd/split.json"]
    assert content(tmp_path) == names
    requests = len(web.asked("/images.tar"))
    get(tmp_path)  # all is there
    assert len(web.asked("/images.tar")) == requests
    get(tmp_path, force=True)
    assert len(web.asked("/images.tar")) > requests
    assert content(tmp_path) == names


def test_without_consent_nothing_is_downloaded(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal
    with pytest.raises(DataError, match=r"there is no terminal to ask in\.\nPass --yes"):
        get(tmp_path, yes=False)
    assert content(tmp_path) == []
    assert web.asked("/images.tar") == []


def test_a_dry_run_shows_and_stops(tmp_path: Path, web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    get(tmp_path, dry_run=True, yes=False)
    shown = capsys.readouterr().out
    assert f"from {web.address}/images.tar" in shown
    assert content(tmp_path) == []


def test_archives_are_kept_on_request(tmp_path: Path) -> None:
    get(tmp_path, keep_archives=True, only=["images"])
    assert "dtd/.downloads/images.tar" in content(tmp_path)


def test_what_is_fetched_by_hand(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Ask the authors"):
        get(tmp_path, only=["masks"])
    get(tmp_path, masks=True)  # a warning beside the rest
    assert "dtd/images/a/0.jpg" in content(tmp_path)


def test_what_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no part 'labels'"):
        get(tmp_path, only=["labels"])
    with pytest.raises(ConfigError, match="There is no data set"):
        fetch("no", str(tmp_path), yes=True, masks=False, only=[], force=False, dry_run=False, keep_archives=False)


def test_an_offer_is_for_what_is_missing_and_in_the_catalog(tmp_path: Path, web: Web) -> None:
    offer(str(tmp_path / "photos"), str(tmp_path), yes=True)
    fill(tmp_path / "dtd" / "images", "c/0.jpg")
    offer(NAME, str(tmp_path), yes=True)
    assert web.requests == []
    (tmp_path / "dtd" / "images" / "c" / "0.jpg").unlink()
    (tmp_path / "dtd" / "images" / "c").rmdir()
    offer(NAME, str(tmp_path), yes=True)
    assert (tmp_path / "dtd" / "images" / "a" / "0.jpg").is_file()
