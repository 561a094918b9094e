"""Training steps recorded as CUDA graphs are those that are computed kernel by kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from on_device import apart
from test_runs_on_device import lines, prompts, settings

from benchmarks.syncs import make_fitter, waits
from dapt.config import make_config
from dapt.runs.train import run_training
from dapt.training.graph_step import WARM_UP, CudaRecorder
from dapt.training.tally import Tally
from helpers import stopping

pytestmark = pytest.mark.device

ALONE: dict[str, Any] = {"dapt": {"enabled": False}}
PHASED: dict[str, Any] = {"dapt": {"enabled": True, "variant": "phased", "switch": 0.5}, "epochs": 4}
RUNS: dict[str, tuple[dict[str, Any], int | None]] = {  # and how many recordings there are, if that is promised
    "coop": ({"method": "coop", **ALONE}, 1),
    "maple": (ALONE, 1),
    "maple, joint": ({}, 1),
    "maple, phased": (PHASED, 2),
    "maple, phased, smaller last batch": ({**PHASED, "batch_size": 5, "drop_last": False}, 2),
    "maple, new masks": ({**PHASED, "cue": {"source": "gradcam", "refresh": 1}}, 2),
    "maple, gate": ({"dapt": {"enabled": True, "variant": "joint", "gate": True}}, 1),
    "cocoop": ({"method": "cocoop", **ALONE}, 1),
    "promptsrc": ({"method": "promptsrc", **ALONE}, 1),
    "prograd": ({"method": "prograd", **ALONE}, 1),
    "kgcoop": ({"method": "kgcoop", **ALONE}, 1),
    "clip_lora": ({"method": "clip_lora", **ALONE, "prompt": {"dropout": 0.25}}, 1),
    "clap": ({"method": "clap", **ALONE}, 1),
    "coop, texts in chunks": ({"method": "coop", "text_memory_mb": 1, **ALONE}, None),
    "maple, noise": ({"dapt": {"enabled": True, "variant": "joint", "fill": "noise"}}, 1),
    "adamw": ({"optimizer": "adamw", "lr": 0.002, **ALONE}, 1),
    "lion": ({"optimizer": "lion", "lr": 0.0003, **ALONE}, 1),
    "muon": ({"optimizer": "muon", "lr": 0.002, **ALONE}, 1),
    "one cycle, margins": ({"schedule": "one_cycle", "stop_margin": 0.9, "stop_share": 1.0, **ALONE}, 1),
}


@pytest.fixture
def recordings(device: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The recordings that were made."""
    if torch.device(device).type != "cuda":
        pytest.skip("there are no CUDA graphs")
    found: list[Any] = []
    record = CudaRecorder.record

    def counted(self: CudaRecorder, run: Any) -> Any:
        made = record(self, run)
        found.append(made)
        return made

    monkeypatch.setattr(CudaRecorder, "record", counted)
    return found


def train(scenes: Path, out: Path, device: str, **changes: Any) -> Path:
    run_training(make_config(settings(scenes, out, device, **{"batch_size": 4, **changes})))
    return out


def assert_alike(one: Path, other: Path, loss: float = 1e-3, parameters: float = 1e-2) -> None:
    for first, second in zip(lines(one), lines(other), strict=True):
        assert second["loss"] == pytest.approx(first["loss"], rel=loss, abs=1e-5)
    expected, found = prompts(one), prompts(other)
    assert expected.keys() == found.keys()
    assert all(apart(found[name], expected[name]) <= parameters for name in expected if expected[name].any())


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_that_without_graphs(
    name: str, scenes: Path, device: str, tmp_path: Path, recordings: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    changes, count = RUNS[name]
    off = train(scenes, tmp_path / "off", device, cuda_graph="off", **changes)
    assert not recordings
    on = train(scenes, tmp_path / "on", device, **changes)
    assert count is None or len(recordings) == count, capsys.readouterr().err
    assert_alike(off, on)


@pytest.mark.parametrize(("precision", "loss"), [("bf16", 0.02), ("16", 0.02)])
def test_half_precision(
    precision: str, loss: float, scenes: Path, device: str, tmp_path: Path, recordings: list[Any]
) -> None:
    off = train(scenes, tmp_path / "off", device, cuda_graph="off", precision=precision)
    on = train(scenes, tmp_path / "on", device, precision=precision)
    assert len(recordings) == 1
    assert_alike(off, on, loss, 0.05)


@pytest.mark.parametrize("name", ["maple, phased", "clip_lora"])
def test_a_stopped_run_goes_on(name: str, scenes: Path, device: str, tmp_path: Path, recordings: list[Any]) -> None:
    changes, _ = RUNS[name]
    whole = train(scenes, tmp_path / "whole", device, **changes)
    cut = make_config(settings(scenes, tmp_path / "cut", device, **{"batch_size": 4, **changes}))
    with pytest.raises(KeyboardInterrupt):
        run_training(cut, after_epoch=stopping(1))
    made = len(recordings)
    run_training(cut, resume=True)
    assert len(recordings) > made
    assert_alike(whole, tmp_path / "cut")


@pytest.mark.parametrize("graph", ["auto", "off"])
@pytest.mark.parametrize(
    ("name", "dapt"), [("maple", True), ("coop", False), ("promptsrc", False), ("clip_lora", False), ("prograd", True)]
)
def test_steps_do_not_wait(name: str, dapt: bool, graph: str, device: str, recordings: list[Any]) -> None:
    fitter, batch = make_fitter(name, device, dapt=dapt, cuda_graph=graph)
    for number in range(WARM_UP + 2):
        fitter._step(batch, 0, number)
    assert (fitter.graph is not None and fitter.graph.recorded) == (graph == "auto")
    found = waits(lambda: [fitter._step(batch, 0, number) for number in range(5)])
    assert not found


def test_figures_are_read_together(device: str, recordings: list[Any]) -> None:
    seen: list[int] = []
    tally = Tally(lambda loss, figures, number: seen.append(number), 10)
    values = {"loss": torch.ones((), device=device), "L_cls": torch.ones((), device=device)}
    tally.add(values, 4)
    found = waits(lambda: [tally.add(values, 4) for _ in range(19)])
    assert sum(found.values()) == 2
    assert seen == list(range(20))
