"""Loading models of the transformers library: what is missing, damaged or not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from dapt.cues.transformers_model import load_model, transformers_library
from dapt.errors import ModelError, NotSupportedError
from segmenters import asked, noise, tiny_clipseg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_clipseg(tmp_path / "model")


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    cue, items = asked("clipseg", noise((8, 8)), model="/nowhere")
    with pytest.raises(NotSupportedError, match="clipseg needs the package transformers") as caught:
        cue.ready(items, None)
    assert "pip install 'dapt[segment]'" in caught.value.todo


def test_an_old_package_is_told() -> None:
    with pytest.raises(NotSupportedError, match="has no Sam9Model"):
        transformers_library("sam9", "Sam9Model")


@pytest.mark.long
def test_weights_that_are_missing_are_not_made_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import CLIPSegForImageSegmentation

    file = folder / "model.safetensors"
    weights = load_file(file)
    few = {name: value for name, value in weights.items() if name != "clip.logit_scale"}
    save_file(few, file, metadata={"format": "pt"})
    assert not load_model(CLIPSegForImageSegmentation, folder, "cpu").training
    assert "lack 1 of the" in capsys.readouterr().err
    save_file(
        {name: value for name, value in weights.items() if "decoder" not in name}, file, metadata={"format": "pt"}
    )
    with pytest.raises(ModelError, match=r"The weights in .* lack \d+ of the \d+ that the model has"):
        load_model(CLIPSegForImageSegmentation, folder, "cpu")


@pytest.mark.long
def test_weights_of_another_shape_are_named(folder: Path) -> None:
    from transformers import CLIPSegForImageSegmentation

    weights = load_file(folder / "model.safetensors")
    name = next(key for key in weights if key.endswith("mlp.fc1.weight"))
    weights[name] = weights[name][:, :4].contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="cannot be loaded as CLIPSegForImageSegmentation"):
        load_model(CLIPSegForImageSegmentation, folder, "cpu")
