"""What is kept for later runs: listed by what it is of, and removed without touching anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.clip.linear_kept import file_of, write_times
from dapt.clip.linear_times import Times
from dapt.errors import ConfigError
from dapt.runs.kept_files import kept_files, remove_kept
from dapt.training.feature_bank import FeatureBank


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "features"))
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "masks"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for model, count in (("a/one", 2), ("b/two", 1)):
        bank = FeatureBank(tmp_path / "features", {"model": model})
        for number in range(count):
            bank.save(bank.key(["x"], {"number": number}), {"full": torch.ones(3, 4 * count)}, {})
    return tmp_path / "features"


def test_by_backbone_the_largest_first(place: Path) -> None:
    found = kept_files()
    assert [(each.kind, each.of, each.files) for each in found] == [("features", "a/one", 2), ("features", "b/two", 1)]
    assert found[0].size > found[1].size > 0


@pytest.mark.parametrize(("name", "left"), [("a/one", 1), ("features", 0), ("all", 0), ("masks", 3), ("linear", 3)])
def test_what_is_removed(place: Path, name: str, left: int) -> None:
    mine = [place / "notes.txt", place / "ab" / "mine.safetensors", place / ("0" * 32 + ".safetensors")]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    removed = remove_kept(name)
    assert sum(each.files for each in removed) == 3 - left
    assert sum(each.files for each in kept_files()) == left
    assert all(path.read_text() == "mine" for path in mine)


def test_a_damaged_file_is_listed_and_can_be_removed(place: Path) -> None:
    path = next(place.rglob("*.safetensors"))
    path.write_bytes(b"nothing")
    assert ("features", "damaged", 1) in [(each.kind, each.of, each.files) for each in kept_files()]
    remove_kept("damaged")
    assert not path.exists()


@pytest.mark.parametrize(("name", "left"), [("Some Processor", 1), ("linear", 0), ("features", 3), ("all", 0)])
def test_times_of_products_by_processor(place: Path, tmp_path: Path, name: str, left: int) -> None:
    folder = tmp_path / "cache" / "dapt" / "linear"
    for processor, threads in (("Some Processor", 1), ("Some Processor", 2), ("Another", 1)):
        about = {"processor": processor, "threads": threads}
        write_times(file_of(folder, about), about, Times(1, 2))
    (folder / "mine.json").write_text("mine")
    assert ("linear", "Some Processor", 2) in [(each.kind, each.of, each.files) for each in kept_files()]
    remove_kept(name)
    assert sum(each.files for each in kept_files() if each.kind == "linear") == left
    assert (folder / "mine.json").read_text() == "mine"


def test_nothing_of_that_name(place: Path) -> None:
    with pytest.raises(ConfigError, match="Nothing is kept under the name 'a/on'") as caught:
        remove_kept("a/on")
    assert "a/one" in caught.value.todo


def test_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "features"))
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "masks"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert kept_files() == []
    assert remove_kept("all") == []


def test_locks_go_with_the_last_features(place: Path) -> None:
    bank = FeatureBank(place, {"model": "a/one"})
    with bank.making("ab" + 30 * "0"):
        pass
    remove_kept("a/one")
    assert (place / ".locks" / "ab.lock").is_file(), "those of the other backbone may be in use"
    remove_kept("features")
    assert not (place / ".locks").exists()
