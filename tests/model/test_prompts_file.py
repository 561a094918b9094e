"""The file of learned prompts: what comes back, equal bytes, and everything that is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dapt.clip.frozen import FrozenClip
from dapt.errors import ModelError
from dapt.model.prompts_file import check_backbone, load_prompts, prompts_content, save_prompts
from helpers import tiny_clip, with_digest

TENSORS = {"b": torch.arange(6.0).view(2, 3), "a": torch.tensor([0.5])}


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return tiny_clip()


@pytest.fixture
def about(clip: FrozenClip) -> dict[str, Any]:
    return {"method": "coop", "options": {"n_ctx": 2}, "names": ["cat", "dög"], "clip": clip}


def metadata_of(path: Path) -> dict[str, str]:
    content = path.read_bytes()
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]


def test_what_is_saved_comes_back(tmp_path: Path, about: dict[str, Any], clip: FrozenClip) -> None:
    save_prompts(tmp_path / "p.safetensors", TENSORS, **about)
    found = load_prompts(tmp_path / "p.safetensors")
    assert {name: value.tolist() for name, value in found.tensors.items()} == {"a": [0.5], "b": [[0, 1, 2], [3, 4, 5]]}
    assert (found.method, found.options, found.names) == ("coop", {"n_ctx": 2}, ("cat", "dög"))
    assert found.backbone == json.loads(json.dumps(clip.describe()))
    assert found.use == {}
    other = load_file(tmp_path / "p.safetensors")  # any program reads it
    assert torch.equal(other["b"], TENSORS["b"])


def test_equal_prompts_give_equal_bytes(about: dict[str, Any]) -> None:
    first = prompts_content(TENSORS, **about)
    assert prompts_content(dict(reversed(TENSORS.items())), **about) == first
    assert prompts_content({**TENSORS, "a": torch.tensor([0.25])}, **about) != first


def test_use_is_kept(tmp_path: Path, about: dict[str, Any]) -> None:
    save_prompts(tmp_path / "p.safetensors", TENSORS, **about, use={"classes": ["x"], "dapt": {"enabled": True}})
    assert load_prompts(tmp_path / "p.safetensors").use == {"classes": ["x"], "dapt": {"enabled": True}}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_not_saved(about: dict[str, Any], value: float) -> None:
    with pytest.raises(ModelError, match=r"not finite \(a\)"):
        prompts_content({**TENSORS, "a": torch.tensor([value])}, **about)


def test_every_changed_byte_is_noticed(tmp_path: Path, about: dict[str, Any]) -> None:
    content = prompts_content(TENSORS, **about)
    path = tmp_path / "p.safetensors"
    places = [*range(0, len(content), 97), len(content) - 1]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(ModelError):
            load_prompts(path)
    path.write_bytes(content[:-4])
    with pytest.raises(ModelError, match="no whole safetensors file"):
        load_prompts(path)


def test_what_is_no_prompts_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_prompts(tmp_path / "absent.safetensors")
    save_file(TENSORS, str(tmp_path / "other.safetensors"))
    with pytest.raises(ModelError, match="not written by this version"):
        load_prompts(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "dapt-prompts-3"}, "not written by this version"),
        ({"classnames": "[]"}, "not what dapt writes"),
        ({"classnames": "[1]"}, "not what dapt writes"),
        ({"options": "3"}, "not what dapt writes"),
        ({"options": "{"}, "lack their description"),
        ({"backbone": '{"spec": "demo"}'}, "not what dapt writes"),
        ({"use": '{"dapt": 3}'}, "not what dapt writes"),
        ({"method": None}, "lack their description"),
    ],
)
def test_descriptions_that_are_none(tmp_path: Path, about: dict[str, Any], changes: dict, message: str) -> None:
    path = tmp_path / "p.safetensors"
    save_prompts(path, TENSORS, **about)
    metadata = {key: value for key, value in {**metadata_of(path), **changes}.items() if value is not None}
    save_file(TENSORS, str(path), with_digest(metadata, TENSORS))
    with pytest.raises(ModelError, match=message):
        load_prompts(path)


def test_another_backbone_is_named(tmp_path: Path, about: dict[str, Any], clip: FrozenClip) -> None:
    save_prompts(tmp_path / "p.safetensors", TENSORS, **about)
    saved = load_prompts(tmp_path / "p.safetensors")
    check_backbone(saved, tiny_clip())
    with pytest.raises(ModelError, match="the weights are different"):
        check_backbone(saved, tiny_clip(seed=1))
    wide = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}
    with pytest.raises(ModelError, match=r"trained with tiny, not with tiny: .* is 3 there and 2 here"):
        check_backbone(saved, tiny_clip(vision_cfg=wide))
