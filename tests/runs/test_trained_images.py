"""What a run has learned from is not what it is tested on."""

from __future__ import annotations

from pathlib import Path

import pytest

import dapt
from dapt.data.items import Item
from dapt.errors import DataError
from dapt.runs.run_folder import RunFolder
from dapt.runs.trained_images import learns, look_for_trained
from helpers import tiny_clip


def test_a_model_learns_if_it_has_prompts_or_looks_first() -> None:
    names = ["cat", "dog"]
    found = {name: learns(dapt.create_model(tiny_clip(), name, names)) for name in ("zero_shot", "coop", "tip_adapter")}
    assert found == {"zero_shot": False, "coop": True, "tip_adapter": True}


def test_names_in_its_own_data_and_files_in_others(run: Path, trained: Path) -> None:
    folder = RunFolder(run)
    config, images = folder.config(), trained.parent / "table" / "images"
    name = folder.earlier_split()["train"][0][0]
    mine = Item(images / Path(name).name, 0, name)
    elsewhere = Item(run / name, 0, name)

    def check(item: Item, split: str, *, known: bool) -> None:
        look_for_trained(folder, config, [item], "birds", split, known=known)

    with pytest.raises(DataError, match="divided otherwise than when the run was made"):
        check(elsewhere, "test", known=True)
    with pytest.raises(DataError, match=r"would say nothing[\s\S]*Pass --split test"):
        check(mine, "all", known=True)
    check(elsewhere, "test", known=False)  # the same name, but another file
    with pytest.raises(DataError, match=r"1 image of birds was trained on[\s\S]*Name data, or a split"):
        check(mine, "all", known=False)


def test_copies_under_other_names_are_found_and_can_be_allowed(run: Path, trained: Path, tmp_path: Path) -> None:
    folder = RunFolder(run)
    config, images = folder.config(), trained.parent / "table" / "images"
    rows = [row[0] for row in folder.earlier_split()["train"]]
    items = []
    for number, name in enumerate(rows[:3]):
        path = tmp_path / f"copy{number}.png"
        path.write_bytes((images / Path(name).name).read_bytes())
        items.append(Item(path, 0, path.name))
    fresh = tmp_path / "fresh.png"
    fresh.write_bytes(items[0].path.read_bytes() + b"more")
    items.append(Item(fresh, 0, fresh.name))

    def check(*, known: bool = False, **given: bool) -> object:
        return look_for_trained(folder, config, items, "birds", "all", known=known, **given)

    with pytest.raises(DataError, match=r"3 images of birds were trained on, 3 of them as copies[\s\S]*--allow-leaks"):
        check()
    found = {"test_images": 3, "first_names": ["copy0.png", "copy1.png", "copy2.png"]}
    assert check(allowed=True) == {**found, "allowed_by": "option"}
    assert check(official=True) == {**found, "allowed_by": "published split"}
    with pytest.raises(DataError, match="trained on"):
        check(known=True)
    config = config.model_copy(update={"allow_leaks": True})
    assert check(known=True) == {**found, "allowed_by": "allow_leaks of the run"}
    assert look_for_trained(folder, config, items[3:], "birds", "all", known=False) is None


def test_a_run_without_checksums_is_compared_with_its_files(run: Path, trained: Path, tmp_path: Path) -> None:
    folder = RunFolder(run)
    name = folder.earlier_split()["train"][0][0]
    copy = tmp_path / "copy.png"
    copy.write_bytes((trained.parent / "table" / name).read_bytes())
    folder.inputs_file.unlink()
    with pytest.raises(DataError, match="as copies"):
        look_for_trained(folder, folder.config(), [Item(copy, 0, "copy.png")], "birds", "all", known=False)
