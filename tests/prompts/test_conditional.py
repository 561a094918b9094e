"""CoCoOp's texts of each image: right in batches of any size, and within a memory budget."""

from __future__ import annotations

import torch

from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.model.needs import CLASSES, FULL
from dapt.objectives.build import build_objectives
from dapt.training.step import TrainStep
from helpers import tiny_clip

NAMES = ["cat", "small dog", "horse", "tree frog", "owl"]


def make_step(**changes: object) -> TrainStep:
    config = make_config({"data": "-", "method": "cocoop", **changes})
    model = build_model(config, tiny_clip(), NAMES)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    return TrainStep(model, build_objectives(config, model))


def make_batch(count: int = 3) -> Batch:
    pixels = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    return Batch(pixels, torch.arange(count) % len(NAMES))


def gradients(step: TrainStep, batch: Batch) -> tuple[float, list[torch.Tensor]]:
    step.zero_grad()
    loss = step(batch, 0, 1)[0]
    loss.backward()
    return float(loss.detach()), [parameter.grad.clone() for parameter in step.parameters()]


def test_every_image_has_texts_of_its_own() -> None:
    step = make_step()
    outputs = step.model.compute(make_batch(), step.needs(0, 1))
    texts = outputs.text[CLASSES]
    assert texts.shape == (3, len(NAMES), 32)
    assert not torch.allclose(texts[0], texts[1], atol=1e-3)
    for image in range(3):
        alone = step.model.compute(Batch(make_batch().pixels[image : image + 1], torch.tensor([0])), step.needs(0, 1))
        assert torch.allclose(alone.logits(FULL)[0], outputs.logits(FULL)[image], atol=1e-4)


def test_a_batch_is_the_mean_of_its_images() -> None:
    step, batch = make_step(), make_batch()
    loss, together = gradients(step, batch)
    single = [gradients(step, Batch(batch.pixels[i : i + 1], batch.labels[i : i + 1])) for i in range(3)]
    assert abs(loss - sum(value for value, _ in single) / 3) < 1e-5
    for index, gradient in enumerate(together):
        mean = torch.stack([found[index] for _, found in single]).mean(dim=0)
        assert torch.allclose(gradient, mean, atol=1e-5)


def test_a_small_budget_changes_nothing_but_what_is_kept() -> None:
    step, batch = make_step(), make_batch()
    kept: dict[bool, int] = {}
    found = {}
    for limited in (False, True):
        tower = step.model.clip.text
        texts = step.model.prompts.texts(NAMES)[0]
        context = step.model.prompts()
        tower.memory_mb = 1.5 * tower.memory_per_text(texts, context) * 3 if limited else None
        count: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, seen=count: seen.append(tensor.numel()) or tensor.detach(), lambda tensor: tensor
        ):
            step.zero_grad()
            loss = step(batch, 0, 1)[0]
            kept[limited] = sum(count)
        loss.backward()
        found[limited] = [parameter.grad.clone() for parameter in step.parameters()]
    assert kept[True] < 0.5 * kept[False]
    for limited, free in zip(found[True], found[False], strict=True):
        assert torch.allclose(limited, free, atol=1e-6)


def test_prograd_reads_the_image_once() -> None:
    """A method that trains no part of the image side has the frozen features already."""
    config = make_config({"data": "-", "method": "prograd", "prompt": {"n_ctx": 4}})
    model = build_model(config, tiny_clip(), NAMES)
    step = TrainStep(model, build_objectives(config, model))
    calls = []
    encode = model.clip.image.encode
    model.clip.image.encode = lambda *given: calls.append(1) or encode(*given)
    step(make_batch(), 0, 1)
    assert len(calls) == 1
