"""What a child calls before a command: a server offers a data set to `dapt data download`; parts are small."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import tarfile
import zipfile
from typing import Any

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


REPOSITORY = "o/shapes"


def pages() -> dict[str, Page]:
    """What the server has, on pages of its own and in the repository of a hub."""
    found = {
        "/images.zip": Page(IMAGES, etag='"i"'),
        "/masks.tar": Page(MASKS, etag='"m"'),
        "/split": Page(SPLIT, kind="text/plain"),
    }
    entries: list[dict[str, object]] = []
    for path, content in {"images.zip": IMAGES, "masks.tar": MASKS, "split.json": SPLIT}.items():
        digest = hashlib.sha256(content).hexdigest()
        size = len(content)
        large = {"lfs": {"oid": digest, "size": size, "pointerSize": 134}} if path != "split.json" else {}
        entries.append({"type": "file", "path": path, "oid": "0" * 40, "size": size, **large})
        headers = {"X-Repo-Commit": "0123456789abcdef0123456789abcdef01234567"}
        found[f"/datasets/{REPOSITORY}/resolve/main/{path}"] = Page(content, etag=f'"{digest}"', headers=headers)
    listing = json.dumps(entries).encode()
    found[f"/api/datasets/{REPOSITORY}/tree/main"] = Page(listing, kind="application/json")
    return found


def offer(address: str) -> None:
    """Put the data set into this process's catalog, to be had from plain addresses."""
    from dapt.data.catalog.base import Download
    from dapt.data.fetch import download

    download.PAUSES = (0.0,)
    _add(
        Download("images", f"{address}/images.zip", checksum="sha256:" + hashlib.sha256(IMAGES).hexdigest()),
        Download("split", f"{address}/split?id=7", name="split.json", unpack=False),
        Download("masks", f"{address}/masks.tar", size=len(MASKS)),
    )


def offer_by_hub(address: str) -> None:
    """The same, to be had from a repository of the hub."""
    from huggingface_hub import constants

    from dapt.data.catalog.base import HubFiles

    os.environ["HF_ENDPOINT"] = address
    constants.HF_HUB_OFFLINE = False
    _add(
        HubFiles("images", REPOSITORY, "^(images|split)", to="shapes"),
        HubFiles("masks", REPOSITORY, "^masks", to="shapes"),
    )


def _add(*sources: Any) -> None:
    from dapt.data.catalog.base import CATALOG, Dataset, Layout, Reader

    class NoReader(Reader):
        rule = "not divided"

        def read(self, *_: object) -> Any:
            raise AssertionError("a download reads nothing")

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
        sources=sources,
    )
    CATALOG.add(NAME, dataset, overwrite=True)


def in_small_parts(web: str) -> None:
    """Not of the server: lets `dapt features` keep parts of eight images."""
    from dapt.runs import write_features

    write_features.PART = 8
