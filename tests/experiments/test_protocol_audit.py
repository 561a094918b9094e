"""The audit that a protocol makes: what is asked, which figures there are, and what is found before the training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dapt.config import make_config
from dapt.demo.scene_data import write_scenes
from dapt.errors import ConfigError, DataError
from dapt.experiments.protocol_audit import question_of
from dapt.experiments.run_protocol import print_protocol, run_protocol
from helpers import make_csv, spoil_png


def scenes(folder: Path, **changes: Any) -> Path:
    how = {"classes": 2, "train_per_class": 1, "test_per_class": 2, "size": 48, "jobs": 1}
    write_scenes(folder, **{**how, **changes})
    return folder


def settings(data: Path, spec: str, out: Path, **changes: Any) -> dict[str, Any]:
    given = {"data": str(data), "model": spec, "method": "coop", "epochs": 1, "device": "cpu", "shots": 1}
    return {**given, "out": str(out), **changes}


def plain_photos(folder: Path) -> Path:
    folder.mkdir()
    for place in range(3):
        Image.new("RGB", (50 + place, 40), (10, 200 + place, 10)).save(folder / f"{place}.png")
    return folder


def test_all_that_the_masks_are_read_by_is_asked() -> None:
    names = {"masks": "/m", "mask_format": "colours", "mask_name": "{stem}_m.png", "mask_background": "white"}
    found = question_of(make_config({"data": "d", **names}), "lands")
    assert {key: getattr(found, key) for key in names} == names
    assert (found.split, found.backgrounds) == ("test", "lands")
    assert question_of(make_config({"data": "d"}), "").backgrounds is None


def test_figures_that_cannot_be_had_are_none_and_said(
    tmp_path: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = scenes(tmp_path / "scenes", test_per_class=1)
    found = run_protocol("background_audit", settings(data, tiny_spec, tmp_path / "out"))
    metrics = found.rows[1].metrics
    assert metrics["audit/bg_gap"] is None
    assert metrics["audit/mixed_same"] is None
    assert metrics["audit/original"] is not None
    assert json.loads((tmp_path / "out" / "protocol.json").read_text())["rows"][1]["metrics"] == metrics
    said = " ".join(capsys.readouterr().err.split())
    assert "audit: no image serves for mixed_same and bg_gap, which are left empty." in said
    print_protocol(found)
    assert "BG-gap" in capsys.readouterr().out


def test_what_a_person_wants_of_an_audit_is_printed(
    tmp_path: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    land = plain_photos(tmp_path / "land")
    given = settings(scenes(tmp_path / "scenes"), tiny_spec, tmp_path / "out")
    found = run_protocol("background_audit", given, over=[str(land)])
    print_protocol(found)
    shown = capsys.readouterr().out
    for name in ("test/accuracy", "original", "mixed_rand", "mixed_other", "BG-gap"):
        assert name in shown
    for name in ("original", "mixed_rand", "bg_gap", "mixed_other"):
        assert f"{found.rows[1].metrics[f'audit/{name}']:.2f}" in shown
    assert "guesses" not in shown


def test_protocol_json_says_what_was_asked(tmp_path: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    from dapt.runs.write_masks import write_masks

    land = plain_photos(tmp_path / "land")
    data = scenes(tmp_path / "scenes")
    write_masks(str(data), tmp_path / "guessed", source="border")
    given = settings(data, tiny_spec, tmp_path / "out", masks=str(tmp_path / "guessed"))
    found = run_protocol("background_audit", given, over=[str(land)])
    asked = json.loads((tmp_path / "out" / "protocol.json").read_text())["rows"][1]["asked"]
    assert (asked["split"], asked["seed"]) == ("test", 1)
    assert asked["masks"]["guessed"]
    assert "border" in asked["masks"]["words"]
    assert (asked["backgrounds"]["data"], asked["backgrounds"]["images"]) == ("land", 3)
    assert found.rows[0].asked == {}
    print_protocol(found)
    shown = " ".join(capsys.readouterr().out.split())
    assert "Masks are guesses of the cue border" in shown


def refused(given: dict[str, Any], over: tuple[str, ...] = ()) -> str:
    """What is said before anything is trained."""
    with pytest.raises((ConfigError, DataError)) as caught:
        run_protocol("background_audit", given, over=over)
    assert not Path(given["out"]).exists()
    return caught.value.message


def blacken(folder: Path) -> None:
    for file in folder.rglob("*.png"):
        with Image.open(file) as mask:
            black = Image.new("L", mask.size)
        black.save(file)


def test_what_cannot_be_audited_is_found_before_the_training(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    guided = {"dapt": {"enabled": True}, "cue": {"source": "border"}}
    assert "photos has no masks" in refused(settings(photos, tiny_spec, out, **guided))
    masks = photos.with_name("photos-masks")
    blacken(masks)
    assert "masks are of no use" in refused(settings(photos, tiny_spec, out, masks=str(masks)))
    table = make_csv(tmp_path / "table")
    lines = table.read_text().splitlines()
    column = lines[0].split(",").index("mask")
    cells = [line.split(",") for line in lines[1:]]
    for cell in cells[1:]:
        cell[column] = ""
    table.write_text("\n".join([lines[0], *map(",".join, cells)]))
    assert "None of the 8 test images of table has a mask of use" in refused(settings(table, tiny_spec, out))


def test_other_data_that_cannot_lend_is_found_before_the_training(tiny_spec: str, tmp_path: Path) -> None:
    given = settings(make_csv(tmp_path / "table"), tiny_spec, tmp_path / "out")
    other = make_csv(tmp_path / "other")
    blacken(tmp_path / "other" / "masks")
    assert "masks are of no use" in refused(given, (str(other),))
    land = plain_photos(tmp_path / "land")
    spoil_png(land / "1.png")
    assert "1.png" in refused(given, (str(land),))
