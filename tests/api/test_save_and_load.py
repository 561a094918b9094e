"""Saved models: a small folder that is written whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import dapt
from dapt.errors import ConfigError, DaptError, ModelError
from dapt.model import model_folder, prompts_file
from dapt.model.prompts_file import load_prompts
from dapt.model.saved import open_model
from helpers import run_with, tiny_clip, tiny_model

NAMES = ["red square", "blue_disc", "green bar"]


def pixels() -> torch.Tensor:
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))


def batch() -> dapt.Batch:
    masks = torch.zeros(3, 1, 32, 32)
    masks[..., 8:24, 4:20] = 1
    return dapt.Batch(pixels(), torch.arange(3), masks)


def made(method: str = "maple", model: object = None, **options: object) -> dapt.PromptedClip:
    found = dapt.create_model(
        model or tiny_clip(), method, NAMES, **({"depth": 2} if method == "maple" else {}), **options
    )
    found.prepare([batch()])
    with torch.no_grad():
        for part in found.parameters():
            part.add_(0.02 * torch.randn(part.shape, generator=torch.Generator().manual_seed(1)))
    return found.eval()


@pytest.mark.parametrize("method", ["tip_adapter", "tip_adapter.tuned", "clap", "linear_probe", "lp_plus", "maple"])
def test_a_state_is_loaded_into_a_fresh_model(method: str) -> None:
    """As with any module: a cache takes over its size, and the model awaits no images any more."""
    first = made(method)
    fresh = dapt.create_model(tiny_clip(), method, NAMES, **({"depth": 2} if method == "maple" else {}))
    fresh.load_state_dict(first.state_dict())
    assert torch.equal(fresh.eval()(pixels()), first(pixels()))
    assert [part.shape for part in fresh.parameters()] == [part.shape for part in first.parameters()]


@pytest.mark.parametrize(
    "method", ["maple", "coop.csc", "vpt.shallow", "clip_lora", "cocoop", "tip_adapter", "clap", "clip_adapter"]
)
def test_the_same_model_comes_back(tmp_path: Path, method: str) -> None:
    model = made(method)
    folder = model.save_pretrained(tmp_path / "saved")
    again = dapt.load_model(folder, model=tiny_clip())
    assert torch.equal(again(pixels()), model(pixels()))
    assert again.names == NAMES
    assert again.made_with.method == method
    assert not again.training
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == [
        "config.json",
        "prompts.safetensors",
    ]
    said = json.loads((folder / "config.json").read_text())
    assert (said["method"], said["classes"]) == (method, NAMES)


def test_by_specification_and_by_object(tmp_path: Path, tiny_spec: str) -> None:
    model = made(model=tiny_spec, device="cpu")
    folder = model.save_pretrained(tmp_path / "saved")
    for again in (dapt.load_model(folder, device="cpu"), dapt.load_model(folder, model=tiny_model())):
        assert torch.equal(again(pixels()), model(pixels()))
    assert torch.equal(dapt.load_model(folder / "prompts.safetensors", device="cpu")(pixels()), model(pixels()))
    found = dapt.Predictor.from_pretrained(folder, device="cpu")(pixels())
    assert [each.classes[0] for each in found] == [NAMES[index] for index in model(pixels()).argmax(dim=1)]
    nameless = made(model=tiny_model()).save_pretrained(tmp_path / "nameless")
    with pytest.raises(ConfigError, match="has no name") as caught:
        dapt.load_model(nameless)
    assert "model=" in caught.value.message
    with pytest.raises(ModelError, match="the weights are different"):
        dapt.load_model(folder, model=tiny_model(seed=3))


def test_classes_that_were_set_come_back(tmp_path: Path) -> None:
    model = made()
    model.set_classes(["one", "two"])
    again = dapt.load_model(model.save_pretrained(tmp_path / "saved"), model=tiny_clip())
    assert again.names == ["one", "two"]
    assert again.prompts.names == NAMES
    assert torch.equal(again(pixels()), model(pixels()))


def test_what_dapt_decides_at_use_comes_back(tmp_path: Path) -> None:
    model = made(dapt={"released": True, "margin": 2.0, "word_count": 27})
    folder = model.save_pretrained(tmp_path / "saved")
    again = dapt.load_model(folder, model=tiny_clip())
    assert again.made_with.dapt == model.made_with.dapt
    assert again(pixels()).shape == (3, 3 + 2)
    assert torch.equal(again(pixels()), model(pixels()))
    assert {name: float(value) for name, value in again.loss(batch(), 0, 10)[1].items()} == pytest.approx(
        {name: float(value) for name, value in model.loss(batch(), 0, 10)[1].items()}
    )
    plain = made().save_pretrained(tmp_path / "plain")
    assert "dapt" not in json.loads((plain / "config.json").read_text())


def test_a_run_is_opened_too(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    settings = run_with(table, tiny_spec, tmp_path / "run", dapt={"released": True}, epochs=1)
    run = dapt.train(**settings)
    model = dapt.load_model(run.folder, device="cpu")
    assert torch.equal(model(pixels()), run.model.eval()(pixels()))
    assert model.made_with.dapt.released
    with pytest.raises(ConfigError, match="holds a run"):
        model.save_pretrained(run.folder)
    with pytest.raises(ConfigError, match="lies within"):
        model.save_pretrained(run.folder / "inside")


def test_it_can_teach(tmp_path: Path) -> None:
    saved = made(method="ivlp", depth=2).save_pretrained(tmp_path / "teacher")
    with pytest.raises(ModelError):  # of an object without a name: it cannot be loaded by name
        open_model(str(saved), like=tiny_clip())


def test_saving_again_replaces_the_model(tmp_path: Path) -> None:
    first, second = made(), made(n_ctx=3)
    folder = first.save_pretrained(tmp_path / "saved")
    (folder / "notes.txt").write_text("mine")
    second.save_pretrained(folder)
    assert torch.equal(dapt.load_model(folder, model=tiny_clip())(pixels()), second(pixels()))
    assert (folder / "notes.txt").read_text() == "mine"
    assert second.save_pretrained(str(folder)) == folder


@pytest.mark.parametrize("name", ["notes.txt", "prompts.safetensors", "config.json"])
def test_what_is_somebody_elses_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    with pytest.raises(ConfigError, match=f"what dapt did not write: {name}"):
        made().save_pretrained(tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]
    with pytest.raises(ConfigError, match="is a file"):
        made().save_pretrained(tmp_path / "mine" / name)


@pytest.mark.parametrize("after", ["config.json", "prompts.safetensors"])
def test_an_interrupted_save_leaves_the_model_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    first, second = made(), made(n_ctx=3)
    folder = first.save_pretrained(tmp_path / "saved")
    write = model_folder.write_bytes

    def failing(path: Path, content: bytes, **how: object) -> None:
        if path.name == after:
            raise DaptError("The disk is full.")
        write(path, content, **how)

    with monkeypatch.context() as patch:
        patch.setattr(model_folder, "write_bytes", failing)
        with pytest.raises(DaptError, match="disk is full"):
            second.save_pretrained(folder)
    assert torch.equal(dapt.load_model(folder, model=tiny_clip())(pixels()), first(pixels()))
    second.save_pretrained(folder)
    assert torch.equal(dapt.load_model(folder, model=tiny_clip())(pixels()), second(pixels()))


def test_what_cannot_be_saved_or_loaded(tmp_path: Path) -> None:
    model = made()
    with torch.no_grad():
        model.prompts.ctx[0, 0] = float("nan")
    with pytest.raises(ModelError, match="not finite"):
        model.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    with pytest.raises(ConfigError, match="There is no run"):
        dapt.load_model(tmp_path / "saved")
    folder = made().save_pretrained(tmp_path / "saved")
    content = bytearray((folder / "prompts.safetensors").read_bytes())
    content[-3] ^= 1
    (folder / "prompts.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        dapt.load_model(folder, model=tiny_clip())


@pytest.mark.parametrize("use", [3, {"dapt": 3}, {"dapt": {"nothing": 1}}, {"classes": 3}, {"classes": [3]}])
def test_a_strange_description_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: object) -> None:
    dumps = prompts_file.json.dumps
    monkeypatch.setattr(prompts_file.json, "dumps", lambda value, **how: dumps(use if value == {} else value, **how))
    made().save_pretrained(tmp_path / "saved")
    monkeypatch.undo()
    with pytest.raises(DaptError):
        dapt.load_model(tmp_path / "saved", model=tiny_clip())


def test_runs_write_the_same_prompts_file_as_before(tmp_path: Path) -> None:
    folder = made().save_pretrained(tmp_path / "saved")
    saved = load_prompts(folder / "prompts.safetensors")
    assert (saved.method, saved.names, saved.use) == ("maple", tuple(NAMES), {})


# What there is.


def test_names_by_pattern() -> None:
    assert dapt.list_methods("*src*") == [name for name in dapt.list_methods() if "src" in name]
    assert {"promptsrc", "promptsrc.cross"} <= set(dapt.list_methods("*src*"))
    assert "gradcam" in dapt.list_cues()
    assert dapt.list_selectors("herd*") == ["herding"]
    assert dapt.list_data("imagenet_[ar]") == ["imagenet_a", "imagenet_r"]
    for listed in (dapt.list_methods, dapt.list_cues, dapt.list_selectors, dapt.list_data):
        assert listed() == sorted(listed())
        assert listed("no such thing") == []


def test_methods_of_plugins_are_there(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from dapt.methods.base import METHODS, Method, add_method\n"
        "coop = METHODS.get('coop')\n"
        "add_method(Method(name='library_coop', summary='', paper='', architecture=coop.architecture, "
        "options=coop.options))\n"
    )
    dapt.load_plugin(plugin)
    assert dapt.list_methods("library_*") == ["library_coop"]
    model = made("library_coop", n_ctx=4)
    again = dapt.load_model(model.save_pretrained(tmp_path / "saved"), model=tiny_clip())
    assert torch.equal(again(pixels()), model(pixels()))
