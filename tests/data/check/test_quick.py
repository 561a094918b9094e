"""The check at the start of training: equal files only, and no image is decoded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from checked_data import items

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


def test_leaks(tmp_path: Path) -> None:
    found = quick_check(splits(tmp_path, train=[b"a", b"b"], test=[b"b", b"c"]), ("cat",), official=False)
    assert found.leaks == ("test0",)
    assert {one.kind for one in found.findings} == {"leak"}


def test_notes_are_left_out(tmp_path: Path) -> None:
    found = quick_check(splits(tmp_path, train=[b"a", b"a"], test=[b"c"]), ("cat",), official=False)
    assert found.findings == ()
    assert found.leaks == ()


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
