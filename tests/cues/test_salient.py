"""What stands out, with a network that was trained on rendered scenes; see tools/train_tiny_segmenter.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import render
from segmenters import asked

FILE = Path(__file__).parent / "tiny_segmenter.onnx"

pytestmark = pytest.mark.long


def _scenes(count: int) -> tuple[dict[str, torch.Tensor], list[torch.Tensor]]:
    """New scenes, larger than those of the training."""
    photos, masks = {}, []
    names, grounds = class_names(), list(BACKGROUNDS)
    for place in range(count):
        rng = np.random.default_rng((77, place))
        scene = render(str(rng.choice(names)), str(rng.choice(grounds)), (77, place, 1), 160)
        photos[f"{place}.png"] = torch.from_numpy(scene.image).permute(2, 0, 1).contiguous()
        masks.append(torch.from_numpy(scene.mask) > 127)
    return photos, masks


def test_a_trained_network_finds_the_objects_of_new_scenes() -> None:
    photos, true = _scenes(40)
    cue, items = asked("salient", photos, model=str(FILE))
    found = cue.prepare(items, None)
    overlaps = [
        0.0 if mask is None else float((mask & there).sum() / (mask | there).sum())
        for mask, there in zip(found, true, strict=True)
    ]
    assert sum(overlaps) / len(overlaps) >= 0.8
    assert all(mask is None or mask.shape == (160, 160) for mask in found)
    assert all(0 <= score <= 1 for score in cue.report.scores.values())


def test_soft_maps_and_nothing_found() -> None:
    photos, true = _scenes(2)
    photos["empty.png"] = torch.full((3, 90, 120), 128, dtype=torch.uint8)
    cue, items = asked("salient", photos, model=str(FILE), soft=True)
    masks = cue.prepare(items, None)
    assert cue.soft
    assert masks[0].dtype == torch.float32
    assert float(((masks[0] > 0.02) & (masks[0] < 0.98)).float().mean()) > 0.02 or len(masks[0].unique()) > 10
    assert float(masks[0][true[0]].mean()) > float(masks[0][~true[0]].mean()) + 0.5
    cue, items = asked("salient", photos, model=str(FILE), threshold=1.0)
    assert cue.prepare(items, None)[2] is None
    assert "empty.png" in cue.report.missing


def test_masks_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image
    from typer.testing import CliRunner

    from dapt.cli.app import app
    from dapt.files import read_json

    photos, true = _scenes(4)
    for place, (name, photo) in enumerate(photos.items()):
        folder = tmp_path / "photos" / ("one", "two")[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.permute(1, 2, 0).numpy()).save(folder / name)
    out = tmp_path / "masks"
    command = ["masks", str(tmp_path / "photos"), "--cue", "salient", "--out", str(out), "--set", f"cue.model={FILE}"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    written = np.array(Image.open(out / "one" / "0.png")) > 127
    assert (written & true[0].numpy()).sum() / (written | true[0].numpy()).sum() > 0.5
    settings = read_json(out / "masks.json")["settings"]
    assert settings["cue_model"] == str(FILE)
    assert len(settings["cue_weights"]) == 64
    other = tmp_path / "other.onnx"
    other.write_bytes(FILE.read_bytes() + b"\n")
    again = CliRunner().invoke(app, [*command[:-1], f"cue.model={other}"])
    assert again.exit_code != 0
