"""The model of a finished run: its prompts, its classes, its backbone or another copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dapt.config import make_config
from dapt.errors import ConfigError, ModelError
from dapt.runs.load_run import load_run
from dapt.runs.train import run_training
from helpers import make_csv, run_with, save_tiny_model


def test_prompts_and_classes_are_those_of_the_run(trained: Path, tiny_spec: str) -> None:
    model, config = load_run(trained, device="cpu")
    stored = load_file(trained / "prompts.safetensors")
    found = model.prompts.state_dict()
    assert set(found) == set(stored)
    assert all(torch.equal(found[name], value) for name, value in stored.items())
    assert list(model.names) == ["red square", "blue disc", "green bar", "white ring"]
    assert model.clip.spec == tiny_spec
    assert (config.method, config.epochs, config.shots) == ("maple", 1, 2)


def test_a_copy_of_the_backbone_will_do_and_another_will_not(trained: Path, tmp_path: Path) -> None:
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    copy = save_tiny_model(tmp_path / "copy")
    moved, own = load_run(trained, model_spec=copy, device="cpu")[0], load_run(str(trained), device="cpu")[0]
    assert moved.clip.spec == copy
    assert torch.equal(moved.eval()(pixels), own.eval()(pixels))
    with pytest.raises(ModelError, match="the weights are different"):
        load_run(trained, model_spec=save_tiny_model(tmp_path / "other", seed=1), device="cpu")


def test_a_backbone_that_has_moved(tmp_path: Path) -> None:
    spec = save_tiny_model(tmp_path / "backbone")
    run_training(make_config(run_with(make_csv(tmp_path / "table"), spec, tmp_path / "run", epochs=1)))
    (tmp_path / "backbone").rename(tmp_path / "moved")
    with pytest.raises(ModelError, match=r"The backbone of .*run cannot be loaded: There is no model folder") as found:
        load_run(tmp_path / "run", device="cpu")
    assert "--model" in found.value.todo
    model, _ = load_run(tmp_path / "run", model_spec=f"local-dir:{tmp_path / 'moved'}", device="cpu")
    assert len(model.names) == 4
    with pytest.raises(ModelError, match=r"^There is no model folder"):
        load_run(tmp_path / "run", model_spec=spec, device="cpu")


def test_what_is_no_finished_run(trained: Path, run: Path) -> None:
    with pytest.raises(ConfigError, match="There is no run"):
        load_run(run.parent / "rn", device="cpu")
    (run / "prompts.safetensors").unlink()
    with pytest.raises(ConfigError, match="holds no finished run"):
        load_run(run, device="cpu")
