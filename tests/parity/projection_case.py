"""ProLIP's fixture: numbers on features before the projection, which are saved."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from cases import Case, batches

from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.model.needs import FULL
from dapt.objectives.build import build_objectives
from dapt.training.optimizer import make_optimizer
from dapt.training.saved_views import SavedViews
from dapt.training.schedule import learning_rate
from dapt.training.step import TrainStep


def check_projection(case: Case) -> None:
    """ProLIP on saved features: ten full-batch steps of Adam, each at its own rate and on its own view."""
    given, stored = case.settings, case.stored
    clip = case.folder.built_clip("clip")
    clip.logit_scale = torch.tensor(given["logit_scale"])  # the release multiplies by a number, not by the model's own
    options = {"templates": [given["template"]], "views": given["views"], "anchor": given["anchor_weight"]}
    config = make_config({"data": "-", "method": "prolip", "prompt": options, "epochs": given["steps"]})
    model = build_model(config, clip, case.names())
    step = TrainStep(model, build_objectives(config, model))
    proj = model.prompts.visual_proj
    assert torch.equal(proj, stored["param0.visual_proj"]), "it starts at the model's own projection"
    assert torch.allclose(model.text_features(model.prompts()), stored["input.text_features"], atol=1e-6)
    seen = torch.cat([model.tower_features(batch, FULL) for batch in batches(case)])
    assert torch.allclose(seen, stored["input.test_features"], atol=1e-5)
    images = SavedViews(SimpleNamespace(items=[]), model, given["views"], size=1, workers=0)
    assert [images.view_of(epoch) for epoch in range(given["steps"])] == given["view_per_step"]
    settings = given["optimizer"]
    rates = [
        learning_rate(epoch, base_lr=settings["lr"], epochs=given["steps"], warmup_epochs=config.warmup_epochs)
        for epoch in range(given["steps"])
    ]
    assert rates == pytest.approx(settings["lr_per_step"], rel=1e-9)
    optimizer = make_optimizer(
        model.parameters(),
        config.optimizer,
        lr=settings["lr"],
        weight_decay=config.weight_decay,
        adam_eps=config.adam_eps,
    )
    assert (config.optimizer, config.adam_eps) == (settings["name"], settings["eps"])
    classified, anchored = [], []
    for number, rate in enumerate(rates, start=1):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        view = stored["input.train_features"][given["view_per_step"][number - 1]]
        batch = Batch(torch.empty(len(view), 0), stored["input.train_labels"], saved={FULL: view})
        loss, terms, outputs = step(batch, number - 1, given["steps"])
        classified.append(terms["L_cls"].value.detach())
        anchored.append(terms["L_anchor"].value.detach() / given["anchor_weight"])
        loss.backward()
        if number == 1:
            case.check("out.logits", outputs.logits(FULL))
            case.check("out.loss", loss)
            case.check("grad.visual_proj", proj.grad)
        optimizer.step()
        case.check(f"param{number}.visual_proj", proj, optional=True)
        case.check(f"epoch{number}.visual_proj", proj, optional=True)
    case.check("out.loss_ce_per_step", torch.stack(classified))
    case.check("out.loss_anchor_per_step", torch.stack(anchored))
    features = model.finish_image(stored["input.test_features"])
    case.check("out.final_test_logits", clip.logits(features, stored["input.text_features"]))
