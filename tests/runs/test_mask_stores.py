"""What training keeps of masks: listed with sizes, and removed, nothing else with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.masks.mask_entries import MaskEntry
from dapt.errors import ConfigError
from dapt.runs.kept_cues import VARIABLE
from dapt.runs.making_masks import png_of
from dapt.runs.mask_folder import MaskFolder
from dapt.runs.mask_stores import mask_stores, remove_stores


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stores of masks, and a folder of somebody else's."""
    root = tmp_path / "stores"
    monkeypatch.setenv(VARIABLE, str(root))
    for name, count in (("small", 1), ("large", 3)):
        items = [Item(tmp_path / f"{number}.jpg", 0, f"cat/{number}.jpg") for number in range(count)]
        folder = MaskFolder(root / name, {"cue": "x"}, items)
        with folder.writing() as left:
            folder.note({item.name: MaskEntry("usable", 0.5) for item in left})
            for item in left:
                folder.target(item).parent.mkdir(exist_ok=True)
                folder.target(item).write_bytes(png_of(np.zeros((4, 4), np.uint8)))
            folder.finish({})
    (root / "other").mkdir()
    (root / "other" / "file").touch()
    return root


def test_stores_are_listed_the_largest_first(stores: Path) -> None:
    found = mask_stores()
    assert [(store.name, store.images, store.settings) for store in found] == [
        ("large", 3, {"cue": "x"}),
        ("small", 1, {"cue": "x"}),
    ]
    files = [path for path in (stores / "large").rglob("*") if path.is_file()]
    assert found[0].size == sum(path.stat().st_size for path in files)


def test_one_is_removed_or_all(stores: Path) -> None:
    assert [store.name for store in remove_stores("small")] == ["small"]
    assert sorted(path.name for path in stores.iterdir()) == ["large", "other"]
    with pytest.raises(ConfigError, match="no store 'lrge'"):
        remove_stores("lrge")
    remove_stores("all")
    assert [path.name for path in stores.iterdir()] == ["other"]
    assert remove_stores("all") == mask_stores() == []


def test_what_dapt_did_not_write_stays(stores: Path) -> None:
    (stores / "small" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"what dapt did not write: notes\.txt. Nothing was removed"):
        remove_stores("small")
    assert (stores / "small" / "cat" / "0.png").is_file()


def test_one_that_is_written_is_refused(stores: Path, tmp_path: Path) -> None:
    with MaskFolder(stores / "small", {"cue": "x"}, []).writing(), pytest.raises(ConfigError, match="is in use"):
        remove_stores("small")


def test_damaged_ones_are_listed_and_removed(stores: Path) -> None:
    (stores / "large" / "masks.json").write_text("{")
    assert {store.name: store.images for store in mask_stores()} == {"large": 0, "small": 1}
    remove_stores("large")
    assert not (stores / "large").exists()


def test_the_command(stores: Path, dapt) -> None:
    code, out, err = dapt("masks", "kept")
    assert code == 0, err
    assert [line.split()[-1] for line in out.splitlines()] == ["large", "small"]
    assert "2 stores of masks kept" in err
    code, out, _ = dapt("masks", "kept", "--remove", "large", "--json")
    assert code == 0
    tree = json.loads(out)
    assert (tree["removed"], [row["name"] for row in tree["stores"]]) == (True, ["large"])
    assert dapt("masks", "kept", "--remove", "large")[0] == 2
