"""The check at the start of training: images that are equal byte for byte."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from checked_data import items, scene

from dapt.data.check.quick import quick_check
from dapt.data.items import Item


def splits(root: Path, **contents: list[bytes]) -> dict[str, tuple[Item, ...]]:
    found = {}
    for split, parts in contents.items():
        names = [f"{split}{n}" for n in range(len(parts))]
        for name, content in zip(names, parts, strict=True):
            (root / name).write_bytes(content)
        found[split] = items(*((name, 0) for name in names), root=root)
    return found


def png(seed: int) -> bytes:
    file = io.BytesIO()
    scene(seed, (20, 20)).save(file, format="PNG")
    return file.getvalue()


A, B, C = png(1), png(2), png(3)


def test_leaks(tmp_path: Path) -> None:
    found = quick_check(splits(tmp_path, train=[A, B], test=[B, C]), ("cat",), official=False)
    assert found.leaks == ("test0",)
    assert {one.kind for one in found.findings} == {"leak"}


def test_notes_are_left_out(tmp_path: Path) -> None:
    found = quick_check(splits(tmp_path, train=[A, A], test=[C]), ("cat",), official=False)
    assert found.findings == ()
    assert found.leaks == ()


def test_equal_files_that_are_no_images_are_damage(tmp_path: Path) -> None:
    for content in (b"<html>404</html>", A[:60], b""):
        found = quick_check(splits(tmp_path, train=[content, A], test=[content, B]), ("cat",), official=False)
        assert found.findings == ()


@pytest.mark.long
def test_twenty_thousand_files_take_no_time_worth_mention(tmp_path: Path) -> None:
    parts = {
        split: [b"%d" % n + b"x" * (n % 5000) for n in range(start, start + 10_000)]
        for split, start in (("train", 0), ("test", 10_000))
    }
    made = splits(tmp_path, **parts)
    start = time.perf_counter()
    assert quick_check(made, ("cat",), official=False).leaks == ()
    assert time.perf_counter() - start < 10
