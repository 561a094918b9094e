"""Opening what was saved: a model's folder, a run's folder, a prompts file alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import dapt
from dapt.config import make_config
from dapt.errors import ConfigError, ModelError
from dapt.model.pretrained import open_pretrained
from dapt.runs.train import run_training
from helpers import make_csv, run_with, save_tiny_model, tiny_clip, tiny_model

NAMES = ["red square", "blue disc"]
PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Path:
    model = dapt.create_model(tiny_spec, "maple", NAMES, depth=2, device="cpu", dapt={"margin": 0.5})
    model.set_classes(["cat", "dog", "cow"])
    return model.save_pretrained(tmp_path_factory.mktemp("saved") / "model")


def test_in_evaluation_mode_with_the_classes_it_was_saved_with(folder: Path) -> None:
    model = open_pretrained(folder, device="cpu")
    assert not model.training
    assert model.names == ["cat", "dog", "cow"]
    assert model(PIXELS).shape == (2, 3)
    assert (model.made_with.dapt.enabled, model.made_with.dapt.margin) == (True, 0.5)
    with pytest.raises(ConfigError, match="no objectives"):
        model.loss(dapt.Batch(PIXELS, torch.tensor([0, 1])))


def test_the_prompts_file_alone_is_enough(folder: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(folder / "prompts.safetensors", tmp_path / "mine.safetensors"))
    model = open_pretrained(alone, device="cpu")
    assert torch.equal(model(PIXELS), open_pretrained(folder, device="cpu")(PIXELS))
    assert model.made_with.dapt.margin == 0.5


def test_the_frozen_model_may_be_given(folder: Path, tmp_path: Path) -> None:
    expected = open_pretrained(folder, device="cpu")(PIXELS)
    own = tiny_model()
    for given in (save_tiny_model(tmp_path / "copy"), tiny_clip(), own):
        assert torch.equal(open_pretrained(folder, model=given, device="cpu")(PIXELS), expected)
    assert not any(part.requires_grad for part in own.parameters())
    with pytest.raises(ModelError, match="the weights are different"):
        open_pretrained(folder, model=tiny_clip(seed=1))


def test_a_model_without_a_name_has_to_be_given(tmp_path: Path) -> None:
    folder = dapt.create_model(tiny_model(), "coop", NAMES, n_ctx=2).save_pretrained(tmp_path / "model")
    with pytest.raises(ConfigError, match="a model that has no name"):
        open_pretrained(folder)
    assert open_pretrained(folder, model=tiny_model())(PIXELS).shape == (2, 2)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no run"):
        open_pretrained(tmp_path / "absent")
    with pytest.raises(ModelError, match="cannot be read"):
        open_pretrained(tmp_path / "absent.safetensors")


def test_a_run_whose_plugin_has_moved_is_opened_and_it_is_said(tiny_spec: str, tmp_path: Path, capsys) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text("")
    given = run_with(make_csv(tmp_path / "table"), tiny_spec, tmp_path / "run", epochs=1)
    run_training(make_config({**given, "plugins": [str(plugin)]}))
    expected = open_pretrained(tmp_path / "run", device="cpu")(PIXELS)
    plugin.rename(tmp_path / "moved.py")
    capsys.readouterr()
    assert torch.equal(open_pretrained(tmp_path / "run", device="cpu")(PIXELS), expected)
    assert "mine.py of this run is not there any more" in capsys.readouterr().err
