"""Methods without training steps, or with steps on saved features, from the command line on drawn scenes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import dapt as package
from dapt.demo.scene_data import write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes") / "data"
    return write_scenes(root, classes=4, train_per_class=4, test_per_class=4, size=64, jobs=1)


def arguments(scenes: Path, out: Path, method: str, *more: object) -> list[object]:
    given = ["train", scenes, "--model", "demo", "--method", method, "--shots", 4, "--device", "cpu", "--out", out]
    return [*given, *more]


@pytest.mark.parametrize(
    ("method", "said", "more"),
    [
        ("gda", "alpha", ["--set", "prompt.views=2"]),
        ("lp_plus", "of 300", []),
        ("clip_adapter", "", ["--set", "prompt.views=2", "--epochs", 10]),
    ],
)
def test_trained_and_used(dapt, scenes: Path, tmp_path: Path, method: str, said: str, more: list[object]) -> None:
    out = tmp_path / "run"
    code, printed, err = dapt(*arguments(scenes, out, method, *more))
    assert code == 0, err
    assert said in printed + err
    results = json.loads((out / "results.json").read_text())
    assert results["metrics"]["test/accuracy"] >= 50, "4 classes"
    assert dapt("eval", out)[0] == 0
    (again,) = (out / "eval").glob("*-test.json")
    for key, value in json.loads(again.read_text())["metrics"].items():
        assert value == (None if value is None else pytest.approx(results["metrics"][key], abs=1e-6)), key
    model = package.load_model(out).eval()
    pixels = torch.randn(2, 3, *model.clip.image.image_size, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(model.plain()(pixels), model(pixels), atol=1e-3)
    code, said_of_it, err = dapt("predict", out, next(scenes.parent.rglob("*.png")))
    assert code == 0, err
    assert "%" in said_of_it


def test_base_to_novel_in_closed_form(dapt, scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, _, err = dapt(*arguments(scenes, out, "gda.base_to_new", "--subset", "base", "--set", "prompt.views=2"))
    assert code == 0, err
    assert "new classes take all of them" in err
    metrics = json.loads((out / "results.json").read_text())["metrics"]
    assert metrics["test/accuracy_novel"] is not None
    assert metrics["test/harmonic_mean"] is not None


@pytest.mark.parametrize("method", ["gda", "lp_plus"])
def test_no_steps_for_the_terms_of_dapt(dapt, scenes: Path, tmp_path: Path, method: str) -> None:
    code, _, err = dapt(*arguments(scenes, tmp_path / "run", method, "--dapt"))
    assert code == 2
    assert f"{method} has no training steps" in err


def test_the_terms_of_dapt_act_on_an_adapter(dapt, scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    more = ["--dapt", "--cue", "masks", "--epochs", 4, "--set", "prompt.views=2"]
    code, _, err = dapt(*arguments(scenes, out, "clip_adapter", *more))
    assert code == 0, err
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert {"L_v", "L_b"} <= set(lines[-1])


def test_one_image_of_each_class_has_no_covariance(dapt, scenes: Path, tmp_path: Path) -> None:
    code, _, err = dapt(*arguments(scenes, tmp_path / "run", "gda", "--shots", 1, "--set", "prompt.views=0"))
    assert code == 2
    assert "no covariance" in err
    assert "Traceback" not in err
