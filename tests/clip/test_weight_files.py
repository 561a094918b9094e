"""Weight files of others: what is read whatever it is called, and what is refused by what it holds."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from dapt.clip.weight_files import first_line, last_line, loading_problem, read_weights
from dapt.errors import ModelError

STATE = {"visual.proj": torch.arange(6.0).view(2, 3), "logit_scale": torch.tensor(2.5)}


def same(found: dict[str, torch.Tensor]) -> bool:
    return set(found) == set(STATE) and all(torch.equal(found[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model.", "module.clip_model."])
@pytest.mark.parametrize("kind", ["pt", "legacy", "safetensors"])
def test_what_wrappers_put_before_names_is_taken_off(tmp_path: Path, prefix: str, kind: str) -> None:
    state = {prefix + name: value for name, value in STATE.items()}
    path = tmp_path / "w"
    if kind == "safetensors":
        save_file(state, str(path))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "pt")
    assert same(read_weights(path))


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "module"])
def test_of_a_training_checkpoint_the_model_is_used_and_it_is_said(tmp_path: Path, key: str, capsys) -> None:
    state = {f"module.{name}": value for name, value in STATE.items()}
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1}]}
    torch.save({"epoch": 12, "name": "mine", key: state, "optimizer": optimizer}, tmp_path / "epoch_12.pt")
    assert same(read_weights(tmp_path / "epoch_12.pt"))
    assert f"epoch_12.pt: a training checkpoint after epoch 12; of it '{key}' is used." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["w.pt", "w.bin", "w.safetensors", "w"])
def test_the_name_of_a_file_decides_nothing(tmp_path: Path, name: str) -> None:
    torch.save(STATE, tmp_path / name)
    assert same(read_weights(tmp_path / name))
    (tmp_path / name).write_bytes(save(STATE))
    assert same(read_weights(tmp_path / name))


@pytest.mark.parametrize("new", [True, False])
def test_a_cut_pytorch_file_says_how_much_is_missing(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "w.pt"
    torch.save({"w": torch.zeros(10_000)}, path, _use_new_zipfile_serialization=new)
    content = path.read_bytes()
    path.write_bytes(content[:3000])
    with pytest.raises(ModelError, match="is incomplete: 3,000 of at least 40,000 bytes are there"):
        read_weights(path)
    if new:
        path.write_bytes(content[:-20])
        with pytest.raises(ModelError, match="is incomplete"):
            read_weights(path)
        path.write_bytes(content[:70])
        with pytest.raises(ModelError, match="is incomplete: 70 bytes are there"):
            read_weights(path)


def test_objects_in_a_pickle_are_named_with_the_way_out(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "args": argparse.Namespace(lr=1.0)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"Python objects \(argparse\.Namespace\)[\s\S]*never run[\s\S]*torch\.save"):
        read_weights(tmp_path / "w.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"Python objects \(torch\.nn\.modules\.linear\.Linear"):
        read_weights(tmp_path / "w.pt")


def test_folders_and_adapters(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is a folder, not a weight file[\s\S]*local-dir:"):
        read_weights(tmp_path)
    save_file({"base_model.model.visual.lora_A.weight": torch.zeros(2)}, str(tmp_path / "adapter_model.safetensors"))
    with pytest.raises(ModelError, match="the updates of an adapter"):
        read_weights(tmp_path / "adapter_model.safetensors")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"XXXX"),
        (6, b"\x63"),
        (9, b"\x08"),
        (10, b"\x4d"),
        (20, b"\xff\xff\xff\x7f"),
        (28, b"\xff\xff"),
        (42, b"\xff" * 4),
    ],
)
def test_damage_in_the_table_of_contents_of_an_archive(tmp_path: Path, at: int, value: bytes) -> None:
    path = tmp_path / "w.pt"
    torch.save(STATE, path)
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\x01\x02")
    content[start + at : start + at + len(value)] = value
    if at == 9:  # names in UTF-8, which these are not
        content[start + 46 : start + 49] = b"\xff\xfe\xff"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_weights(path)
    assert "weights_only" not in caught.value.message


@pytest.mark.parametrize("content", [b"\x08\x07\x12\x07pytorch\x1a\x032.0:\xff\xfe" * 40, bytes(range(255, 0, -1)) * 9])
@pytest.mark.parametrize("name", ["w.pt", "w.onnx", "w.bin"])
def test_other_bytes_are_called_no_weights(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match="holds no weights of PyTorch, nor safetensors") as caught:
        read_weights(tmp_path / name)
    assert "weights_only" not in caught.value.message


@pytest.mark.parametrize("place", ["x" * 300, "y/" * 3000 + "z", "a\0b"])
def test_what_can_be_no_path(tmp_path: Path, place: str) -> None:
    with pytest.raises(ModelError, match=r"cannot be opened|null character"):
        read_weights(tmp_path / place)


def test_why_a_model_takes_no_weights() -> None:
    model = torch.nn.ModuleDict({name: torch.nn.Linear(2, 2) for name in "abc"})
    state = model.state_dict()
    del state["a.weight"]
    state |= {"more": torch.zeros(1), "b.bias": torch.zeros(5)}
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    said = "it misses a.weight, it has unknown more, b.bias has another size"
    assert loading_problem(caught.value) == said
    advice = RuntimeError("Re-running with `weights_only` set to `False` will likely succeed.\nfirst\nlast")
    assert (loading_problem(advice), first_line(advice), last_line(advice)) == ("first", "first", "last")
