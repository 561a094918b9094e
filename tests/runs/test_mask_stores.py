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

SMALL, LARGE = "small-border-0123456789abcdef", "large-random-00000000000000ff"


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stores of masks, and a folder of somebody else's."""
    root = tmp_path / "stores"
    monkeypatch.setenv(VARIABLE, str(root))
    for name, count in ((SMALL, 1), (LARGE, 3)):
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
        (LARGE, 3, {"cue": "x"}),
        (SMALL, 1, {"cue": "x"}),
    ]
    files = [path for path in (stores / LARGE).rglob("*") if path.is_file()]
    assert found[0].size == sum(path.stat().st_size for path in files)


def test_one_is_removed_or_all(stores: Path) -> None:
    assert [store.name for store in remove_stores(SMALL)] == [SMALL]
    assert sorted(path.name for path in stores.iterdir()) == [LARGE, "other"]
    with pytest.raises(ConfigError, match="no store 'lrge'"):
        remove_stores("lrge")
    remove_stores("all")
    assert [path.name for path in stores.iterdir()] == ["other"]
    assert remove_stores("all") == mask_stores() == []


def test_what_dapt_did_not_write_stays(stores: Path) -> None:
    (stores / SMALL / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"what dapt did not write: notes\.txt. Nothing was removed"):
        remove_stores(SMALL)
    assert (stores / SMALL / "cat" / "0.png").is_file()


def test_one_that_is_written_is_refused(stores: Path, tmp_path: Path) -> None:
    with MaskFolder(stores / SMALL, {"cue": "x"}, []).writing(), pytest.raises(ConfigError, match="is in use"):
        remove_stores(SMALL)


def test_damaged_ones_are_listed_and_removed(stores: Path) -> None:
    (stores / LARGE / "masks.json").write_text("{")
    assert {store.name: store.images for store in mask_stores()} == {LARGE: 0, SMALL: 1}
    remove_stores(LARGE)
    assert not (stores / LARGE).exists()


def test_the_command(stores: Path, dapt) -> None:
    code, out, err = dapt("masks", "kept")
    assert code == 0, err
    assert [line.split()[-1] for line in out.splitlines()] == [LARGE, SMALL]
    assert "2 stores of masks kept" in err
    code, out, _ = dapt("masks", "kept", "--remove", LARGE, "--json")
    assert code == 0
    tree = json.loads(out)
    assert (tree["removed"], [row["name"] for row in tree["stores"]]) == (True, [LARGE])
    assert dapt("masks", "kept", "--remove", LARGE)[0] == 2


def test_masks_that_somebody_asked_for_are_not_those_of_training(stores: Path, photos: Path, dapt) -> None:
    """A big disk may hold both; they may have been mended by hand."""
    for name in ("masks", f"masks-{'0' * 16}"):
        assert dapt("masks", photos, "--out", stores / name, "--cue", "random", "--split", "test")[0] == 0
    assert [store.name for store in mask_stores()] == [LARGE, SMALL]
    with pytest.raises(ConfigError, match="no store 'masks'"):
        remove_stores("masks")
    remove_stores("all")
    assert sorted(path.name for path in stores.iterdir()) == ["masks", f"masks-{'0' * 16}", "other"]
    assert list((stores / "masks").rglob("*.png"))
