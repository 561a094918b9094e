"""Where results are found: on this machine and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import DataError
from dapt.results.result_files import Stamped, place_of


def tree(root: Path) -> None:
    for name in ("a/run.yaml", "a/results.json", "a/eval/results.json", "b/c/results.json", "p/protocol.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / ".hidden").mkdir()
    (root / ".hidden" / "results.json").write_text("x")


FOUND = ["a/results.json", "a/run.yaml", "b/c/results.json", "p/protocol.json"]


def test_here(tmp_path: Path) -> None:
    tree(tmp_path)
    place = place_of(tmp_path)
    assert sorted(each.path for each in place.find()) == FOUND
    assert place.read("b/c/results.json") == b"b/c/results.json"
    before = {each.path: each.stamp for each in place.find()}
    (tmp_path / "a" / "results.json").write_text("other")
    after = {each.path: each.stamp for each in place.find()}
    assert [path for path in after if after[path] != before[path]] == ["a/results.json"]


def test_links_are_followed_once(tmp_path: Path) -> None:
    tree(tmp_path / "real")
    (tmp_path / "real" / "round").symlink_to(tmp_path / "real")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "linked").symlink_to(tmp_path / "real" / "a")
    assert sorted(each.path for each in place_of(tmp_path / "real").find()) == FOUND
    assert sorted(each.path for each in place_of(tmp_path / "runs").find()) == [
        "linked/results.json",
        "linked/run.yaml",
    ]


def test_elsewhere() -> None:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    for name in FOUND:
        files.pipe(f"/bucket/runs/{name}", name.encode())
    place = place_of("memory://bucket/runs")
    found = {each.path: each for each in place.find()}
    assert sorted(found) == FOUND
    assert found["b/c/results.json"].folder == "b/c"
    assert place.read("b/c/results.json") == b"b/c/results.json"
    with pytest.raises(DataError, match="There is no folder memory://nowhere"):
        list(place_of("memory://nowhere").find())


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        list(place_of(tmp_path / "none").find())
    with pytest.raises(DataError, match="cannot be read"):
        place_of("nosuchprotocol://x")


def test_files_in_the_place_itself() -> None:
    assert (Stamped("results.json", "").folder, Stamped("results.json", "").name) == ("", "results.json")
