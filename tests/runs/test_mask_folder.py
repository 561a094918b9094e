"""The folder that `dapt masks` fills: what may go there, what is kept, and what is refused."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from dapt.data.items import Item
from dapt.data.masks.mask_entries import MaskEntry, content_of, state_of
from dapt.errors import ConfigError, DataError
from dapt.owned import Manifest, read_manifest, write_manifest
from dapt.runs.mask_folder import COMMENT, MaskFolder, mask_name
from dapt.runs.shard import Shard

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
    MaskFolder(out, {**SETTINGS, "seed": 2}, items).check()  # there is no mask yet
    put(out, items[0])
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


def entry(item: Item) -> MaskEntry:
    return MaskEntry("usable", 0.5, 0.25, image=content_of(item.path), seen=state_of(item.path))


@pytest.fixture
def many(tmp_path: Path) -> list[Item]:
    found = []
    for number in range(40):
        path = tmp_path / "photos" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"picture")
        found.append(Item(path, 0, f"{number}.jpg"))
    return found


def make(folder: MaskFolder, left: list[Item]) -> None:
    folder.note({item.name: entry(item) for item in left})
    for item in left:
        put(folder.path, item)


def names_in(out: Path) -> set[str]:
    return set(json.loads((out / "masks.json").read_text())["masks"])


def test_shards_work_beside_each_other_and_are_joined(many, out) -> None:
    first, second = (MaskFolder(out, SETTINGS, many, Shard(number, 2)) for number in (1, 2))
    with first.writing() as mine, second.writing() as theirs:
        assert {item.name for item in (*mine, *theirs)} == {item.name for item in many}
        assert not {item.name for item in mine} & {item.name for item in theirs}
        make(second, theirs[:5])
        make(first, mine)
        first.finish({"images": 1})
        assert names_in(out) == {item.name for item in (*mine, *theirs[:5])}
        make(second, theirs[5:])
        assert first.missing() == {}
        second.finish({"images": 2})
    assert names_in(out) == {item.name for item in many}
    assert not (out / ".parts").exists()


def test_what_shards_miss(many, out) -> None:
    first = MaskFolder(out, SETTINGS, many, Shard(1, 3))
    with first.writing() as left:
        make(first, left)
        first.gather()
        first.finish({})
        assert first.missing() == {number: sum(Shard(number, 3).holds(item.name) for item in many) for number in (2, 3)}


def test_one_writer_per_shard_and_none_of_all_beside_them(many, out) -> None:
    with MaskFolder(out, SETTINGS, many, Shard(1, 2)).writing():
        for shard in (Shard(1, 2), None):
            with (
                pytest.raises(ConfigError, match="is in use by process"),
                MaskFolder(out, SETTINGS, many, shard).writing(),
            ):
                pass
        with MaskFolder(out, SETTINGS, many, Shard(2, 2)).writing():
            pass
        with pytest.raises(ConfigError, match="were made with seed 1, not 2"):
            MaskFolder(out, {**SETTINGS, "seed": 2}, many, Shard(2, 2)).check()
    with MaskFolder(out, SETTINGS, many).writing() as left:
        assert left == many


def test_what_a_killed_shard_noted_is_found_by_whoever_comes_next(many, out) -> None:
    killed = MaskFolder(out, SETTINGS, many, Shard(1, 2))
    with suppress(KeyboardInterrupt), killed.writing() as left:
        make(killed, left[:3])
        raise KeyboardInterrupt
    assert not (out / "masks.json").read_text().count("score")
    other = MaskFolder(out, SETTINGS, many)
    with other.writing() as rest:
        assert {item.name for item in many} - {item.name for item in rest} == {item.name for item in left[:3]}
        other.finish({})
    assert names_in(out) == {item.name for item in left[:3]}
    assert all(found["score"] == 0.25 for found in json.loads((out / "masks.json").read_text())["masks"].values())


def test_images_that_changed_get_their_masks_again_unless_these_were_mended(many, out, capsys) -> None:
    folder = MaskFolder(out, SETTINGS, many)
    with folder.writing() as left:
        for item in left:
            put(out, item)
        made = {item.name: replace(entry(item), mask=content_of(out / mask_name(item))) for item in left}
        folder.note(made)
        folder.finish({})
    touched, changed, mended = many[:3]
    os.utime(touched.path, (1, 1))
    for item in (changed, mended):
        item.path.write_bytes(b"another picture")
    Image.new("L", (4, 4), 0).save(out / mask_name(mended))
    assert begun(out, many) == [changed]
    told = capsys.readouterr().err
    assert f"1 of the images changed since their masks were made ({changed.name}); these masks are made again" in told
    assert f"which were mended by hand: {mended.name}. These masks are kept" in told


def test_files_are_not_looked_at_one_by_one(many, out, monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 images do not make 100,000 calls twice: one per image, for its size and time, and listed masks."""
    folder = MaskFolder(out, SETTINGS, many)
    with folder.writing() as left:
        make(folder, left)
        folder.finish({})
    images, others, listings = [], [], []
    stat, lstat, scan = os.stat, os.lstat, os.scandir

    def counted(call):
        def count(path, *arguments, **named):
            if str(path).endswith(".jpg"):
                images.append(str(path))
            elif str(path).startswith(str(out)):  # other threads look at files of their own
                others.append(str(path))
            return call(path, *arguments, **named)

        return count

    monkeypatch.setattr(os, "stat", counted(stat))
    monkeypatch.setattr(os, "lstat", counted(lstat))
    monkeypatch.setattr(os, "scandir", lambda path: listings.append(str(path)) or scan(path))
    again = MaskFolder(out, SETTINGS, many)
    again.check()
    with again.writing() as left:
        assert left == []
        assert again.left() == []
        assert again.missing() == {}
        again.finish({})
    monkeypatch.undo()
    assert len(images) == len(many)
    assert not [path for path in others if path.endswith(".png")]
    assert len(others) < 100
    assert len(listings) < 15


def test_another_process_that_begins_meanwhile_is_no_stranger(items, out, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes its first files after this one has looked for them, and before it looks for strangers."""
    from dapt.runs import mask_folder

    plain = mask_folder.strangers

    def late(folder: Path, known: list[str]) -> list[Path]:
        monkeypatch.setattr(mask_folder, "strangers", plain)
        begun(out, items)
        return [out / "masks.json"]

    monkeypatch.setattr(mask_folder, "strangers", late)
    MaskFolder(out, SETTINGS, items).check()
    assert (out / "masks.json").is_file()
