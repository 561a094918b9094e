"""A training step, evaluation and Grad-CAM compute on a GPU what they compute on the CPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from contract import NATIVE, SIGLIP, Case, Places, cases, one_of_each, structure
from on_device import apart, one_step, prepared_on

from dapt.cues.base import CUES, CueContext
from dapt.cues.build import cue_options
from dapt.data.load.image_cache import ImageCache
from dapt.evaluation.evaluate import evaluate
from dapt.methods.base import METHODS
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.run_data import load_run_data

pytestmark = pytest.mark.device

TRAINED = [case for case in cases(METHODS.names(), NATIVE) if case.trains]
EVALUATED = [Case(name) for name in one_of_each(structure)]

# How far gradients and losses may be from those of the CPU in float32, relative to these.
TOLERANCES = {"32": 1e-3, "bf16": 0.1, "16": 0.05}


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_a_step_is_that_of_the_cpu(
    case: Case, places: Places, device: str, record_property: Callable[[str, object], None]
) -> None:
    expected = one_step(case, places, "cpu")
    wrong = []
    for precision, tolerance in TOLERANCES.items():
        found = one_step(case, places, device, precision=precision)
        assert found.gradients.keys() == expected.gradients.keys()
        beyond = max(abs(found.loss - expected.loss) - expected.rounding, 0.0)
        loss = beyond / max(abs(expected.loss), 1e-30)
        gradients = apart(found.flat, expected.flat)
        record_property(f"{precision}-loss", f"{loss:.2e}")
        record_property(f"{precision}-gradients", f"{gradients:.2e}")
        if not (loss <= tolerance and gradients <= tolerance):
            wrong.append(f"{precision}: loss {loss:.2e}, gradients {gradients:.2e} apart, allowed {tolerance:g}")
    assert not wrong, "; ".join(wrong)


SPECIAL = {
    "views by attention": (Case("maple", dapt=True), {"dapt": {"enabled": True, "views": "attention"}}),
    "recomputed": (Case("maple", dapt=True), {"grad_checkpointing": True}),
    "texts in chunks": (Case("coop", dapt=True), {"text_memory_mb": 1}),
    "SigLIP": (Case("ivlp", SIGLIP, dapt=True), {"prompt": {"depth": 2}}),
    "SigLIP, conditional": (Case("cocoop", SIGLIP), {}),
    "masks by Grad-CAM": (Case("maple", dapt=True), {"cue": {"source": "gradcam"}}),
    "gate": (Case("maple", dapt=True), {"dapt": {"enabled": True, "variant": "joint", "gate": True}}),
    "blurred": (Case("maple", dapt=True), {"dapt": {"enabled": True, "variant": "joint", "fill": "blur"}}),
    "noisy": (Case("maple", dapt=True), {"dapt": {"enabled": True, "variant": "joint", "fill": "noise"}}),
    "phased": (Case("maple", dapt=True), {"dapt": {"enabled": True, "variant": "phased"}}),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_ways_of_a_step(name: str, places: Places, device: str) -> None:
    case, changes = SPECIAL[name]
    if case.tower == SIGLIP:
        changes = {**changes, "model": places.models[SIGLIP]}
    expected, found = (one_step(case, places, where, **changes) for where in ("cpu", device))
    assert found.loss == pytest.approx(expected.loss, rel=1e-3)
    assert apart(found.flat, expected.flat) <= 1e-3


@pytest.mark.parametrize("case", EVALUATED, ids=str)
def test_evaluation_is_that_of_the_cpu(case: Case, places: Places, device: str) -> None:
    logits, evaluated = [], []
    for where in ("cpu", device):
        config, prepared = prepared_on(case, places, where)
        data = load_run_data(config)
        model = prepared.model
        model.set_classes(data.test.names)
        pixels = torch.randn(6, 3, *model.clip.image.image_size, generator=torch.Generator().manual_seed(7))
        logits.append(Classifier(model)(pixels.to(model.device)))
        evaluated.append(evaluate(model, data.test.items, data.test.labels))
    fitted = case.family == "linear_probe"  # a solver that stops at a tolerance of its own
    assert apart(logits[1], logits[0]) <= (2e-2 if fitted else 1e-3)
    expected, found = evaluated
    assert found.predicted.device.type == "cpu"
    sure = expected.confidence > 1.1 / len(expected.names)  # others may fall either way
    assert torch.equal(found.predicted[sure], expected.predicted[sure])
    if sure.all():
        accuracies = [one.metrics()["test/accuracy"] for one in evaluated]
        assert accuracies[0] == accuracies[1]


@pytest.mark.parametrize("method", ["maple", "coop", "cocoop"])
def test_grad_cam_is_that_of_the_cpu(method: str, places: Places, device: str) -> None:
    maps, masks = [], []
    for where in ("cpu", device):
        config, prepared = prepared_on(Case(method), places, where)
        items = load_run_data(config).train.items
        model = prepared.model
        pixels = torch.randn(4, 3, *model.clip.image.image_size, generator=torch.Generator().manual_seed(3))
        targets = torch.arange(4)
        found = grad_cam(Classifier(model), pixels.to(model.device), targets.to(model.device))
        maps.append(found.coarse)
        made = _cue().prepare(items, model)
        assert all(mask is None or mask.device.type == "cpu" for mask in made)
        masks.append([None if mask is None else mask.float() for mask in made])
    assert apart(maps[1], maps[0]) <= 1e-3
    for expected, found in zip(*masks, strict=True):
        assert (expected is None) == (found is None)
        if expected is not None:
            assert float((expected != found).float().mean()) <= 0.005  # of pixels on the threshold


def _cue():
    return CUES.get("gradcam")(CueContext(cue_options("gradcam", {}), None, "binary", False, ImageCache(8), 1))


@pytest.mark.parametrize("case", [Case("maple", dapt=True), Case("coop"), Case("cocoop")], ids=str)
def test_a_model_moves(case: Case, places: Places, device: str) -> None:
    _, prepared = prepared_on(case, places, "cpu")
    model: PromptedClip = prepared.model.eval()
    pixels = torch.randn(3, 3, *model.clip.image.image_size, generator=torch.Generator().manual_seed(7))
    expected = model(pixels).detach()
    model.to(device)
    assert model.device.type == torch.device(device).type
    assert all(value.device.type == torch.device(device).type for value in model.state_dict().values())
    found = model(pixels.to(device))
    assert apart(found, expected) <= 1e-3
    model.to("cpu")
    assert apart(model(pixels), expected) <= 1e-6


def test_a_step_with_loader_processes(places: Places, device: str) -> None:
    from dapt.data.load.loader import train_loader

    config, prepared = prepared_on(Case("maple", dapt=True), places, device)
    batches = [[0, 1, 2], [3, 4]]
    wanted = prepared.model.clip.device
    ways = []
    for workers in (0, 2):
        ways.append(list(train_loader(prepared.images, batches, epoch=0, workers=workers, device=wanted)))
    prepared.images.close()
    for one, other in zip(*ways, strict=True):
        assert one.pixels.device == other.pixels.device == wanted
        assert torch.equal(one.pixels, other.pixels)
        assert torch.equal(one.masks, other.masks)
    assert config.batch_size == 4
