"""What a run has learned from is not what it is tested on."""

from __future__ import annotations

from pathlib import Path

import pytest

import dapt
from dapt.data.items import Item
from dapt.errors import DataError
from dapt.runs.run_folder import RunFolder
from dapt.runs.trained_images import learns, refuse_trained
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
        refuse_trained(folder, config, [item], "birds", split, known=known)

    with pytest.raises(DataError, match="divided otherwise than when the run was made"):
        check(elsewhere, "test", known=True)
    with pytest.raises(DataError, match=r"would say nothing[\s\S]*Pass --split test"):
        check(mine, "all", known=True)
    check(elsewhere, "test", known=False)  # the same name, but another file
    with pytest.raises(DataError, match=r"1 of these images of birds were trained on[\s\S]*Name data, or a split"):
        check(mine, "all", known=False)
