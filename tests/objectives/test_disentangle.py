"""DAPT's objective: what each term teaches, when it is active, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dapt.config import BACKGROUND_WORDS, DaptOptions, make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Trainable
from dapt.objectives.build import build_objectives
from dapt.objectives.disentangle import Disentangle
from dapt.training.step import TrainStep
from helpers import tiny_clip

NAMES = ["cat", "dog", "horse", "tree frog"]
EVERYTHING = Trainable(class_texts=True, background_texts=True, image=True)


def batch(count: int = 4, masks: torch.Tensor | None = None, usable: torch.Tensor | None = None) -> Batch:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(count, 3, 32, 32, generator=generator)
    if masks is None:
        masks = (torch.rand(count, 1, 32, 32, generator=generator) > 0.5).float()
    return Batch(pixels, torch.arange(count) % len(NAMES), masks, usable)


def step(method: str = "maple", **dapt: object) -> TrainStep:
    prompt = {} if method.startswith(("coop", "zero")) else {"depth": 3}
    config = make_config({"data": "-", "method": method, "prompt": prompt, "dapt": {"enabled": True, **dapt}})
    model = build_model(config, tiny_clip(), NAMES)
    return TrainStep(model, build_objectives(config, model))


def test_exactly_c_class_columns_and_all_background_words() -> None:
    module = step()
    outputs = module.model.compute(batch(), Needs({FULL: True}, {CLASSES: True, BACKGROUND: True}))
    assert outputs.logits(FULL).shape == (4, len(NAMES))
    assert outputs.logits(FULL, BACKGROUND).shape == (4, 32)
    assert len(BACKGROUND_WORDS) == len(set(BACKGROUND_WORDS)) == 32


def test_full_mask_is_the_image_and_empty_mask_is_its_background() -> None:
    module = step()
    needs = Needs({FULL: True, FOREGROUND: False, BACKGROUND: False})
    full = module.model.compute(batch(masks=torch.ones(4, 1, 32, 32)), needs).image
    empty = module.model.compute(batch(masks=torch.zeros(4, 1, 32, 32)), needs).image
    assert torch.allclose(full[FULL], full[FOREGROUND], atol=1e-6)
    assert torch.allclose(empty[FULL], empty[BACKGROUND], atol=1e-6)


def gradients_of(term: str) -> dict[str, float]:
    """Largest gradient that one term alone sends into each kind of parameter of IVLP."""
    module = step("ivlp", variant="joint")
    terms = module(batch(), 0, 10)[1]
    module.zero_grad()
    terms[term].value.backward()
    return {
        name: 0.0 if value.grad is None else float(value.grad.abs().max())
        for name, value in module.model.prompts.named_parameters()
    }


def test_foreground_term_teaches_the_text_side_only() -> None:
    found = gradients_of("L_f")
    assert found["ctx"] > 0
    assert found["deep_text.1"] > 0
    assert found["visual_ctx"] == found["deep_visual.1"] == 0


def test_visual_term_teaches_the_image_side_only_through_the_full_view() -> None:
    found = gradients_of("L_v")
    assert found["visual_ctx"] > 0
    assert found["ctx"] == found["deep_text.1"] == 0
    module = step("ivlp", variant="joint")
    outputs = module.model.compute(
        batch(), Needs({FULL: True, FOREGROUND: True, BACKGROUND: True}, {CLASSES: True, BACKGROUND: True})
    )
    value = module.objectives[1].terms(outputs, batch(), 0, 10)["L_v"].value
    reached = torch.autograd.grad(value, [outputs.image[FULL], outputs.image[FOREGROUND]], allow_unused=True)
    assert float(reached[0].abs().max()) > 0
    assert reached[1] is None


def test_background_term_teaches_both_sides() -> None:
    found = gradients_of("L_b")
    assert found["visual_ctx"] > 0
    assert found["deep_text.1"] > 0
    assert found["ctx"] == 0  # background texts carry no learned context at the input


def test_values_by_hand() -> None:
    module = step(variant="joint", margin=1.2, visual_scale="raw")
    data = batch()
    _, terms, _ = module(data, 0, 10)
    model = module.model
    prompts = model.prompts()
    views = [data.pixels, data.pixels * data.masks, data.pixels * (1 - data.masks)]
    f, fg, bg = (model.clip.encode_image(view, prompts) for view in views)
    texts, background = model.text_features(prompts), model.text_features(prompts, BACKGROUND)
    scale = model.clip.logit_scale
    distance = (f - fg + 1e-6).norm(dim=1) - (f - bg + 1e-6).norm(dim=1) + 1.2
    logits = scale * bg @ background.t()
    expected = {
        "L_cls": F.cross_entropy(scale * f @ texts.t(), data.labels),
        "L_v": distance.clamp_min(0).mean(),
        "L_f": F.cross_entropy(scale * fg @ texts.t(), data.labels),
        "L_b": F.cross_entropy(logits, logits.argmax(dim=1)),
    }
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert torch.allclose(terms[name].value, value, rtol=1e-5), name
    assert {name: term.weight for name, term in terms.items()} == {
        "L_cls": 1.0,
        "L_v": 0.8,
        "L_f": 0.1,
        "L_b": 0.5,
    }


@pytest.mark.parametrize(("epochs", "first_of_second"), [(10, 7), (5, 4), (1, 1), (20, 14), (3, 3)])
def test_phases(epochs: int, first_of_second: int) -> None:
    objective = Disentangle(DaptOptions(variant="phased"), EVERYTHING)
    for epoch in range(epochs):
        expected = {"L_v"} if epoch < first_of_second else {"L_f", "L_b"}
        assert set(objective.active(epoch, epochs)) == expected
    assert objective.switch_epoch(epochs) == first_of_second


@pytest.mark.parametrize(
    ("changes", "epochs", "named"),
    [
        ({}, 3, "L_f and L_b never act"),
        ({"background_weight": 0}, 3, "L_f never acts"),
        ({"switch": 0}, 3, None),
        ({"switch": 1}, 3, None),
        ({"foreground_weight": 0, "background_weight": 0}, 3, None),
        ({}, 4, None),
        ({}, 0, None),
        ({"variant": "joint"}, 1, None),
    ],
)
def test_a_training_too_short_for_the_second_phase_is_named(changes: dict, epochs: int, named: str | None) -> None:
    sentence = Disentangle(DaptOptions(**{"variant": "phased", **changes}), EVERYTHING).too_short(epochs)
    assert (sentence is None) == (named is None)
    assert (sentence or "").startswith(named or "")


def test_a_short_training_is_warned_of(capsys) -> None:
    tree = {"data": "-", "method": "maple", "prompt": {"depth": 3}, "dapt": {"variant": "phased"}}
    for epochs, warned in ((3, True), (4, False)):
        config = make_config({**tree, "epochs": epochs})
        build_objectives(config, build_model(config, tiny_clip(), NAMES))
        assert ("L_f and L_b never act" in " ".join(capsys.readouterr().err.split())) == warned


def test_only_what_is_read_is_computed() -> None:
    phased = Disentangle(DaptOptions(variant="phased"), EVERYTHING)
    first, second = phased.needs(0, 10), phased.needs(7, 10)
    assert first.views == {FULL: True, FOREGROUND: False, BACKGROUND: False}
    assert first.texts == {}
    assert second.views == {FOREGROUND: False, BACKGROUND: True}
    assert second.texts == {CLASSES: True, BACKGROUND: True}
    nothing = Disentangle(
        DaptOptions(variant="joint", visual_weight=0, foreground_weight=0, background_weight=0), EVERYTHING
    )
    assert nothing.needs(0, 10) == Needs()


def test_images_without_a_cue_teach_nothing_but_classification() -> None:
    module = step("ivlp", variant="joint")
    some = torch.tensor([True, False, True, False])
    data = batch(usable=some)
    _, terms, outputs = module(data, 0, 10)
    kept = Batch(data.pixels[some], data.labels[some], data.masks[some])
    _, alone, _ = module(kept, 0, 10)
    for name in ("L_v", "L_f", "L_b"):
        assert torch.allclose(terms[name].value, alone[name].value / 2, rtol=1e-4), name
    none = batch(usable=torch.zeros(4, dtype=torch.bool))
    loss, terms, _ = module(none, 0, 10)
    assert torch.equal(loss, terms["L_cls"].value)
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in module.model.prompts.parameters() if p.grad is not None)
    assert outputs.image[FULL].shape == (4, 32)


@pytest.mark.parametrize(
    ("method", "left_out"),
    [("maple", []), ("ivlp", []), ("coop", ["L_v", "L_b"]), ("coop.csc", ["L_v", "L_b"]), ("vpt", ["L_f"])],
)
def test_every_host_and_the_terms_it_can_use(method: str, left_out: list[str], capsys) -> None:
    module = step(method, variant="joint")
    said = capsys.readouterr().err
    _, terms, _ = module(batch(), 0, 10)
    assert {"L_v", "L_f", "L_b"} - set(terms) == set(left_out)
    for name in left_out:
        assert f"{name} is left out" in said


def test_words_weights_and_margin_come_from_the_configuration() -> None:
    module = step(words=["grass", "sky"], visual_weight=0.25, margin=0.0, variant="joint", visual_scale="raw")
    _, terms, outputs = module(batch(), 0, 10)
    assert outputs.text[BACKGROUND].shape[0] == 2
    assert terms["L_v"].weight == 0.25


def test_constant_texts_are_encoded_once(monkeypatch) -> None:
    module = step("vpt", variant="joint")
    calls = []
    original = module.model.clip.encode_text
    monkeypatch.setattr(module.model.clip, "encode_text", lambda *a: calls.append(1) or original(*a))
    for _ in range(3):
        module(batch(), 0, 10)
    assert len(calls) == 2  # classes and background words, once each
