"""Files of equal content are found, and told apart by what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from checked_data import image_set

from dapt.data.check import copies as module
from dapt.data.check.copies import END, copies_of, copy_findings, equal_files, leaked
from dapt.data.check.finding import used_images


def files(root: Path, **contents: bytes) -> list[Path]:
    for name, content in contents.items():
        (root / name).write_bytes(content)
    return [root / name for name in contents]


def test_only_equal_bytes_are_equal(tmp_path: Path) -> None:
    long = b"a" * (3 * END)
    paths = files(tmp_path, a=long, b=long, c=b"b" + long[1:], d=long[:-1] + b"b", e=b"x", f=b"x", g=b"y", h=b"", i=b"")
    assert equal_files([*paths, tmp_path / "gone"]) == [(0, 1), (4, 5)]


def test_files_of_other_sizes_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = files(tmp_path, **{f"f{n}": b"x" * n for n in range(1, 20)})
    opened: list[Path] = []
    monkeypatch.setattr(module, "open_regular", lambda path: opened.append(path))
    assert equal_files(paths) == []
    assert opened == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "other")
    assert equal_files([tmp_path / "pipe", tmp_path / "other"]) == []


def looked(root: Path, **splits: list[tuple[str, int]]) -> dict[str, object]:
    """Severity and names by kind of finding."""
    data = image_set(root, **splits)
    images = used_images(data)
    groups = equal_files([image.item.path for image in images])
    found = copy_findings(images, copies_of(images, groups), data.names, official=False)
    return {finding.kind: (finding.severity, finding.names) for finding in found}


def test_each_kind(tmp_path: Path) -> None:
    files(tmp_path, a=b"1", b=b"1", c=b"22", d=b"22", e=b"333", f=b"333", g=b"4444", h=b"4444", i=b"55555")
    (tmp_path / "link").symlink_to(tmp_path / "i")
    assert looked(tmp_path, train=[("a", 0)], test=[("b", 0)]) == {"leak": ("error", ("a", "b"))}
    assert looked(tmp_path, train=[("c", 0)], val=[("d", 0)]) == {"leak_val": ("error", ("c", "d"))}
    assert looked(tmp_path, train=[("e", 0), ("f", 1)]) == {"two_labels": ("error", ("e", "f"))}
    assert looked(tmp_path, train=[("g", 0), ("h", 0)]) == {"copies": ("note", ("g", "h"))}
    assert looked(tmp_path, train=[("i", 0), ("link", 0)]) == {"listed_twice": ("warning", ("i", "link"))}
    assert looked(tmp_path, train=[("a", 0), ("c", 0)], test=[("e", 0), ("g", 1)]) == {}


def test_one_path_in_two_splits_and_under_two_labels(tmp_path: Path) -> None:
    files(tmp_path, a=b"1")
    found = looked(tmp_path, train=[("a", 0)], test=[("a", 1)])
    assert set(found) == {"leak", "two_labels"}


def test_leaks_are_counted_by_test_images(tmp_path: Path) -> None:
    files(tmp_path, a=b"1", b=b"1", c=b"1", d=b"2")
    images = used_images(image_set(tmp_path, train=[("a", 0)], test=[("b", 0), ("c", 0), ("d", 0)]))
    copies = copies_of(images, equal_files([image.item.path for image in images]))
    assert leaked(images, copies) == ["b", "c"]
    found = copy_findings(images, copies, ("cat", "dog"), official=False)
    assert found[0].what.startswith("2 test images are equal to training images")


def test_a_published_split_gives_warnings(tmp_path: Path) -> None:
    files(tmp_path, a=b"1", b=b"1", c=b"22")
    data = image_set(tmp_path, train=[("a", 0)], val=[("c", 0)], test=[("b", 1), ("c", 0)])
    images = used_images(data)
    copies = copies_of(images, equal_files([image.item.path for image in images]))
    found = {one.kind: one.severity for one in copy_findings(images, copies, data.names, official=True)}
    assert found == {"leak": "warning", "two_labels": "warning", "leak_val": "note"}
