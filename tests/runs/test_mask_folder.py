"""The folder that `dapt masks` fills: what may go there, what is kept, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from dapt.data.items import Item
from dapt.errors import ConfigError, DataError
from dapt.owned import Manifest, read_manifest, write_manifest
from dapt.runs.mask_folder import COMMENT, MaskFolder, mask_name

SETTINGS = {"cue": "random", "seed": 1}


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    found = []
    for name in ("cat/a.jpg", "dog/b.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
        found.append(Item(path, 0, name))
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "masks"


def begun(out: Path, items: list[Item], **settings: object) -> list[Item]:
    """The images without a mask, as a command that writes masks finds them."""
    folder = MaskFolder(out, {**SETTINGS, **settings}, items)
    with folder.lock:
        return folder.begin()


def put(out: Path, item: Item) -> None:
    path = out / mask_name(item)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), 255).save(path)


def test_a_mask_has_the_path_of_its_image_and_is_a_png(items, out) -> None:
    assert [mask_name(item) for item in items] == ["cat/a.png", "dog/b.png"]
    assert MaskFolder(out, SETTINGS, items).target(items[0]) == out / "cat" / "a.png"
    assert mask_name(Item(Path("x"), 0, "a.tar.jpeg")) == "a.tar.png"


def test_a_new_folder_notes_its_settings_and_lists_all_images(items, out) -> None:
    assert begun(out, items) == items
    assert json.loads((out / "masks.json").read_text()) == {"settings": SETTINGS}
    assert read_manifest(out).kind == "masks"


def test_masks_that_are_there_are_kept(items, out) -> None:
    begun(out, items)
    put(out, items[0])
    assert begun(out, items) == [items[1]]
    put(out, items[1])
    assert begun(out, items) == []
    assert (out / "cat" / "a.png").is_file()


def test_checking_changes_nothing(items, out) -> None:
    MaskFolder(out, SETTINGS, items).check()
    assert not out.exists()


def test_masks_of_other_settings_are_not_passed_off_as_these(items, out) -> None:
    begun(out, items)
    with pytest.raises(ConfigError, match="were made with seed 1, not 2"):
        MaskFolder(out, {**SETTINGS, "seed": 2}, items).check()


@pytest.mark.parametrize("content", ["[]", '{"settings": 3}', '{"images": 2}'])
def test_damaged_settings(items, out, content: str) -> None:
    begun(out, items)
    (out / "masks.json").write_text(content)
    with pytest.raises(ConfigError, match=r"masks\.json is damaged"):
        MaskFolder(out, SETTINGS, items).check()


def test_masks_without_their_settings_are_not_gone_on_with(items, out) -> None:
    begun(out, items)
    (out / "masks.json").unlink()
    MaskFolder(out, SETTINGS, items).check()  # there is no mask yet, so nothing is unknown
    put(out, items[0])
    with pytest.raises(ConfigError, match="it is not known what the masks"):
        MaskFolder(out, SETTINGS, items).check()


def test_masks_of_an_earlier_version_are_kept_but_not_mixed(items, out, capsys) -> None:
    begun(out, items)
    put(out, items[0])
    with pytest.raises(ConfigError, match="did not note: grid"):
        begun(out, items, grid=4)
    put(out, items[1])
    folder = MaskFolder(out, {**SETTINGS, "grid": 4}, items)
    with folder.lock:
        assert folder.begin() == []
    assert folder.settings == SETTINGS, "what is not known of the masks is not claimed"
    assert "They are kept" in capsys.readouterr().err


def test_images_that_are_newer_than_their_masks_are_told(items, out, capsys) -> None:
    begun(out, items)
    put(out, items[0])
    put(out, items[1])
    os.utime(items[0].path, (1, 1))
    later = (out / "dog" / "b.png").stat().st_mtime + 100
    os.utime(items[1].path, (later, later))
    assert begun(out, items) == []
    assert "1 image is newer than its mask, the first: dog/b.png" in capsys.readouterr().err


def test_other_things_in_the_folder_could_be_taken_for_masks(items, out) -> None:
    out.mkdir()
    (out / "mine.png").write_bytes(b"")
    (out / "other.txt").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"what dapt did not write: mine\.png and 1 more"):
        MaskFolder(out, SETTINGS, items).check()


def test_a_folder_of_another_kind(items, out) -> None:
    out.mkdir()
    write_manifest(out, Manifest("model"))
    with pytest.raises(ConfigError, match="holds model, not masks"):
        MaskFolder(out, SETTINGS, items).check()


def test_two_images_with_one_mask(items, out) -> None:
    twin = Item(items[0].path.with_suffix(".png"), 0, "cat/a.png")
    with pytest.raises(DataError, match=r"images cat/a\.jpg and cat/a\.png would share the mask file"):
        MaskFolder(out, SETTINGS, [*items, twin]).check()
    MaskFolder(out, SETTINGS, [*items, items[0]]).check()  # one image twice is one image


def test_links(items, out, tmp_path) -> None:
    begun(out, items)
    (tmp_path / "elsewhere").mkdir()
    (out / "cat").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="reached through a link"):
        MaskFolder(out, SETTINGS, items).check()
    (out / "cat").unlink()
    (out / "cat").mkdir()
    (out / "cat" / "a.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="leads nowhere"):
        MaskFolder(out, SETTINGS, items).check()


def test_the_preview_replaces_previews_only(items, out) -> None:
    folder = MaskFolder(out, SETTINGS, items)
    folder.check_preview()
    out.mkdir()
    picture = Image.new("RGB", (4, 4))
    picture.save(out / "preview.jpg", comment=COMMENT)
    folder.check_preview()
    picture.save(out / "preview.jpg", comment=b"my holidays")
    with pytest.raises(ConfigError, match="dapt did not make it"):
        folder.check_preview()
