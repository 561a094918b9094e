"""Whole runs on a tiny model: the same seed gives the same result, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dapt.clip.load import load_clip
from dapt.config import make_config
from dapt.runs.train import run_training
from helpers import stopping

POOR = {
    **{"variant": "joint", "words": "auto", "word_count": 6, "background_label": "cue"},
    **{"trust": "score", "min_area": 0.1, "max_area": 0.6},
}


def config(data: Path, spec: str, out: Path, **changes: object):
    settings = {
        "data": str(data),
        "model": spec,
        "method": "maple",
        "depth": 3,
        "shots": 4,
        "epochs": 3,
        "dapt": {"variant": "joint"},
        "out": str(out),
        "device": "cpu",
    }
    return make_config({**settings, **changes})


def prompts(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "prompts.safetensors")


def equal(a: Path, b: Path) -> bool:
    left, right = prompts(a), prompts(b)
    return list(left) == list(right) and all(torch.equal(left[name], right[name]) for name in left)


def test_run_folder_and_results(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    results = run_training(config(table, tiny_spec, out))
    files = {path.name.split(".")[0] for path in out.iterdir()}
    assert files == {"run", "metrics", "results", "prompts", "split", "inputs", "events", "log", ""}
    assert {path.name for path in out.iterdir() if path.name.startswith(".")} == {".dapt.json", ".lock"}
    assert not (out / "last.ckpt").exists()
    assert json.loads((out / "results.json").read_text()) == results.tree()
    assert results["schema"] == 2
    assert results["method"] == "maple"
    assert results["dapt"] is True
    assert set(results["metrics"]) >= {
        "test/accuracy",
        "test/accuracy_base",
        "test/accuracy_novel",
        "test/harmonic_mean",
        "test/worst_group",
        "cue/foreground_attention",
    }
    metrics = results["metrics"]
    assert 0 <= metrics["test/worst_group"] <= metrics["test/accuracy"] <= 100
    assert 0 < metrics["cue/foreground_attention"] < 100
    assert metrics["test/harmonic_mean"] is None
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    for key in ("loss", "L_cls", "L_v", "L_f", "L_b", "lr", "seconds", "images_per_second", "peak_memory_mb"):
        assert key in lines[0]
    scale = float(load_clip(tiny_spec).logit_scale)
    weighted = lines[0]["L_cls"] + 0.8 * scale / 100 * lines[0]["L_v"] + 0.1 * lines[0]["L_f"] + 0.5 * lines[0]["L_b"]
    assert lines[0]["loss"] == pytest.approx(weighted, rel=1e-4)
    split = json.loads((out / "split.json").read_text())
    assert len(split["train"]) == 16
    assert split["train"][0][0].startswith("images/")
    assert "epoch 3/3" in (out / "log.txt").read_text()


def test_same_seed_same_result_and_run_yaml_reproduces(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    from dapt.config_text import read_yaml

    run_training(config(table, tiny_spec, tmp_path / "a"))
    again = make_config({**read_yaml(tmp_path / "a" / "run.yaml"), "out": str(tmp_path / "b")})
    run_training(again)
    run_training(config(table, tiny_spec, tmp_path / "c", seed=2))
    assert equal(tmp_path / "a", tmp_path / "b")
    assert not equal(tmp_path / "a", tmp_path / "c")


@pytest.mark.parametrize(
    "changes",
    [
        {"cue": {"source": "gradcam", "refresh": 2}},
        pytest.param({"cue": {"source": "gradcam", "refresh": 0}}, marks=pytest.mark.long),
        pytest.param({"model_selection": "best_val"}, marks=pytest.mark.long),
        pytest.param({"dapt": POOR, "cue": "border"}, marks=pytest.mark.long),
        pytest.param({"dapt": POOR, "cue": {"source": "patches", "refresh": 2}}, marks=pytest.mark.long),
    ],
)
def test_resume_after_any_epoch_is_bit_equal(table: Path, tiny_spec: str, tmp_path: Path, changes) -> None:
    changes = {"epochs": 5, **changes}
    whole = config(table, tiny_spec, tmp_path / "whole", **changes)
    run_training(whole)
    for stop in (1, 3):
        out = tmp_path / f"cut{stop}"
        cut = config(table, tiny_spec, out, **changes)
        with pytest.raises(KeyboardInterrupt):
            run_training(cut, after_epoch=stopping(stop))
        assert (out / "last.ckpt").is_file()
        run_training(cut, resume=True)
        assert equal(tmp_path / "whole", out)
        first, second = (
            [
                {
                    k: v
                    for k, v in json.loads(line).items()
                    if k not in ("seconds", "images_per_second", "peak_memory_mb")
                }
                for line in (folder / "metrics.jsonl").read_text().splitlines()
            ]
            for folder in (tmp_path / "whole", out)
        )
        assert first == second
        trained = json.loads((out / "results.json").read_text())["timing"]["training_seconds"]
        lines = (out / "metrics.jsonl").read_text().splitlines()
        assert trained >= sum(json.loads(line)["seconds"] for line in lines) - 0.01, "epochs before it count, too"


@pytest.mark.slow
@pytest.mark.long
def test_killed_in_mid_epoch_and_resumed_is_bit_equal(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """kill -9 through the real program, while an epoch is running."""

    def command(out: Path) -> list[str]:
        arguments = ["train", str(table), "--model", tiny_spec, "--method", "maple", "--depth", "3", "--dapt"]
        arguments += ["--epochs", "60", "--shots", "4", "--device", "cpu", "--out", str(out)]
        return [sys.executable, "-m", "dapt", *arguments, "--set", "batch_size=2"]

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command(tmp_path / "whole"), check=True, env=environment, capture_output=True)
    out = tmp_path / "killed"
    process = subprocess.Popen(command(out), env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.15)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "results.json").exists(), "the run was over before it was killed"
    done = torch.load(out / "last.ckpt", weights_only=True)["epoch"]
    assert 1 <= done < 60
    subprocess.run([*command(out), "--resume"], check=True, env=environment, capture_output=True)
    assert equal(tmp_path / "whole", out)
    assert not (out / "last.ckpt").exists()


@pytest.mark.slow
@pytest.mark.long
def test_two_processes_equal_one_with_the_same_global_batch(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    common = [sys.executable, "-m", "dapt", "train", str(table), "--model", tiny_spec, "--depth", "3", "--dapt"]
    common += ["--epochs", "3", "--shots", "4", "--batch-size", "4", "--device", "cpu", "--set", "dapt.variant=joint"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for devices in (1, 2):
        out = tmp_path / str(devices)
        subprocess.run(
            [*common, "--devices", str(devices), "--out", str(out)], check=True, env=environment, capture_output=True
        )
    one, two = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()] for name in "12"
    )
    for left, right in zip(one, two, strict=True):
        for key in ("loss", "L_cls", "L_v", "L_f", "L_b", "train/accuracy"):
            assert left[key] == pytest.approx(right[key], rel=2e-4), key
    a, b = prompts(tmp_path / "1"), prompts(tmp_path / "2")
    assert all(torch.allclose(a[name], b[name], atol=1e-5) for name in a)


@pytest.mark.parametrize("precision", ["bf16", "16"])
def test_low_precision_towers_and_full_precision_prompts(
    table: Path, tiny_spec: str, tmp_path: Path, precision: str
) -> None:
    full = run_training(config(table, tiny_spec, tmp_path / "32", epochs=2))
    half = run_training(config(table, tiny_spec, tmp_path / precision, epochs=2, precision=precision))
    assert all(value.dtype == torch.float32 for value in prompts(tmp_path / precision).values())
    first, second = (
        json.loads((tmp_path / name / "metrics.jsonl").read_text().splitlines()[0]) for name in ("32", precision)
    )
    assert second["loss"] == pytest.approx(first["loss"], rel=0.05)
    assert half["metrics"]["test/accuracy"] is not None
    recognised = ("cue_recognised_whole", "cue_recognised_foreground")  # by another precision
    counts = [{key: run["counts"][key] for key in run["counts"] if key not in recognised} for run in (full, half)]
    assert counts[0] == counts[1]


def test_base_to_novel(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    results = run_training(config(table, tiny_spec, tmp_path / "run", subset="base"))
    metrics = results["metrics"]
    assert results["counts"]["classes"] == results["counts"]["classes_novel"] == 2
    assert metrics["test/accuracy"] == metrics["test/accuracy_base"]
    base, novel = metrics["test/accuracy_base"], metrics["test/accuracy_novel"]
    expected = 2 * base * novel / (base + novel) if base + novel else 0.0
    assert metrics["test/harmonic_mean"] == pytest.approx(expected)
    assert set(results["per_class"]) == {"red square", "blue disc", "green bar", "white ring"}
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    assert {row[2] for row in split["train"]} == {"red square", "blue disc"}
    assert {row[2] for row in split["novel"]} == {"green bar", "white ring"}


def test_class_specific_prompts_have_no_novel_accuracy(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    changes = {"method": "coop.csc", "depth": None, "n_ctx": 2, "subset": "base", "epochs": 1}
    results = run_training(config(table, tiny_spec, tmp_path / "run", **changes))
    assert results["metrics"]["test/accuracy_novel"] is None
    assert results["metrics"]["test/accuracy_base"] is not None


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("zero_shot", {"dapt": False, "depth": None}),
        ("coop", {"depth": None, "n_ctx": 2}),
        ("vpt", {}),
        ("ivlp", {}),
        ("maple", {"optimizer": "adamw"}),
        ("maple", {"dapt": {"variant": "phased"}}),
        ("maple", {"grad_checkpointing": True, "cue": "random"}),
        ("maple", {"cue": "none"}),
    ],
)
def test_every_method_runs(table: Path, tiny_spec: str, tmp_path: Path, method: str, changes: dict) -> None:
    changes = {"epochs": 2, "method": method, **changes}
    results = run_training(config(table, tiny_spec, tmp_path / "run", **changes))
    assert results["metrics"]["test/accuracy"] is not None
    assert results["counts"]["test"] == 8


def test_training_lowers_the_loss(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    changes = {"epochs": 12, "lr": 0.02, "dapt": False, "crop_scale": (0.7, 1.0)}
    run_training(config(photos, tiny_spec, tmp_path / "run", **changes))
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.9 * lines[0]["loss"]
