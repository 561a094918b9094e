"""What DAPT's objective can do beyond the published one: scale, schedules, margins, spaces, gradients apart."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from dapt.config import DaptOptions, make_config
from dapt.data.batch import Batch
from dapt.errors import ConfigError
from dapt.model.build import build_model
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Outputs, Trainable
from dapt.objectives.base import by_group, total
from dapt.objectives.build import build_objectives
from dapt.objectives.disentangle import Disentangle
from dapt.objectives.gradients import backward_by_rule
from dapt.training.step import TrainStep
from helpers import tiny_clip

NAMES = ["cat", "dog", "horse"]
EVERYTHING = Trainable(class_texts=True, background_texts=True, image=True)


def step(method: str = "maple", **dapt: object) -> TrainStep:
    config = make_config({"data": "-", "method": method, "prompt": {"depth": 3}, "dapt": {"enabled": True, **dapt}})
    model = build_model(config, tiny_clip(), NAMES)
    return TrainStep(model, build_objectives(config, model))


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(3, 1, 32, 32)
    masks[..., 8:24, 8:24] = 1
    return Batch(torch.randn(3, 3, 32, 32, generator=generator), torch.arange(3), masks)


def outputs_of(seed: int = 0) -> Outputs:
    generator = torch.Generator().manual_seed(seed)

    def units(rows: int) -> torch.Tensor:
        return F.normalize(torch.randn(rows, 6, generator=generator), dim=1).requires_grad_()

    image = {view: units(3) for view in (FULL, FOREGROUND, BACKGROUND)}
    return Outputs(image, {CLASSES: units(4), BACKGROUND: units(5)}, torch.tensor(10.0))


def values(outputs: Outputs, **options: object) -> dict[str, torch.Tensor]:
    dapt = Disentangle(DaptOptions(variant="joint", **options), EVERYTHING)
    return {name: term.value for name, term in dapt.terms(outputs, batch(), 0, 10).items()}


@pytest.mark.parametrize("scale", [14.1, 100.0, 117.0])
def test_the_weight_of_the_pull_push_term_follows_the_logit_scale(scale: float) -> None:
    weights = Disentangle(DaptOptions(variant="joint"), EVERYTHING, scale).active(0, 10)
    assert weights == pytest.approx({"L_v": 0.8 * scale / 100, "L_f": 0.1, "L_b": 0.5})
    for raw in ({"variant": "joint", "visual_scale": "raw"}, {"variant": "released"}):
        assert Disentangle(DaptOptions(**raw), EVERYTHING, scale).active(0, 10)["L_v"] == 0.8


def test_a_model_brings_its_scale() -> None:
    module = step(variant="joint")
    scale = float(module.model.clip.logit_scale)
    assert scale != 100
    assert module.objectives[1].active(0, 10)["L_v"] == pytest.approx(0.8 * scale / 100)


def test_a_ramp_goes_from_the_first_phase_to_the_second() -> None:
    ramp = Disentangle(DaptOptions(variant="ramp"), EVERYTHING)
    assert ramp.active(0, 5) == pytest.approx({"L_v": 0.8})
    assert ramp.active(1, 5) == pytest.approx({"L_v": 0.6, "L_f": 0.025, "L_b": 0.125})
    assert ramp.active(4, 5) == pytest.approx({"L_f": 0.1, "L_b": 0.5})
    assert ramp.active(0, 1) == pytest.approx({"L_v": 0.4, "L_f": 0.05, "L_b": 0.25})
    assert ramp.too_short(1) is None
    assert len({ramp.stage(epoch, 5) for epoch in range(5)}) == 5, "no recorded step serves two epochs"


def test_weights_grow_over_the_first_epochs() -> None:
    warm = Disentangle(DaptOptions(variant="joint", warmup=0.4), EVERYTHING)
    assert warm.active(0, 10) == {}
    assert warm.needs(0, 10) == Needs()
    assert warm.active(1, 10) == pytest.approx({"L_v": 0.2, "L_f": 0.025, "L_b": 0.125})
    for epoch in (4, 9):
        assert warm.active(epoch, 10) == pytest.approx({"L_v": 0.8, "L_f": 0.1, "L_b": 0.5})


@pytest.mark.parametrize(("epochs", "idle"), [(1, 0), (2, 0), (3, 0), (4, 1), (10, 1)])
def test_no_training_is_so_short_that_the_terms_of_the_default_never_act(epochs: int, idle: int) -> None:
    default = Disentangle(DaptOptions(), EVERYTHING)
    acting = [default.active(epoch, epochs) for epoch in range(epochs)]
    assert acting[:idle] == [{}] * idle
    assert all(acting[idle:])
    assert acting[-1] == {"L_v": 0.8, "L_f": 1.0, "L_b": 0.5}


def test_a_relative_margin_asks_for_a_share_of_the_other_distance() -> None:
    outputs = outputs_of()
    pull = F.pairwise_distance(outputs.image[FULL], outputs.image[FOREGROUND])
    push = F.pairwise_distance(outputs.image[FULL], outputs.image[BACKGROUND])
    expected = F.relu(pull - 0.75 * push).mean()
    assert torch.allclose(values(outputs, margin=0.25, margin_kind="relative")["L_v"], expected)
    assert float(expected.detach()) > 0
    with pytest.raises(ConfigError, match=r"takes dapt\.margin for a share"):
        step(margin_kind="relative")


def test_distances_among_classes_see_only_what_tells_classes_apart() -> None:
    outputs = outputs_of()
    texts = outputs.text[CLASSES].detach()

    def placed(view: str) -> torch.Tensor:
        alike = outputs.image[view] @ texts.t()
        return F.normalize(alike - alike.mean(dim=1, keepdim=True), dim=1)

    pull = F.pairwise_distance(placed(FULL), placed(FOREGROUND))
    push = F.pairwise_distance(placed(FULL), placed(BACKGROUND))
    value = values(outputs, visual_space="classes", margin=1.5)["L_v"]
    assert torch.allclose(value, F.relu(pull - push + 1.5).mean(), atol=1e-6)
    features = [outputs.image[view] for view in (FULL, FOREGROUND, BACKGROUND)]
    gradients = torch.autograd.grad(value, [*features, outputs.text[CLASSES]], allow_unused=True)
    assert float(gradients[0].norm()) > 0
    assert gradients[1:] == (None, None, None), "neither the other views nor the class texts are moved by it"
    objective = Disentangle(DaptOptions(variant="phased", visual_space="classes"), EVERYTHING)
    assert objective.needs(0, 10).texts == {CLASSES: False}


def test_the_temperature_of_the_background_term() -> None:
    outputs = outputs_of()
    logits = outputs.logits(BACKGROUND, BACKGROUND)
    expected = F.cross_entropy(logits / 5, logits.argmax(dim=1))
    assert torch.allclose(values(outputs, background_temperature=5)["L_b"], expected)


def gradients(module: TrainStep) -> dict[str, torch.Tensor]:
    _, terms, _ = module(batch(), 0, 10)
    parameters = list(module.parameters())
    if module.gradient_rule is None:
        total(terms).backward()
    else:
        backward_by_rule(module.gradient_rule, by_group(terms), parameters)
    return {name: value.grad.clone() for name, value in module.named_parameters() if value.grad is not None}


def flat(found: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([found[name].flatten() for name in sorted(found)])


def test_balanced_terms_have_gradients_of_their_weight_times_the_hosts() -> None:
    host = flat(gradients(step(variant="joint", visual_weight=0, foreground_weight=0, background_weight=0)))
    for weights in (
        {"visual_weight": 0.8, "foreground_weight": 0, "background_weight": 0},
        {"visual_weight": 0, "foreground_weight": 0, "background_weight": 0.5},
    ):
        plain = flat(gradients(step(variant="joint", **weights))) - host
        balanced = flat(gradients(step(variant="joint", balance="gradient", **weights))) - host
        assert float(balanced.norm()) == pytest.approx(
            max(weights["visual_weight"], weights["background_weight"]) * float(host.norm()), rel=1e-3
        )
        assert float(F.cosine_similarity(balanced, plain, dim=0)) == pytest.approx(1, abs=1e-3)


def test_projected_terms_do_not_contradict_the_host() -> None:
    only = {"foreground_weight": 0.0, "background_weight": 0.0, "visual_scale": "raw", "visual_weight": 5.0}
    host = gradients(step(variant="joint", **{**only, "visual_weight": 0}))
    plain = gradients(step(variant="joint", **only))
    kept = gradients(step(variant="joint", conflict="project", **only))
    against = 0
    for name, own in host.items():
        term, used = plain[name] - own, kept[name] - own
        slack = 1e-4 * float(own.norm()) * float(term.norm())
        assert float((used * own).sum()) >= -slack
        if float((term * own).sum()) >= 0:
            assert torch.allclose(used, term, atol=1e-6)
        else:
            against += 1
    assert against, "some of it contradicts, so that there is something to be seen"


def test_the_gate_and_gradients_apart_are_refused_together() -> None:
    for apart in ({"balance": "gradient"}, {"conflict": "project"}):
        with pytest.raises(ConfigError, match=r"dapt\.gate"):
            step(gate=True, **apart)


@pytest.mark.parametrize("option", [{"fill": "blur"}, {"soften": 0.1}, {"dilate": -0.1}])
def test_what_belongs_to_pixels_is_refused_where_views_are_made_by_attention(option: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"needs dapt\.views=pixels"):
        step(views="attention", **option)


def test_the_symmetric_variant_teaches_both_sides_by_the_foreground() -> None:
    module = step("ivlp", variant="symmetric")
    weights = module.objectives[1].active(0, 10)
    assert weights["L_f"] == 1.0
    terms = module(batch(), 0, 10)[1]
    terms["L_f"].value.backward()
    found = {name: float(value.grad.abs().max()) for name, value in module.named_parameters() if value.grad is not None}
    assert found
    assert any("visual" in name and size > 0 for name, size in found.items())
    assert any("visual" not in name and size > 0 for name, size in found.items())
    assert math.isfinite(sum(found.values()))
