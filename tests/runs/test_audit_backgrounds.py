"""Backgrounds of other data: which photographs lend them, and what is said of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from audit_helpers import small_audit
from dapt.errors import ConfigError, DataError
from dapt.runs import audit_backgrounds
from dapt.runs.audit_backgrounds import Strangers
from dapt.runs.audit_images import Question, load_backgrounds
from dapt.runs.audit_run import image_rows
from helpers import make_csv, spoil_png


def strangers(question: Question) -> Strangers:
    return audit_backgrounds.find_strangers(question, load_backgrounds(question), 32)


def plain_photos(folder: Path, number: int = 4) -> Path:
    """Photographs of no class, each of one colour."""
    folder.mkdir()
    for place in range(number):
        Image.new("RGB", (50 + place, 40), (10, 200 + place, 10)).save(folder / f"{place}.png")
    return folder


def test_without_other_data_there_are_none(tmp_path: Path) -> None:
    found = strangers(Question("photos"))
    assert (found.items, found.about) == ((), None)


def test_photographs_without_classes_and_masks_are_lent_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = strangers(Question("photos", backgrounds=str(plain_photos(tmp_path / "land"))))
    assert len(found.items) == 4
    assert all(each.lends and not bool(each.inside.any()) for each in found.cutouts)
    assert found.about is not None
    assert (found.about["images"], found.about["of"], found.about["lent_whole"]) == (4, 4, True)
    assert "land has no masks: its photographs are lent as backgrounds whole" in capsys.readouterr().err


def test_what_masks_show_is_not_lent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_csv(tmp_path / "t")
    masks = sorted((tmp_path / "t" / "masks").iterdir())
    Image.new("L", Image.open(masks[0]).size).save(masks[0])  # shows nothing
    full = Image.new("L", Image.open(masks[1]).size, 255)
    full.paste(0, (0, 0, 2, 2))  # all but a corner
    full.save(masks[1])
    found = strangers(Question("photos", backgrounds=str(data)))
    assert len(found.items) == 30
    assert all(bool(each.inside.any()) for each in found.cutouts)
    said = capsys.readouterr().err
    assert "1 photo without a mask of use cannot lend a background" in said
    assert "1 photo show too little" in said or "1 photo shows too little" in said


def test_a_sample_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(audit_backgrounds, "MOST", 3)
    land = str(plain_photos(tmp_path / "land", 12))
    one, two = (strangers(Question("photos", seed=seed, backgrounds=land)) for seed in (1, 2))
    assert len(one.items) == len(two.items) == 3
    assert {item.name for item in one.items} != {item.name for item in two.items}
    assert "3 of 12 photos may lend backgrounds, drawn by the seed" in capsys.readouterr().err


def test_what_cannot_be_used(tmp_path: Path) -> None:
    data = str(make_csv(tmp_path / "t"))
    with pytest.raises(ConfigError, match="the very data that is asked about"):
        load_backgrounds(Question(data, backgrounds=data))
    with pytest.raises(DataError, match="There is no data at"):
        strangers(Question(data, backgrounds=str(tmp_path / "gone")))
    land = plain_photos(tmp_path / "land", 2)
    spoil_png(land / "0.png")
    with pytest.raises(DataError):
        strangers(Question(data, backgrounds=str(land)))
    found = strangers(Question(data, backgrounds=str(land), skip_bad=True))
    assert found.about is not None
    assert (found.about["images"], found.about["damaged"]) == (1, 1)
    for path in (tmp_path / "t" / "masks").iterdir():
        mask = Image.new("L", Image.open(path).size, 255)
        mask.paste(0, (0, 0, 2, 2))  # all but a corner is the object
        mask.save(path)
    with pytest.raises(DataError, match="None of the 32 photos"):
        strangers(Question("photos", backgrounds=data))


def test_masks_that_cannot_be_used_are_told_with_the_data_that_they_are_of(tmp_path: Path) -> None:
    data = make_csv(tmp_path / "landscapes")
    for path in (tmp_path / "landscapes" / "masks").iterdir():
        Image.new("L", Image.open(path).size).save(path)  # shows nothing
    with pytest.raises(DataError, match="The masks of landscapes, which is to lend backgrounds, cannot be used: 32 of"):
        strangers(Question("photos", backgrounds=str(data)))


def test_warnings_about_masks_name_the_data_that_they_are_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_csv(tmp_path / "landscapes")
    for path in (tmp_path / "landscapes" / "masks").iterdir():
        size = Image.open(path).size
        mask = Image.new("L", size, 255)
        mask.paste(0, (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))  # shows what is around
        mask.save(path)
    with pytest.raises(DataError, match="has a background to lend"):
        strangers(Question("photos", backgrounds=str(data)))
    warned = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning:")]
    assert any("32 of 32 masks cover all around the middle" in line for line in warned)
    assert all(line.startswith("warning: landscapes: ") for line in warned)


def test_an_audit_with_other_backgrounds_asks_the_rest_as_without(tmp_path: Path) -> None:
    land = plain_photos(tmp_path / "land")
    with_land, without = (small_audit(tmp_path, models=1, backgrounds=each) for each in (str(land), None))
    assert without.record["backgrounds"] is None
    assert with_land.record["backgrounds"]["data"] == "land"
    assert with_land.record["donors"] == without.record["donors"]
    assert set(with_land.record["variants"]) - set(without.record["variants"]) == {"mixed_other"}
    one, two = (each.record["models"][0]["accuracy"] for each in (with_land, without))
    assert {name: figure["value"] for name, figure in one.items() if name != "mixed_other"} == {
        name: figure["value"] for name, figure in two.items()
    }
    assert one["mixed_other"]["images"] == 8
    head, rows = image_rows(with_land)
    assert len(rows) == 8, "those that lend are not asked about"
    column = head.index("mixed_other_background")
    assert {row[column] for row in rows} <= {f"{place}.png" for place in range(4)}
