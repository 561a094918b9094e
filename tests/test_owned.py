"""Only what dapt wrote is ever removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.errors import ConfigError, DaptError
from dapt.files import part_of
from dapt.lock import LOCK, MANIFEST, OWNER
from dapt.owned import (
    Manifest,
    check_sealed,
    digest_of,
    read_manifest,
    refuse_strangers,
    remove_known,
    seal_of,
    strangers,
    sweep,
    write_manifest,
)
from helpers import fill


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    manifest = Manifest("run", {"run.yaml": "ab", "eval/x.json": None}, ["1shot"])
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "[]",
        "{}",
        '{"schema": 1, "kind": "run", "files": {"../photo.jpg": null}, "folders": []}',
        '{"schema": 1, "kind": "run", "files": {"/etc/passwd": null}, "folders": []}',
        '{"schema": 1, "kind": "run", "files": {"": null}, "folders": []}',
        '{"schema": 1, "kind": "run", "files": {"a": 3}, "folders": []}',
        '{"schema": 1, "kind": "run", "files": {}, "folders": [".."]}',
        '{"schema": 1, "kind": "run", "files": {}, "folders": [3]}',
        '{"schema": 1, "kind": "run", "files": {}}',
        '{"schema": 9, "kind": "run", "files": {}, "folders": []}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_is_damaged_or_reaches_outside_protects_the_folder(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(sealed(text))
    with pytest.raises(ConfigError, match="damaged"):
        read_manifest(tmp_path)


def sealed(text: str) -> str:
    """A manifest by hand, with the checksum that it needs."""
    if not text.startswith('{"'):
        return text
    tree = json.loads(text)
    return json.dumps({**tree, "digest": seal_of(tree)})


def test_a_manifest_by_hand_is_read_as_one(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    (tmp_path / MANIFEST).write_text(sealed('{"schema": 1, "kind": "run", "files": {"a": null}, "folders": ["b"]}'))
    assert read_manifest(tmp_path) == Manifest("run", {"a": None}, ["b"])


@pytest.mark.parametrize(
    ("old", "new"), [("run.yaml", "ran.yaml"), ('"ab"', "null"), ("1shot", "2shot"), ('"run"', '"ran"')]
)
def test_a_manifest_with_one_wrong_entry_is_damaged(tmp_path: Path, old: str, new: str) -> None:
    """It would no longer vouch for a file of dapt's, or would take one of the user's for its own."""
    write_manifest(tmp_path, Manifest("run", {"run.yaml": "ab"}, ["1shot"]))
    path = tmp_path / MANIFEST
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match="damaged"):
        read_manifest(tmp_path)


def test_strangers(tmp_path: Path) -> None:
    fill(tmp_path, "a.json", "eval/b.json", MANIFEST, LOCK, OWNER, "runs/one/run.yaml")
    known = ["a.json", "eval/b.json", "absent.txt"]
    assert strangers(tmp_path, known, ["runs/one"]) == []
    part_of(tmp_path / "a.json").write_text("")
    part_of(tmp_path / "eval" / "b.json").write_text("")
    assert strangers(tmp_path, known, ["runs/one"]) == []
    fill(tmp_path, "notes.txt", "eval/photo.jpg", "mine/x", "runs/two/x")
    part = part_of(tmp_path / "holiday.jpg")
    part.write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in strangers(tmp_path, known, ["runs/one"])]
    assert sorted(found) == sorted(["notes.txt", "eval/photo.jpg", "mine", "runs/two", "link", "empty", part.name])
    with pytest.raises(ConfigError, match=r"holds what dapt did not write: .* and 4 more. Nothing was removed"):
        refuse_strangers(tmp_path, strangers(tmp_path, known, ["runs/one"]))


def test_removal_takes_known_files_their_parts_and_folders_left_empty(tmp_path: Path) -> None:
    fill(tmp_path, "a.json", "eval/b.json", "deep/er/c.txt", "notes.txt", "deep/photo.jpg", MANIFEST, LOCK)
    for name in ("a.json", "eval/b.json"):
        part_of(tmp_path / name).write_text("half")
    mine = part_of(tmp_path / "mine.json")
    mine.write_text("mine")
    remove_known(tmp_path, ["a.json", "eval/b.json", "deep/er/c.txt", MANIFEST, "absent"])
    assert everything(tmp_path) == sorted([MANIFEST, LOCK, "deep", "deep/photo.jpg", "notes.txt", mine.name])


def test_removal_does_not_follow_links(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    fill(elsewhere, "index.csv")
    fill(folder, "a.json")
    (folder / "data").symlink_to(elsewhere)
    (folder / "b.json").symlink_to(elsewhere / "index.csv")
    remove_known(folder, ["a.json", "b.json", "data/index.csv"])
    assert (elsewhere / "index.csv").read_text() == "index.csv"
    assert everything(folder) == ["data"]  # the link to a folder; the link to a file went, its target stayed


names = st.lists(st.sampled_from(["a", "b.json", "c/d", "c/e/f", "c/g", "h/i", "k"]), unique=True)


@given(present=names, known=names)
def test_removal_leaves_every_stranger_and_nothing_known(
    tmp_path_factory: pytest.TempPathFactory, present: list[str], known: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("folder")
    fill(folder, *present)
    foreign = {path.relative_to(folder).as_posix() for path in strangers(folder, known)}
    remove_known(folder, known)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == set(present) - set(known)
    assert all(any(name == one or name.startswith(f"{one}/") for one in foreign) for name in left)


def test_sweeping_takes_parts_of_known_files_alone(tmp_path: Path) -> None:
    fill(tmp_path, "a.json")
    ours, theirs = part_of(tmp_path / "a.json"), part_of(tmp_path / "photo.jpg")
    for path in (ours, theirs):
        path.write_text("half")
    sweep(tmp_path, ["a.json"])
    assert not ours.exists()
    assert theirs.exists()
    assert (tmp_path / "a.json").exists()


def test_sealed_files(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    manifest = Manifest("run", {"a": digest_of(b"a"), "b": None, "c": digest_of(b"c")})
    check_sealed(tmp_path, manifest, "a")
    check_sealed(tmp_path, manifest, "b")
    check_sealed(tmp_path, None, "a")
    (tmp_path / "a").write_text("A")
    with pytest.raises(DaptError, match="changed, or is damaged"):
        check_sealed(tmp_path, manifest, "a")
    with pytest.raises(DaptError, match="Could not read"):
        check_sealed(tmp_path, manifest, "c")


NOTE = '{"pid": 1, "host": "here", "started": "2025-01-01 00:00:00"}'


@pytest.mark.parametrize("text", ["", "mine", "{}", '{"owner": "me"}', '{"pid": 1, "host": "here"}'])
def test_a_note_of_somebody_elses_is_a_stranger_where_there_is_no_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / OWNER).write_text(text)
    assert strangers(tmp_path, ()) == [tmp_path / OWNER]
    write_manifest(tmp_path, Manifest("run"))  # then it is a note of dapt's that was damaged
    assert strangers(tmp_path, ()) == []


def test_a_note_and_lock_of_dapts_are_none(tmp_path: Path) -> None:
    (tmp_path / OWNER).write_text(NOTE)
    (tmp_path / LOCK).touch()
    assert strangers(tmp_path, ()) == []
    (tmp_path / LOCK).write_text("the only copy")
    assert strangers(tmp_path, ()) == [tmp_path / LOCK]
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    assert strangers(tmp_path, ()) == [tmp_path / LOCK]


def test_a_manifest_that_cannot_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest(tmp_path, Manifest("run"))

    def refuse(path: Path, most: int) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("dapt.files.read_text", refuse)
    with pytest.raises(ConfigError, match=r"cannot be read \(Permission denied\), so the folder is left alone"):
        read_manifest(tmp_path)
