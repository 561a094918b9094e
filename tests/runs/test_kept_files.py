"""What is kept for later runs: listed by what it is of, and removed without touching anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.errors import ConfigError
from dapt.runs.kept_files import kept_files, remove_kept
from dapt.training.feature_bank import FeatureBank


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "features"))
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "masks"))
    for model, count in (("a/one", 2), ("b/two", 1)):
        bank = FeatureBank(tmp_path / "features", {"model": model})
        for number in range(count):
            bank.save(bank.key(["x"], {"number": number}), {"full": torch.ones(3, 4 * count)}, {})
    return tmp_path / "features"


def test_by_backbone_the_largest_first(place: Path) -> None:
    found = kept_files()
    assert [(each.kind, each.of, each.files) for each in found] == [("features", "a/one", 2), ("features", "b/two", 1)]
    assert found[0].size > found[1].size > 0


@pytest.mark.parametrize(("name", "left"), [("a/one", 1), ("features", 0), ("all", 0), ("masks", 3)])
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


def test_nothing_of_that_name(place: Path) -> None:
    with pytest.raises(ConfigError, match="Nothing is kept under the name 'a/on'") as caught:
        remove_kept("a/on")
    assert "a/one" in caught.value.todo


def test_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "features"))
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "masks"))
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
