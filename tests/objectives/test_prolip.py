"""ProLIP's term, and which of DAPT's terms reach the projection."""

from __future__ import annotations

import pytest
import torch

from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.model.needs import Needs
from dapt.objectives.build import build_objectives
from dapt.objectives.criterion import terms_of
from dapt.objectives.prolip import NearStart
from helpers import tiny_clip

NAMES = ["cat", "dog", "cow"]


def parts(**dapt: object):
    config = make_config(
        {"data": "-", "method": "prolip", "prompt": {"anchor": 0.5}, "dapt": {"variant": "joint", **dapt}, "epochs": 2}
    )
    model = build_model(config, tiny_clip(), NAMES)
    with torch.no_grad():
        model.prompts.visual_proj.add_(0.05 * torch.randn(32, 32, generator=torch.Generator().manual_seed(2)))
    return model, build_objectives(config, model)


def batch() -> Batch:
    pixels = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    masks = torch.zeros(4, 1, 32, 32)
    masks[:, :, 8:24, 8:24] = 1
    return Batch(pixels, torch.tensor([0, 1, 2, 0]), masks, torch.ones(4, dtype=torch.bool))


def test_the_term_by_hand() -> None:
    model, objectives = parts()
    near = next(part for part in objectives if isinstance(part, NearStart))
    assert near.needs(0, 1) == Needs()
    term = near.terms(None, None, 0, 1)["L_anchor"]
    moved = model.prompts.visual_proj.detach() - model.clip.model.visual.proj
    assert float(term.value.detach()) == pytest.approx(0.5 * float(moved.square().sum()), rel=1e-5)
    assert term.weight == 1.0
    (gradient,) = torch.autograd.grad(term.value, model.prompts.visual_proj)
    assert torch.allclose(gradient, 2 * 0.5 * moved, atol=1e-6)


@pytest.mark.parametrize("foreground", [False, True])
def test_every_term_of_dapt_that_acts_reaches_the_projection(foreground: bool) -> None:
    """L_f only where gradient flows into the foreground view: class texts are fixed."""
    model, objectives = parts(foreground_gradient=foreground)
    terms, _ = terms_of(model, objectives, batch(), 0, 2)
    expected = {"L_cls", "L_anchor", "L_v", "L_b"} | ({"L_f"} if foreground else set())
    assert set(terms) == expected
    for name, term in terms.items():
        (gradient,) = torch.autograd.grad(term.value, model.prompts.visual_proj, retain_graph=True)
        assert float(gradient.abs().max()) > 0, name


@pytest.mark.parametrize("views", ["pixels", "attention"])
def test_saved_features_give_the_terms_and_gradients_of_pixels(views: str) -> None:
    model, objectives = parts(foreground_gradient=True, views=views)
    whole = batch()
    needs = Needs()
    for objective in objectives:
        needs |= objective.needs(0, 2)
    names = model.views_for(needs)
    assert sorted(names) == ["background", "foreground", "full"]
    saved = {name: model.tower_features(whole, name) for name in names}
    bare = Batch(torch.empty(4, 0), whole.labels, whole.masks, whole.usable, saved=saved)
    found = []
    for given in (whole, bare):
        terms, _ = terms_of(model, objectives, given, 0, 2)
        loss = sum(term.weight * term.value for term in terms.values())
        (gradient,) = torch.autograd.grad(loss, model.prompts.visual_proj)
        found.append(({name: float(term.value.detach()) for name, term in terms.items()}, gradient))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4, abs=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-3 * float(found[0][1].abs().max()))
