"""A run that is ready to start."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from dapt.config import make_config
from dapt.errors import ConfigError, DataError
from dapt.runs.prepare import prepare
from dapt.runs.run_data import load_run_data
from helpers import make_csv, tiny_clip


def test_a_prepared_run_can_leave_its_device(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes load their own copy: the frozen model and the prompts of the parent make room for them."""
    config = make_config({"data": str(photos), "method": "maple", "depth": 2, "shots": 1, "device": "cpu"})
    clip = tiny_clip()
    prepared = prepare(config, load_run_data(config), clip)
    moved: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, device: moved.append(self) or self)
    prepared.leave_device()
    assert clip.model in moved
    assert any(prepared.model.prompts in set(module.modules()) for module in moved)


def test_training_images_are_complete(table: Path) -> None:
    given = {"data": str(table), "method": "maple", "depth": 2, "shots": 1, "device": "cpu", "dapt": True}
    config = make_config({**given, "cue": "dataset"})
    prepared = prepare(config, load_run_data(config), tiny_clip())
    images = prepared.images
    assert images.targets is None
    assert all(mask is not None and mask.dtype == torch.bool for mask in images.masks)
    assert not images.soft
    assert prepared.model_selection == "last"


def test_what_is_wrong_with_the_host_is_found_before_words_are_chosen(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("dapt.runs.prepare.choose_words", lambda *_, **__: asked.append("words"))
    monkeypatch.setattr("dapt.cues.border.BorderCue.prepare", lambda *_: asked.append("masks"))
    given = {"data": str(photos), "method": "maple", "depth": 9, "shots": 1, "device": "cpu"}
    config = make_config({**given, "dapt": {"words": "auto"}, "cue": "border"})
    with pytest.raises(ConfigError, match="Prompt depth 9 is more than"):
        prepare(config, load_run_data(config), tiny_clip())
    assert asked == []


def test_photos_of_one_colour_have_no_cue_and_border_is_not_told_to_use_itself(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(4):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.new("RGB", (40, 30), (60 * number, 120, 100 * "ab".index(name))).save(
                tmp_path / name / f"{number}.png"
            )
    given = {"data": str(tmp_path), "method": "maple", "depth": 2, "device": "cpu", "dapt": True, "cue": "border"}
    config = make_config(given)
    with pytest.raises(DataError, match=r"None of the images has a usable foreground cue: \d masks empty") as caught:
        prepare(config, load_run_data(config), tiny_clip())
    assert "use another cue" in caught.value.todo


def test_a_single_training_image_is_shown_on_the_mean_colour_and_counted_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = make_csv(tmp_path / "t", classes=1)
    given = {"data": str(table), "method": "maple", "depth": 2, "shots": 1, "device": "cpu", "epochs": 1}
    for fill, told in (("exchange", True), ("mean", False)):
        config = make_config({**given, "cue": "dataset", "dapt": {"fill": fill}})
        prepared = prepare(config, load_run_data(config), tiny_clip())
        said = " ".join(capsys.readouterr().err.split())
        assert len(prepared.images) == 1
        assert ("no other lends it a background" in said) is told
        assert "1 class, 1 epoch, batch" in said


def test_foregrounds_are_not_looked_at_where_no_term_acts(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("dapt.runs.prepare.check_foregrounds", lambda *given, **_: asked.append(given))
    weights = {"visual_weight": 0, "foreground_weight": 0, "background_weight": 0}
    given = {"data": str(table), "method": "maple", "depth": 2, "shots": 1, "device": "cpu", "cue": "dataset"}
    config = make_config({**given, "dapt": weights})
    prepared = prepare(config, load_run_data(config), tiny_clip())
    assert prepared.idle
    assert prepared.foregrounds is None
    assert asked == []
