"""Inputs and outputs stay apart, and folders that dapt fills hold nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.old_folders import RUN_KEYS
from dapt.outputs import (
    FILLED,
    check_apart,
    check_file,
    check_folder,
    check_replaceable,
    check_writable,
    holding,
    refuse_linked,
    run_above,
)
from dapt.owned import Manifest, write_manifest
from dapt.paths import same, with_home, within
from helpers import fill


def filled(folder: Path, kind: str) -> Path:
    folder.mkdir()
    write_manifest(folder, Manifest(kind))
    return folder


@pytest.mark.parametrize(
    ("out", "given", "words"),
    [
        ("photos", "photos", "holds the data"),
        ("photos/run", "photos", "lies within the data"),
        (".", "photos", "holds the data"),
        ("x/../photos/run", "photos", "lies within the data"),
        ("link/run", "photos", "lies within the data"),
        ("photos", "photos/cat/1.jpg", "holds the data"),
        ("photos", "link", "holds the data"),
    ],
)
def test_output_and_input_stay_apart(tmp_path: Path, out: str, given: str, words: str) -> None:
    fill(tmp_path, "photos/cat/1.jpg", "x/y")
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    with pytest.raises(ConfigError, match=words):
        check_apart(tmp_path / out, {"the data": tmp_path / given})
    check_apart(tmp_path / "runs" / "one", {"the data": tmp_path / given, "the masks": None})


def test_an_output_beside_a_file_is_apart_from_it(tmp_path: Path) -> None:
    fill(tmp_path, "index.csv")
    check_apart(tmp_path / "runs", {"the data": tmp_path / "index.csv"})


def test_files_in_an_output_folder(tmp_path: Path) -> None:
    fill(tmp_path, "photos/cat/1.jpg", "photos/dog/2.jpg")
    files = [tmp_path / "photos" / "cat" / "1.jpg", tmp_path / "photos" / "dog" / "2.jpg"]
    assert holding(tmp_path / "photos" / "dog", files) == files[1]
    assert holding(tmp_path, files) == files[0]
    assert holding(tmp_path / "photos" / "do", files) is None
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    assert holding(tmp_path / "link" / "dog", files) == files[1]


def test_folders_that_dapt_fills_hold_no_other_output(tmp_path: Path) -> None:
    run, protocol = tmp_path / "run", tmp_path / "protocol"
    for folder, kind in ((run, "run"), (protocol, "protocol")):
        folder.mkdir()
        write_manifest(folder, Manifest(kind))
    assert run_above(run / "eval" / "x") == run
    assert run_above(run) is None
    assert run_above(protocol / "1shot") is None
    old = tmp_path / "old"
    fill(old, "run.yaml", "split.json")
    assert run_above(old / "x") is None  # files of these names may be anybody's
    (old / "run.yaml").write_text("".join(f"{key}: 1\n" for key in RUN_KEYS))
    (old / "split.json").write_text('{"data": "", "train": [], "val": [], "test": []}')
    assert run_above(old / "x") == old


@pytest.mark.parametrize("text", ["a photograph", "[]", '{"metrics": {}}', '{"metrics": NaN, "split": 1}'])
def test_files_of_others_are_not_written_over(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    check_replaceable(path, {"metrics", "split"}, "--json")
    path.write_text(text)
    with pytest.raises(ConfigError, match="dapt did not write it"):
        check_replaceable(path, {"metrics", "split"}, "--json")
    path.write_text('{"metrics": {}, "split": "test"}')
    check_replaceable(path, {"metrics", "split"}, "--json")
    with pytest.raises(ConfigError, match="dapt did not write it"):
        check_replaceable(tmp_path, {"metrics"}, "--json")


def test_what_leads_into_a_filled_folder_through_links_lies_in_it(tmp_path: Path) -> None:
    run = filled(tmp_path / "run", "run")
    (run / "eval").mkdir()
    (tmp_path / "link").symlink_to(run / "eval")
    (run / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "whole").symlink_to(run)
    assert run_above(tmp_path / "link" / "x") == run
    assert run_above(tmp_path / "link") == run
    assert run_above(run / "out" / "x") == run
    assert run_above(tmp_path / "whole" / "x") is not None
    assert run_above(tmp_path / "whole") is None  # the run itself, by another name
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert run_above(tmp_path / "a" / "b" / ".." / ".." / "run" / "x") == run


def test_which_folders_hold_no_other_files(tmp_path: Path) -> None:
    for kind in FILLED:
        folder = filled(tmp_path / kind, kind)
        with pytest.raises(ConfigError, match=f"lies within .*{kind}, which dapt fills"):
            check_file(folder / "deep" / "x.json", "--json", {})
    check_file(filled(tmp_path / "demo", "demo") / "x.json", "--json", {})
    old = tmp_path / "old"
    fill(old, "cat/1.png")
    (old / "masks.json").write_text('{"settings": {}, "images": 1, "coverage_percent": {}}')
    assert run_above(old / "cat" / "x") == old
    (old / "masks.json").write_text('{"settings": {}}')  # of another program
    assert run_above(old / "x") is None


def test_links_and_files_in_the_place_of_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, "file", "there/x")
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for place, words in (
        ("nowhere", "nowhere is a link that leads nowhere"),
        ("nowhere/run", "nowhere is a link that leads nowhere"),
        ("loop/run", "loop is a link that leads nowhere"),
        ("file", "is a file, not a folder"),
        ("file/deep/run", "file is a file, not a folder"),
    ):
        with pytest.raises(ConfigError, match=words):
            check_folder(tmp_path / place)
        with pytest.raises(ConfigError, match=words):
            check_file(tmp_path / place / "x.json", "--json", {})
    for place in ("link", "link/run", "absent/run", "there"):
        check_folder(tmp_path / place)


def test_an_output_file_is_no_link(tmp_path: Path) -> None:
    fill(tmp_path, "there.json")
    for name, target in (("a", "absent"), ("b", "there.json"), ("c", "c")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(ConfigError, match="is a link, which is not written over"):
            check_file(tmp_path / name, "--json", {})
    with pytest.raises(ConfigError, match="dapt did not write it"):
        check_replaceable(tmp_path / "a", {"x"}, "--json")


def test_an_output_file_is_no_input_and_lies_in_none(tmp_path: Path) -> None:
    fill(tmp_path, "split.json", "photos/cat/1.jpg")
    os.link(tmp_path / "split.json", tmp_path / "other name.json")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "linked.json").symlink_to(tmp_path / "split.json")
    inputs = {"the split file": tmp_path / "split.json", "the data": tmp_path / "photos", "the masks": None}
    for name in ("split.json", "x/../split.json", "link/split.json", "other name.json"):
        with pytest.raises(ConfigError, match="is the split file, which is read"):
            check_file(tmp_path / name, "--out", inputs)
    with pytest.raises(ConfigError, match="is the split file"):
        check_file(tmp_path / "split.json", "--out", {"the split file": tmp_path / "linked.json"})
    for name in ("photos/x.json", "link/photos/cat/x.json"):
        with pytest.raises(ConfigError, match="lies within the data"):
            check_file(tmp_path / name, "--out", inputs)
    check_file(tmp_path / "new" / "x.json", "--out", inputs)
    check_file(None, "--out", inputs)


def test_linked_folders_in_an_output_folder(tmp_path: Path) -> None:
    fill(tmp_path, "run/eval/x.json", "elsewhere/y")
    refuse_linked(tmp_path / "run", ["eval/x.json", "run.yaml", "absent/z.json"])
    (tmp_path / "run" / "more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="reached through a link"):
        refuse_linked(tmp_path / "run", ["run.yaml", "more/x.json"])
    (tmp_path / "whole").symlink_to(tmp_path / "run")
    refuse_linked(tmp_path / "whole", ["eval/x.json"])


def test_places(tmp_path: Path) -> None:
    fill(tmp_path, "a/b/c", "ab/c")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    (tmp_path / "a" / "out").symlink_to(tmp_path / "ab")
    assert within(tmp_path / "a", tmp_path / "a")
    assert within(tmp_path / "link" / "new", tmp_path / "a")
    assert within(tmp_path / "a" / "out" / "c", tmp_path / "a")  # as it is written
    assert within(tmp_path / "a" / "out" / "c", tmp_path / "ab")  # where it leads
    assert not within(tmp_path / "ab", tmp_path / "a")
    assert not within(tmp_path / "a", tmp_path / "a" / "b")
    assert same(tmp_path / "link", tmp_path / "a" / "b")
    assert not same(tmp_path / "new", tmp_path / "newer")


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert with_home("~/x/y") == str(tmp_path / "x" / "y")
    assert with_home("~") == str(tmp_path)
    for text in ("", "x", "./imagenet", "x/~/y", "hf:~/x", "~draft.json", "~nobody of that name/x"):
        assert with_home(text) == text

    def unknown(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    for text in ("~", "~/x"):
        with pytest.raises(ConfigError, match="It is not known what ~ in"):
            with_home(text)


def test_the_nearest_folder_that_is_there_has_to_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    check_writable(None, "--json")
    check_writable(tmp_path / "new" / "f.json", "--json")
    locked = tmp_path / "locked"
    monkeypatch.setattr("dapt.outputs.os.access", lambda path, mode: Path(path) != locked)
    check_writable(tmp_path / "f.json", "--json")
    for path in (locked, locked / "f.json", locked / "deep" / "er" / "f.json"):
        with pytest.raises(ConfigError, match="locked"):
            check_writable(path, "--json")
