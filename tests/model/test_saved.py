"""Finding what was saved, and building it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import dapt
from dapt.clip.load import load_clip
from dapt.errors import ConfigError, ModelError
from dapt.model.prompts_file import SavedPrompts, load_prompts
from dapt.model.saved import find_prompts, open_model, rebuild_model
from helpers import tiny_clip

NAMES = ["red square", "blue disc"]
PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_spec: str) -> Path:
    model = dapt.create_model(tiny_spec, "maple", NAMES, depth=2, device="cpu", seed=5)
    return model.save_pretrained(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def saved(folder: Path) -> SavedPrompts:
    return load_prompts(find_prompts(folder))


def test_a_folder_or_the_file_itself(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_prompts(folder) == folder / "prompts.safetensors"
    assert find_prompts(str(folder / "prompts.safetensors")) == folder / "prompts.safetensors"
    assert find_prompts(tmp_path / "absent.safetensors") == tmp_path / "absent.safetensors", "reading it will tell"
    monkeypatch.setenv("HOME", str(folder.parent))
    assert find_prompts("~/model") == folder / "prompts.safetensors"


def test_what_is_not_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no run") as caught:
        find_prompts(folder.parent / "modle")
    assert "model" in caught.value.todo
    with pytest.raises(ConfigError, match="no finished run") as caught:
        find_prompts(tmp_path)
    assert "save_pretrained" in caught.value.todo
    (tmp_path / "run.yaml").write_text("data: x\n")
    with pytest.raises(ConfigError, match="no finished run") as caught:
        find_prompts(tmp_path)
    assert "--resume" in caught.value.todo


def test_runs_inside_a_folder_are_named(folder: Path) -> None:
    """As in the cell of a protocol, whose runs have folders of their own."""
    with pytest.raises(ConfigError, match="no finished run") as caught:
        find_prompts(folder.parent)
    assert str(folder) in caught.value.todo


def test_it_is_built_again(folder: Path, saved: SavedPrompts, tiny_spec: str) -> None:
    before = dapt.create_model(tiny_spec, "maple", NAMES, depth=2, device="cpu", seed=5).eval()
    assert torch.equal(rebuild_model(saved, tiny_clip()).eval()(PIXELS), before(PIXELS))
    opened = open_model(str(folder), like=tiny_clip())
    assert opened.names == NAMES
    assert torch.equal(opened.eval()(PIXELS), before(PIXELS))
    assert opened.made_with.method == "maple"


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("16", torch.float16)])
def test_in_the_precision_of_another(folder: Path, tiny_spec: str, precision: str, kind: torch.dtype) -> None:
    opened = open_model(str(folder), like=load_clip(tiny_spec, precision=precision))
    assert opened.clip.model.visual.conv1.weight.dtype == kind


def test_another_backbone(saved: SavedPrompts) -> None:
    with pytest.raises(ModelError, match="the weights are different"):
        rebuild_model(saved, tiny_clip(seed=1))


def test_options_of_a_newer_version_are_left_out(saved: SavedPrompts, capsys: pytest.CaptureFixture[str]) -> None:
    newer = replace(saved, options={**saved.options, "sparkle": 3})
    one, two = (rebuild_model(each, tiny_clip()).eval() for each in (newer, saved))
    assert torch.equal(one(PIXELS), two(PIXELS))
    assert "does not know the saved options 'sparkle' of maple" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"method": "mapel"}, ConfigError, "There is no method 'mapel'"),
        ({"options": [1]}, ModelError, "are no table"),
        ({"options": {"depth": -1}}, ModelError, "do not fit maple"),
        ({"tensors": {}}, ModelError, "do not fit maple"),
    ],
)
def test_descriptions_that_do_not_fit(saved: SavedPrompts, changes: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        rebuild_model(replace(saved, **changes), tiny_clip())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("shape", "do not fit maple"),
        ("name", "do not fit maple"),
        ("nan", "1 of the numbers of"),
        ("inf", "1 of the numbers of"),
        ("complex", "holds complex numbers"),
    ],
)
def test_tensors_that_do_not_fit(saved: SavedPrompts, damage: str, message: str) -> None:
    tensors = {name: value.clone() for name, value in saved.tensors.items()}
    name = next(iter(tensors))
    if damage == "shape":
        tensors[name] = tensors[name][..., :-1]
    elif damage == "name":
        tensors["other"] = tensors.pop(name)
    elif damage == "complex":
        tensors[name] = tensors[name].to(torch.complex64)
    else:
        tensors[name].view(-1)[0] = float(damage)
    with pytest.raises(ModelError, match=message):
        rebuild_model(replace(saved, tensors=tensors), tiny_clip())
