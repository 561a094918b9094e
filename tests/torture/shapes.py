"""A data set that a server on this machine offers, for `dapt data download`."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import zipfile

from web import Page

NAME = "shapes_on_the_web"
SPLIT = b'{"train": [], "val": [], "test": []}'


def _files(kind: str, ending: str) -> dict[str, bytes]:
    """Content that does not shrink, so that it arrives in several pieces."""
    return {f"{kind}/{name}/1.{ending}": random.Random(name + kind).randbytes(70_000) for name in ("disc", "ring")}


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


IMAGES = _zipped(_files("images", "jpg"))
MASKS = _tarred(_files("masks", "png"))


def pages() -> dict[str, Page]:
    """What the server has."""
    return {
        "/images.zip": Page(IMAGES, etag='"i"'),
        "/masks.tar": Page(MASKS, etag='"m"'),
        "/split": Page(SPLIT, kind="text/plain"),
    }


def offer(address: str) -> None:
    """Put the data set into this process's catalog."""
    from dapt.data import download
    from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout, Reader

    class NoReader(Reader):
        rule = "not divided"

        def read(self, *_: object) -> object:
            raise AssertionError("a download reads nothing")

    download.PAUSES = (0.0,)
    dataset = Dataset(
        name=NAME,
        title="Shapes on the web",
        paper="none",
        homepage="https://shapes.example",
        licence="CC0 1.0",
        size_mb=1,
        classes=2,
        counts={"train": 1, "val": 0, "test": 1},
        layouts=(Layout("coop", "shapes", "images"),),
        reader=NoReader(),
        sources=(
            Download("images", f"{address}/images.zip", checksum="sha256:" + hashlib.sha256(IMAGES).hexdigest()),
            Download("split", f"{address}/split?id=7", name="split.json", unpack=False),
            Download("masks", f"{address}/masks.tar", size=len(MASKS)),
        ),
    )
    CATALOG.add(NAME, dataset, overwrite=True)
