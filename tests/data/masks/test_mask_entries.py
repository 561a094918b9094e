"""The entries of a store: written and read back, damage noticed, parts of killed writers found again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dapt.data.masks import mask_entries
from dapt.data.masks.mask_entries import (
    PARTS,
    MaskEntry,
    content_of,
    entry_of,
    kind_of,
    listed,
    next_number,
    part_folders,
    read_entries,
    read_part,
    remove_part,
    store_entries,
    store_tree,
    write_part,
    write_store,
)
from dapt.errors import DataError

WHOLE = MaskEntry("usable", 0.25, 0.5, ("grass", "sky"), "1a", (3, 4), "2b", "red square")
SHORT = MaskEntry("not found", 0.0)


def test_an_entry_is_read_back_and_says_what_is_known_only() -> None:
    assert entry_of(json.loads(json.dumps(WHOLE.tree()))) == WHOLE
    assert SHORT.tree() == {"kind": "not found", "coverage": 0.0}
    assert entry_of(SHORT.tree()) == SHORT
    assert entry_of(MaskEntry("usable", 0.5, score=0.0).tree()).score == 0, "nothing is not unknown"
    assert [kind_of(share) for share in (0.0, 1e-9, 1.0)] == ["empty", "usable", "full"]


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"kind": "good", "coverage": 0},
        {"kind": "empty", "coverage": 2},
        {"kind": "empty", "coverage": 0, "image": 3},
    ],
)
def test_what_is_no_entry(tree: dict) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        entry_of(tree)


def test_the_file_has_a_line_per_mask_and_a_seal(tmp_path: Path) -> None:
    path = tmp_path / "masks.json"
    tree = store_tree({"settings": {"cue": "x"}, "note": '"masks": {}'}, {"b.jpg": WHOLE, "ä/\udcff.jpg": SHORT})
    write_store(path, tree)
    assert json.loads(path.read_text()) == tree
    assert sum('"kind"' in line for line in path.read_text().splitlines()) == 2
    assert store_entries(tmp_path) == {"b.jpg": WHOLE, "ä/\udcff.jpg": SHORT}
    write_store(path, store_tree({"settings": {}}, {}))
    assert store_entries(tmp_path) == {}
    path.write_text('{"settings": {}, "images": 3}')
    assert store_entries(tmp_path) == {}, "of an earlier version"


def test_changed_entries_are_noticed(tmp_path: Path) -> None:
    tree = store_tree({}, {"a.jpg": WHOLE})
    tree["masks"]["a.jpg"]["score"] = 0.9
    with pytest.raises(DataError, match="damaged, or were changed by hand"):
        read_entries(tree, tmp_path)
    with pytest.raises(DataError, match="are kept, their scores are lost"):
        read_entries({"masks": [], "seal": ""}, tmp_path)


def test_parts_are_joined_until_they_are_removed(tmp_path: Path, capsys) -> None:
    part = tmp_path / PARTS / "2-of-3"
    assert next_number(part) == 1
    write_part(part, 1, {"a.jpg": SHORT, "b.jpg": SHORT})
    write_part(part, 2, {"b.jpg": WHOLE})
    assert next_number(part) == 3
    assert part_folders(tmp_path) == [part]
    assert read_part(part) == store_entries(tmp_path) == {"a.jpg": SHORT, "b.jpg": WHOLE}
    (part / "000001.json").write_bytes((part / "000001.json").read_bytes().replace(b"not found", b"nor found"))
    assert read_part(part) == {"b.jpg": WHOLE}
    (part / "000001.json").write_text("{")
    assert read_part(part) == {"b.jpg": WHOLE}
    assert capsys.readouterr().err.count("the masks are kept") == 2
    (part / ".lock").touch()
    remove_part(part)
    assert not (tmp_path / PARTS).exists()


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{folder}/{number}.png" for folder in "ab" for number in range(50)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "link.png").symlink_to("nowhere")
    (tmp_path / "a" / "folder.png").mkdir()
    calls: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: calls.append(str(path)) or scan(path))
    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, lambda *_, **__: pytest.fail("a file was looked at by itself"))
    found = listed(tmp_path, [*names, "a/link.png", "a/folder.png", "a/absent.png", "c/absent.png"])
    monkeypatch.undo()
    assert found == dict.fromkeys(names, False) | {"a/link.png": True}
    assert len(calls) == 3


def test_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 3 * mask_entries.READ_BYTES)
    other.write_bytes(b"x" * 3 * mask_entries.READ_BYTES + b"y")
    assert content_of(one) != content_of(other)
    assert len(content_of(one)) == mask_entries.DIGITS
    with pytest.raises(DataError, match="cannot be read"):
        content_of(tmp_path / "absent")
