"""ProLIP from the command line on scenes and model of the demonstration: trained, judged again, exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import dapt as package
from dapt.demo.scene_data import write_scenes
from helpers import save_tiny_model


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes") / "data"
    return write_scenes(root, classes=4, train_per_class=4, test_per_class=4, size=64, jobs=1)


def arguments(scenes: Path, out: Path, *more: object) -> list[object]:
    given = ["train", scenes, "--model", "demo", "--method", "prolip", "--shots", 4, "--lr", 0.001, "--device", "cpu"]
    return [*given, "--set", "prompt.views=2", "--epochs", 20, "--out", out, *more]


@pytest.mark.parametrize("more", [(), ("--dapt", "--cue", "masks")])
def test_trained_and_used(dapt, scenes: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    out = tmp_path / "run"
    code, _, err = dapt(*arguments(scenes, out, *more))
    assert code == 0, err
    assert "lambda 0.25: one over 4 training images of a class" in err
    assert "left out" not in err
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["L_cls"] < lines[0]["L_cls"]
    assert lines[0]["lr"] == pytest.approx(0.001)
    terms = {name for line in lines for name in line if name.startswith("L_")}
    assert terms == {"L_cls", "L_anchor"} | ({"L_v", "L_f", "L_b"} if more else set())
    results = json.loads((out / "results.json").read_text())
    assert dapt("eval", out)[0] == 0
    (again,) = (out / "eval").glob("*-test.json")
    for key, value in json.loads(again.read_text())["metrics"].items():
        assert value == (None if value is None else pytest.approx(results["metrics"][key], abs=1e-6)), key
    tensors = load_file(out / "prompts.safetensors")
    assert set(tensors) == {"visual_proj", "anchor"}
    model = package.load_model(out).eval()
    pixels = torch.randn(2, 3, *model.clip.image.image_size, generator=torch.Generator().manual_seed(0))
    before = model(pixels)
    assert torch.allclose(model.plain()(pixels), before, atol=1e-3)
    assert torch.allclose(torch.export.export(model.plain(), (pixels,)).module()(pixels), before, atol=1e-3)
    folder = model.save_pretrained(tmp_path / "saved")
    assert torch.equal(package.load_model(folder).eval()(pixels), before)
    image = next(scenes.parent.rglob("*.png"))
    code, said, err = dapt("predict", out, image)
    assert code == 0, err
    assert "%" in said
    model.set_classes(["a cat", "a dog", "a boat"])
    assert model(pixels).shape == (2, 3)


def test_base_to_novel(dapt, scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, _, err = dapt(*arguments(scenes, out, "--subset", "base"))
    assert code == 0, err
    metrics = json.loads((out / "results.json").read_text())["metrics"]
    assert metrics["test/accuracy_base"] is not None
    assert metrics["test/accuracy_novel"] is not None


def test_a_model_without_a_projection_is_refused(dapt, scenes: Path, tmp_path: Path) -> None:
    resnet = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}
    spec = save_tiny_model(tmp_path / "resnet", vision_cfg=resnet)
    code, _, err = dapt(*arguments(scenes, tmp_path / "run", "--model", spec))
    assert code == 2
    assert "does not end with a projection matrix" in err
    assert "Traceback" not in err
