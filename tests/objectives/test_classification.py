"""The classification loss with image weights and with several classes per image."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from safetensors.torch import load_file, save_file

from dapt.config import DaptOptions, make_config
from dapt.console import set_quiet
from dapt.data.batch import Batch
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages, targets_of, train_loader
from dapt.data.load.transforms import train_transform
from dapt.data.resolve import load_data
from dapt.model.build import build_model
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Outputs, Trainable
from dapt.objectives.build import build_objectives
from dapt.objectives.classification import Classification
from dapt.objectives.disentangle import Disentangle
from dapt.training.fit import Fitter
from dapt.training.step import TrainStep
from helpers import make_folder, tiny_clip

LABELS = torch.tensor([2, 0, 1, 1])
TARGETS = torch.tensor([[1.0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 1]])


def outputs() -> Outputs:
    generator = torch.Generator().manual_seed(0)
    image = {name: F.normalize(torch.randn(4, 8, generator=generator)) for name in (FULL, FOREGROUND, BACKGROUND)}
    text = {name: F.normalize(torch.randn(3, 8, generator=generator)) for name in (CLASSES, BACKGROUND)}
    return Outputs({name: value.requires_grad_() for name, value in image.items()}, text, torch.tensor(10.0))


def batch(**changes: Any) -> Batch:
    return Batch(torch.zeros(4, 3, 2, 2), LABELS, torch.ones(4, 1, 2, 2), None, **changes)


def loss(given: Batch, made: Outputs | None = None) -> torch.Tensor:
    return Classification().terms(made or outputs(), given, 0, 1)["L_cls"].value


def test_without_weights_it_is_the_plain_loss_to_the_bit() -> None:
    assert torch.equal(loss(batch()), F.cross_entropy(outputs().logits(FULL), LABELS))
    assert torch.allclose(loss(batch(weights=torch.ones(4))), loss(batch()))


def test_weights_are_not_divided_by_their_sum() -> None:
    weights = torch.tensor([2.0, 0.0, 0.5, 3.0])
    each = F.cross_entropy(outputs().logits(FULL), LABELS, reduction="none")
    assert torch.allclose(loss(batch(weights=weights)), (weights * each).sum() / 4)
    made = outputs()
    loss(batch(weights=weights), made).backward()
    gradient = made.image[FULL].grad
    assert gradient[1].abs().max() == 0
    assert gradient[0].abs().max() > 0


def test_an_equal_share_for_each_class_shown() -> None:
    logp = outputs().logits(FULL).log_softmax(dim=1)
    each = [-(logp[0, 0] + logp[0, 2]) / 2, -logp[1, 0], -logp[2, 1], -(logp[3, 1] + logp[3, 2]) / 2]
    assert torch.allclose(loss(batch(targets=TARGETS)), sum(each) / 4)
    weights = torch.tensor([2.0, 0.0, 1.0, 1.0])
    expected = (2 * each[0] + each[2] + each[3]) / 4
    assert torch.allclose(loss(batch(targets=TARGETS, weights=weights)), expected)
    single = F.one_hot(LABELS, 3)
    assert torch.allclose(loss(batch(targets=single)), loss(batch()))


def test_each_class_as_a_question() -> None:
    logits = outputs().logits(FULL)
    centred = logits - logits.mean(dim=1, keepdim=True)
    yes, no = F.logsigmoid(centred), F.logsigmoid(-centred)
    expected = -(TARGETS * yes + (1 - TARGETS) * no).mean()
    found = loss(batch(targets=TARGETS, multi_label="sigmoid"))
    assert torch.allclose(found, expected)
    shifted = outputs()
    moved = Outputs(shifted.image, shifted.text, shifted.scale, bias=7.0)
    assert torch.allclose(loss(batch(targets=TARGETS, multi_label="sigmoid"), moved), found, atol=1e-6)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_of_dapt_only_the_foreground_term_knows_the_classes(kind) -> None:
    everything = Trainable(class_texts=True, background_texts=True, image=True)
    dapt = Disentangle(DaptOptions(enabled=True, variant="joint"), everything)
    plain = dapt.terms(outputs(), batch(), 0, 1)
    several = dapt.terms(outputs(), batch(targets=TARGETS, multi_label=kind, weights=torch.zeros(4)), 0, 1)
    for name in ("L_v", "L_b"):
        assert torch.equal(plain[name].value, several[name].value)
    made = outputs()
    foreground = Outputs({FULL: made.image[FOREGROUND]}, made.text, made.scale)
    expected = loss(batch(targets=TARGETS, multi_label=kind), foreground)
    assert torch.allclose(several["L_f"].value, expected)
    assert not torch.allclose(several["L_f"].value, plain["L_f"].value)


def test_the_unweighted_terms_of_dapt_keep_their_bits() -> None:
    everything = Trainable(class_texts=True, background_texts=True, image=True)
    dapt = Disentangle(DaptOptions(enabled=True, variant="joint"), everything)
    found = dapt.terms(outputs(), batch(), 0, 1)["L_f"].value
    expected = F.cross_entropy(outputs().logits(FOREGROUND), LABELS, reduction="none").mean()
    assert torch.equal(found, expected)


def test_the_foreground_term_reads_weights_of_images_where_classes_are_weighed() -> None:
    everything = Trainable(class_texts=True, background_texts=True, image=True)
    weights = torch.tensor([0.5, 1.5, 1.0, 1.0])
    each = F.cross_entropy(outputs().logits(FOREGROUND), LABELS, reduction="none")
    for weighs, expected in ((False, each.mean()), (True, (weights * each).mean())):
        dapt = Disentangle(DaptOptions(enabled=True, variant="joint"), everything, weighs=weighs)
        found, plain = (dapt.terms(outputs(), given, 0, 1) for given in (batch(weights=weights), batch()))
        assert torch.allclose(found["L_f"].value, expected)
        assert torch.equal(found["L_b"].value, plain["L_b"].value), "it asks for no class"


def images_of(folder: Path, several: bool = False, **more: Any) -> TrainImages:
    items = load_data(str(folder), rule="positions").split("train")
    if several:
        items = [replace(item, labels=(item.label, (item.label + 1) % 4)) for item in items]
    clip = tiny_clip()
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=(0.3, 1.0), flip=0.5)
    more = {"targets": targets_of(items, 4), **more}
    return TrainImages(items, [item.label for item in items], transform, ImageCache(8), seed=3, **more)


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_carry_the_rows_of_their_images(tmp_path: Path, workers: int) -> None:
    images = images_of(make_folder(tmp_path / "photos"))
    positions = [[3, 1, 4], [0, 5]]
    device = torch.device("cpu")
    try:
        plain = list(train_loader(images, positions, epoch=0, workers=workers, device=device))
        assert all(found.weights is None and found.targets is None for found in plain)
        images.close()
        count = len(images)
        rows = {"weights": torch.arange(count, dtype=torch.float64), "targets": F.one_hot(torch.arange(count), count)}
        images = images_of(tmp_path / "photos", **rows)
        found = list(train_loader(images, positions, epoch=0, workers=workers, device=device))
    finally:
        images.close()
    for chosen, made in zip(positions, found, strict=True):
        assert made.weights.tolist() == chosen
        assert made.weights.dtype == made.targets.dtype == torch.float32
        assert made.targets.argmax(dim=1).tolist() == chosen
    assert torch.equal(found[0].pixels, plain[0].pixels)


def trained(
    fabric: Any, folder: Path, weights: str, several: bool = False, **changes: Any
) -> tuple[dict[str, torch.Tensor], list[dict]]:
    """Prompts and metrics after two epochs; `weights`: none, ones, zeros or rising."""
    given = {"data": "-", "method": "maple", "prompt": {"depth": 2}, "epochs": 2, "batch_size": 4, **changes}
    config = make_config(given)
    count = len(load_data(str(folder), rule="positions").split("train"))
    made = {"ones": torch.ones(count), "zeros": torch.zeros(count), "rising": torch.arange(count) * 2.0 / (count - 1)}
    images = images_of(folder, several, weights=made.get(weights))
    model = build_model(config, tiny_clip(), ["red square", "blue disc", "green bar", "white ring"])
    try:
        lines = Fitter(config, TrainStep(model, build_objectives(config, model)), images, None, fabric).fit().lines
    finally:
        images.close()
    return {name: value.detach().clone() for name, value in model.prompts.state_dict().items()}, lines


def on_one() -> Any:
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


@pytest.mark.long
def test_training_follows_the_weights(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos")
    plain, lines = trained(on_one(), folder, "none")
    ones, same = trained(on_one(), folder, "ones")
    assert all(torch.allclose(plain[name], ones[name], atol=1e-6) for name in plain)
    assert same[0]["L_cls"] == pytest.approx(lines[0]["L_cls"], rel=1e-5)
    rising, _ = trained(on_one(), folder, "rising")
    assert not all(torch.allclose(plain[name], rising[name], atol=1e-6) for name in plain)
    _, nothing = trained(on_one(), folder, "zeros")
    assert nothing[0]["L_cls"] == 0
    helped, _ = trained(on_one(), folder, "rising", workers=1)
    assert all(torch.equal(rising[name], helped[name]) for name in rising)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("several", [False, True])
def test_weights_on_two_processes_equal_one(tmp_path: Path, several: bool) -> None:
    folder = make_folder(tmp_path / "photos")
    strategy = DDPStrategy(start_method="spawn", timeout=timedelta(seconds=60))
    fabric = Fabric(accelerator="cpu", devices=2, strategy=strategy, precision="32-true")
    fabric.launch(partial(_one_of_two, folder=str(folder), several=several, out=str(tmp_path / "two")))
    alone, _ = trained(on_one(), folder, "rising", several)
    both = load_file(tmp_path / "two")
    assert all(torch.allclose(alone[name], both[name], atol=1e-5) for name in alone)
    plain, _ = trained(on_one(), folder, "none", several)
    assert not all(torch.allclose(plain[name], both[name], atol=1e-5) for name in plain)


def _one_of_two(fabric: Any, folder: str, several: bool, out: str) -> None:
    set_quiet(True)
    found, _ = trained(fabric, Path(folder), "rising", several)
    if fabric.is_global_zero:
        save_file(found, out)


def test_targets_of_items_that_show_one_class_each(tmp_path: Path) -> None:
    assert targets_of(load_data(str(make_folder(tmp_path / "photos"))).split("train"), 4) is None
