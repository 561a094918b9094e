"""Going on with a finished folder opens no image again, and asks once for the state of each."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.runs.seen_images import seen_images
from dapt.runs.write_masks import write_masks


@pytest.fixture
def data(photos: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(photos, tmp_path / "data"))


def test_images_that_did_not_change_are_known(data: Path, tmp_path: Path) -> None:
    out, items = tmp_path / "out", load_data(str(data)).chosen("all")
    assert seen_images(out, items) == {}
    write_masks(str(data), out, source="random")
    assert seen_images(out, items).keys() == {item.name for item in items}
    items[0].path.write_bytes(items[1].path.read_bytes() + b" ")
    items[2].path.unlink()
    assert seen_images(out, items).keys() == {item.name for item in items} - {items[0].name, items[2].name}
    (out / "masks.json").write_text("{")
    assert seen_images(out, items) == {}


def test_a_second_call_asks_once_for_each_image_and_opens_none(data: Path, tmp_path: Path, monkeypatch) -> None:
    write_masks(str(data), tmp_path / "out", source="random")
    asked: Counter[str] = Counter()
    read, ask = os.open, os.stat

    def counted(kind: str, call):  # type: ignore[no-untyped-def]
        def inner(path, *rest, **more):  # type: ignore[no-untyped-def]
            if str(path).startswith(str(data)) and str(path).endswith(".png"):
                asked[f"{kind} {path}"] += 1
            return call(path, *rest, **more)

        return inner

    monkeypatch.setattr(os, "open", counted("open", read))
    monkeypatch.setattr(os, "stat", counted("stat", ask))
    found = write_masks(str(data), tmp_path / "out", source="random")
    monkeypatch.undo()
    opened = {key.removeprefix("open ") for key in asked if key.startswith("open ")}
    assert len(opened) <= 4, "one of each class is looked at, by which photos are told from masks"
    others = {key: count for key, count in asked.items() if key.split(" ", 1)[1] not in opened}
    assert found["images"] == 32 == len(others) + len(opened)
    assert set(others.values()) == {1}


def test_an_image_that_was_damaged_since_is_found(data: Path, tmp_path: Path) -> None:
    write_masks(str(data), tmp_path / "out", source="random")
    path = load_data(str(data)).chosen("all")[0].path
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match="is damaged or not an image"):
        write_masks(str(data), tmp_path / "out", source="random")
    assert write_masks(str(data), tmp_path / "out", source="random", skip_bad=True)["images"] == 31
