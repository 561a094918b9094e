"""Whole runs on a GPU: trained, stopped and resumed, saved there and used elsewhere."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from on_device import apart
from safetensors.torch import load_file

import dapt
from dapt.config import make_config
from dapt.model.classifier import Classifier
from dapt.runs.load_run import load_run
from dapt.runs.train import run_training
from helpers import REPOSITORY, stopping

pytestmark = pytest.mark.device

ALONE = ["maple", "coop", "cocoop", "promptsrc", "clip_lora", "tip_adapter", "linear_probe"]
TRAINED = [(name, False) for name in ALONE] + [("maple", True), ("coop", True)]
COMMON = ["--model", "demo", "--epochs", "3", "--shots", "4", "--batch-size", "8"]


def settings(scenes: Path, out: Path, device: str, **changes: Any) -> dict[str, Any]:
    given = {
        **{"data": str(scenes), "model": "demo", "method": "maple", "shots": 4, "epochs": 3, "batch_size": 8},
        **{"dapt": {"enabled": True, "variant": "joint"}, "device": device, "out": str(out)},
    }
    return {**given, **changes}


def lines(out: Path) -> list[dict[str, Any]]:
    text = (out / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def prompts(out: Path) -> dict[str, torch.Tensor]:
    return load_file(next(out.glob("prompts*.safetensors")))


@pytest.mark.parametrize(("method", "with_dapt"), TRAINED, ids=[f"{name}{'+dapt' * both}" for name, both in TRAINED])
def test_a_run_goes_as_on_the_cpu(
    method: str, with_dapt: bool, scenes: Path, device: str, tmp_path: Path, dapt
) -> None:
    more = ["--method", method, *(["--dapt", "--set", "dapt.variant=joint"] if with_dapt else [])]
    here, there = tmp_path / "here", tmp_path / "there"
    for where, out in (("cpu", here), (device, there)):
        code, _, said = dapt("train", scenes, *COMMON, *more, "--device", where, "--out", out)
        assert code == 0, said
    results = json.loads((there / "results.json").read_text())
    if torch.device(device).type == "cuda":
        assert results["environment"]["gpu"]
    if method not in ("tip_adapter", "linear_probe"):
        for expected, found in zip(lines(here), lines(there), strict=True):
            assert found["loss"] == pytest.approx(expected["loss"], rel=0.02)
            assert found["peak_memory_mb"] > 0
    code, _, said = dapt("eval", there, "--device", "cpu")
    assert code == 0, said
    code, _, said = dapt("eval", there, scenes, "--device", device, "--json", tmp_path / "again.json")
    assert code == 0, said


@pytest.mark.parametrize("precision", ["bf16", "16"])
def test_runs_in_half_precision(precision: str, scenes: Path, device: str, tmp_path: Path) -> None:
    run_training(make_config(settings(scenes, tmp_path / "r", device, precision=precision)))
    assert all(math.isfinite(line["loss"]) for line in lines(tmp_path / "r"))
    assert lines(tmp_path / "r")[-1]["loss"] < 1.05 * lines(tmp_path / "r")[0]["loss"]


@pytest.mark.parametrize("method", ["maple", "prograd"])
def test_a_stopped_run_goes_on(method: str, scenes: Path, device: str, tmp_path: Path) -> None:
    whole, cut = (make_config(settings(scenes, tmp_path / name, device, method=method)) for name in ("whole", "cut"))
    run_training(whole)
    with pytest.raises(KeyboardInterrupt):
        run_training(cut, after_epoch=stopping(1))
    assert (tmp_path / "cut" / "last.ckpt").is_file()
    run_training(cut, resume=True)
    for one, other in zip(lines(tmp_path / "whole"), lines(tmp_path / "cut"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)
    one, other = (prompts(tmp_path / name) for name in ("whole", "cut"))
    assert all(apart(other[name], one[name]) <= 1e-2 for name in one)


def test_masks_that_follow_the_prompts_and_loader_processes(scenes: Path, device: str, tmp_path: Path) -> None:
    changes = {"cue": {"source": "gradcam", "refresh": 1}, "workers": 2}
    run_training(make_config(settings(scenes, tmp_path / "r", device, **changes)))
    assert len(lines(tmp_path / "r")) == 3


def test_a_deterministic_run_repeats_to_the_bit(scenes: Path, device: str, tmp_path: Path) -> None:
    """In processes of their own: the setting stays, and cuBLAS reads its own when it is first used."""
    environment = {name: value for name, value in os.environ.items() if name != "CUBLAS_WORKSPACE_CONFIG"}
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY / "src"), environment.get("PYTHONPATH", "")])
    started = []
    for name in "ab":
        command = [sys.executable, "-m", "dapt", "train", str(scenes), *COMMON, "--dapt", "--device", device]
        command += ["--set", "deterministic=true", "--set", "dapt.variant=joint", "--out", str(tmp_path / name)]
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    for process in started:
        said = process.communicate()[1]
        assert process.returncode == 0, said
    one, other = (prompts(tmp_path / name) for name in "ab")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_saved_there_and_used_here(scenes: Path, device: str, tmp_path: Path) -> None:
    run_training(make_config(settings(scenes, tmp_path / "r", device)))
    pixels = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(7))
    here, there = (load_run(tmp_path / "r", device=where)[0] for where in ("cpu", device))
    assert apart(Classifier(there)(pixels.to(there.device)), Classifier(here)(pixels)) <= 1e-3


def test_commands_that_use_a_run(scenes: Path, device: str, tmp_path: Path, dapt) -> None:
    run_training(make_config(settings(scenes, tmp_path / "r", device, epochs=1)))
    images = sorted((scenes.parent / "images").rglob("*.*"))[:3]
    code, out, said = dapt("predict", tmp_path / "r", *images, "--device", device)
    assert code == 0, said
    assert out
    code, _, said = dapt("masks", scenes, "--run", tmp_path / "r", "--out", tmp_path / "masks", "--device", device)
    assert code == 0, said
    assert any((tmp_path / "masks").rglob("*.png"))
    code, _, said = dapt(
        "train", scenes, *COMMON, "--select", "craig", "--fraction", "0.5", "--device", device, "--out", tmp_path / "s"
    )
    assert code == 0, said


def test_the_library_trains_there(device: str, tmp_path: Path) -> None:
    model = dapt.create_model("demo", "maple", ["apple", "boat", "car"], device=device, dapt=True)
    dapt.create_objectives(model)
    size = model.clip.image.image_size
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(4, 3, *size, generator=generator).to(model.device)
    masks = (torch.rand(4, 1, *size, generator=generator) > 0.5).float().to(model.device)
    batch = dapt.Batch(pixels, torch.tensor([0, 1, 2, 0], device=model.device), masks)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss, _ = model.loss(batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    model.eval()
    expected = model(pixels).detach()
    again = dapt.load_model(model.save_pretrained(tmp_path / "saved"), device="cpu")
    assert apart(again(pixels.cpu()), expected) <= 1e-3
