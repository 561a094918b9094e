"""A training loop in plain PyTorch: that of the README, and one that reaches the parameters of `dapt.train`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

import dapt
from dapt.config import make_config
from dapt.data.load.loader import TrainImages, epoch_batches, train_loader
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.methods.base import METHODS
from dapt.model.prompts_file import load_prompts
from dapt.objectives.gradients import backward_by_rule
from dapt.runs.prepare import prepare
from dapt.runs.run_data import load_run_data
from dapt.training.schedule import learning_rate
from dapt.training.step import TrainStep
from helpers import COLOURS, REPOSITORY, draw, run_with, tiny_clip, tiny_model

NAMES = list(COLOURS)
create = open_clip.create_model


class Photos(Dataset[tuple[Tensor, int, Tensor]]):
    """A user's own data: pixels, label, mask."""

    def __init__(self, preprocess) -> None:
        self.preprocess = preprocess

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[Tensor, int, Tensor]:
        picture, mask = draw(NAMES[index % 4], index)
        pixels, warped = self.preprocess.joint(picture, np.asarray(mask))
        return pixels, index % 4, warped


def batch(count: int = 4, *, masks: bool = True, usable: Tensor | None = None) -> dapt.Batch:
    generator = torch.Generator().manual_seed(1)
    where = torch.zeros(count, 1, 32, 32)
    where[..., 8:24, 4:20] = 1
    pixels = torch.randn(count, 3, 32, 32, generator=generator)
    return dapt.Batch(pixels, torch.arange(count) % 4, where if masks else None, usable)


def test_the_loop_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (REPOSITORY / "README.md").read_text().partition("## As a library")[2].partition("\n## ")[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) == 15
    monkeypatch.chdir(tmp_path)
    space = {"Photos": Photos, "classes": NAMES}
    exec(code.replace("ViT-B-16/openai", "demo"), space)
    assert float(space["loss"].detach()) < 10
    assert set(space["terms"]) == {"L_cls", "L_v", "L_f", "L_b"}, "the terms of DAPT have grown"
    again = dapt.load_model(tmp_path / "my-prompts", device="cpu")
    model = space["model"]
    pixels = torch.stack([model.preprocess(draw(name, 1)[0]) for name in NAMES])
    assert torch.equal(again.eval()(pixels), model(pixels))


@pytest.mark.parametrize(("method", "with_dapt"), [("maple", False), ("maple", True), ("clip_lora", False)])
def test_it_reaches_the_parameters_of_a_run(
    table: Path, tiny_spec: str, tmp_path: Path, method: str, with_dapt: bool
) -> None:
    options = {"depth": 2} if method == "maple" else {}
    settings = run_with(table, tiny_spec, tmp_path / "run", method=method, epochs=3, batch_size=4, dapt=with_dapt)
    settings = {key: value for key, value in settings.items() if key != "depth" or method == "maple"}
    config = make_config({**settings, "optimizer": "sgd", "warmup_epochs": 1, "prompt": options})
    run = dapt.train(**config.model_dump(exclude={"n_ctx", "depth"}))
    data = load_run_data(config)
    model = dapt.create_model(tiny_spec, method, data.train.names, dapt=with_dapt, device="cpu", **options)
    images: TrainImages = prepare(config, data, model.clip).images
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9, weight_decay=config.weight_decay)
    model.train()
    for epoch in range(3):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(epoch, base_lr=config.lr, epochs=3, warmup_epochs=1)
        positions = epoch_batches(len(images), 4, seed=config.seed, epoch=epoch)
        for each in train_loader(images, positions, epoch=epoch, workers=0, device=torch.device("cpu")):
            optimizer.zero_grad()
            model.loss(each, epoch, 3)[0].backward()
            optimizer.step()
    saved = load_prompts(run.folder / "prompts.safetensors").tensors
    found = dict(model.prompts.state_dict())
    assert set(found) == set(saved)
    assert all(torch.equal(found[name], value) for name, value in saved.items())


@pytest.mark.parametrize("method", ["coop", "kgcoop", "promptsrc", "prograd", "cocoop", "clap"])
def test_loss_and_gradients_are_those_of_the_training_step(method: str) -> None:
    options = {"depth": 2} if "depth" in METHODS.get(method).options.model_fields else {}
    one, two = (dapt.create_model(tiny_clip(), method, NAMES, **options) for _ in range(2))
    given = batch(masks=False)
    for model in (one, two):
        model.prepare([given]).train()
    step = TrainStep(two, dapt.create_objectives(two))
    loss, terms = one.loss(given, 0, 5)
    expected, expected_terms, _ = step(given, 0, 5)
    assert torch.equal(loss, expected)
    assert {name: float(value) for name, value in terms.items()} == {
        name: float(term.value.detach()) for name, term in expected_terms.items()
    }
    loss.backward()
    if step.gradient_rule is None:
        expected.backward()
    else:
        groups: dict[str, Tensor] = {}
        for term in expected_terms.values():
            groups[term.group] = groups.get(term.group, 0) + term.weight * term.value
        backward_by_rule(step.gradient_rule, groups, list(two.parameters()))
    pairs = [(a.grad, b.grad) for a, b in zip(one.parameters(), two.parameters(), strict=True) if a.grad is not None]
    assert pairs
    assert all(torch.equal(a, b) for a, b in pairs)


def test_other_objectives_see_views_as_they_are_made_for_them() -> None:
    first = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"variant": "joint"})
    second = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"variant": "joint", "fill": "exchange"})
    plain = first.loss(batch(), 5, 10)[1]["L_f"]
    dapt.create_objectives(first, dapt={"variant": "joint", "fill": "exchange"})
    assert torch.equal(first.loss(batch(), 5, 10)[1]["L_f"], second.loss(batch(), 5, 10)[1]["L_f"])
    assert not torch.equal(first.loss(batch(), 5, 10)[1]["L_f"], plain)


def test_other_classes_make_other_references() -> None:
    model = dapt.create_model(tiny_clip(), "kgcoop", NAMES)
    first = dapt.create_objectives(model)[1].reference
    model.set_classes(["one", "two"])
    assert model.loss(dapt.Batch(batch().pixels, torch.tensor([0, 1, 0, 1])))[0].requires_grad
    assert len(first) == 4
    with torch.no_grad():
        assert not model.loss(dapt.Batch(batch().pixels, torch.tensor([0, 1, 0, 1])))[0].requires_grad


def test_dapt_options_reach_the_loss_and_its_phases() -> None:
    model = dapt.create_model(
        tiny_clip(), "maple", NAMES, depth=2, dapt={"variant": "phased", "margin": 2.5, "word_count": 3}
    )
    assert set(model.loss(batch(), 0, 10)[1]) == {"L_cls", "L_v"}
    assert set(model.loss(batch(), 9, 10)[1]) == {"L_cls", "L_f", "L_b"}
    wide = float(model.loss(batch(), 0, 10)[1]["L_v"])
    dapt.create_objectives(model, dapt={"variant": "phased", "margin": 1.5})
    assert wide - float(model.loss(batch(), 0, 10)[1]["L_v"]) == pytest.approx(1.0, abs=1e-5)
    none = model.loss(batch(usable=torch.zeros(4, dtype=torch.bool)), 0, 10)[1]
    assert float(none["L_v"]) == 0.0


def test_what_objectives_train_beside_the_prompts_is_trained() -> None:
    model = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"gate": True})
    assert any(name.startswith("helpers.") for name, _ in model.named_parameters())
    model.loss(batch(), 0, 10)[0].backward()
    assert all(part.grad is not None for part in model.helpers.parameters())


def test_methods_that_look_at_all_images_first() -> None:
    model = dapt.create_model(tiny_clip(), "tip_adapter", NAMES)
    given = batch(8)
    for use in (model, model.encode_image, lambda pixels: model.loss(given), lambda pixels: model.plain()):
        with pytest.raises(ConfigError, match="looks at all training images"):
            use(given.pixels)
    before = dapt.create_model(tiny_clip(), "zero_shot", NAMES).eval()(given.pixels)
    model.eval().prepare([given], val=[batch(4)])
    assert model.prompts.keys.shape == (8, 32)
    assert not torch.allclose(model(given.pixels), before)


def test_what_has_no_loss_is_told() -> None:
    model = dapt.create_model(tiny_clip(), "coop", NAMES, n_ctx=4)
    with pytest.raises(ConfigError, match="made without DAPT"):
        dapt.create_objectives(model, dapt=True)
    with pytest.raises(ConfigError, match="read options that coop has not"):
        dapt.create_objectives(model, "promptsrc")
    with pytest.raises(NotSupportedError, match="no training steps"):
        dapt.create_model(tiny_clip(), "tip_adapter", NAMES, dapt=True)
    prompted = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt=True)
    with pytest.raises(DataError, match="no masks"):
        prompted.loss(batch(masks=False))


def test_a_mask_goes_through_the_geometry_of_its_picture() -> None:
    model = dapt.create_model(tiny_clip(), "coop", NAMES, n_ctx=4)
    picture, mask = draw("red_square", 0)
    pixels, warped = model.preprocess.joint(picture, np.asarray(mask))
    assert torch.equal(pixels, model.preprocess(picture))
    assert warped.shape == (1, 32, 32)
    assert set(warped.unique().tolist()) == {0.0, 1.0}
    with pytest.raises(DataError, match="The mask is"):
        model.preprocess.joint(picture, np.zeros((3, 4)))


def test_a_batch_moves() -> None:
    moved = batch(usable=torch.ones(4, dtype=torch.bool)).to("cpu")
    assert isinstance(moved, dapt.Batch)
    assert moved.masks is not None
    assert nn.functional.mse_loss(moved.pixels, batch().pixels) == 0


def test_the_examples_of_the_documentation_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (REPOSITORY / "docs" / "library.md").read_text().partition("## Masks")[0]  # test_api_masks.py runs the rest
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    files = [tmp_path / f"{index}.png" for index in range(3)]
    for index, path in enumerate(files):
        draw(NAMES[index], index)[0].save(path)
    space: dict[str, Any] = {"Photos": Photos, "classes": NAMES, "files": files}
    tiny = tiny_model()
    monkeypatch.setattr(
        open_clip, "create_model", lambda name, **how: tiny if name == "ViT-B-32" else create(name, **how)
    )
    for block in blocks:
        exec(block.replace("ViT-B-16/openai", "demo"), space)
    assert len(blocks) == 9
    assert space["one"].classes == space["many"][0].classes[:3]
