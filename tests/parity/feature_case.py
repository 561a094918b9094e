"""GDA's and LP++'s fixtures: closed forms and steps on image features that are given."""

from __future__ import annotations

import torch
from cases import Case

from dapt.clip.frozen import unit
from dapt.clip.logits import line_logits
from dapt.methods.gda import GdaNewOptions, GdaOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.blended_probe import Fitting, Probe, State
from dapt.prompts.gaussian import (
    ALPHAS,
    GaussianPrompts,
    OpenGaussianPrompts,
    mean_class_precision,
    shrunk_precision,
    unit_rows,
)
from dapt.prompts.per_class import class_means

TEXTS = "input.text_features"


def seen_by(case: Case, clip, texts: torch.Tensor) -> TrainingSet:
    """The given features in place of those of images."""
    given = case.stored
    rows = given["input.train_features"]
    return TrainingSet(
        clip,
        given["input.train_labels"],
        given["input.val_labels"],
        lambda: texts,
        lambda views: rows.mean(dim=0),
        lambda: given["input.val_features"],
        lambda views: rows,
    )


def check_alphas(
    case: Case, scale: torch.Tensor, scores: tuple[torch.Tensor, torch.Tensor], texts: torch.Tensor
) -> None:
    """The accuracy on the validation images at each weight of the grid."""
    assert tuple(case.settings["alpha_grid"]) == ALPHAS
    features, labels = unit(case.stored["input.val_features"]), case.stored["input.val_labels"]
    zero_shot, added = scale * features @ texts.t(), line_logits(features, scores)
    right = [float((zero_shot + alpha * added).argmax(dim=1).eq(labels).float().mean()) for alpha in ALPHAS]
    case.check("out.val_accuracy_per_alpha", 100 * torch.tensor(right))


def check_gaussian(case: Case) -> None:
    """GDA among the training classes."""
    given, stored = case.settings, case.stored
    clip = case.folder.built_clip("clip")
    clip.logit_scale = torch.tensor(given["logit_scale"])
    texts = stored[TEXTS]
    names = [f"class {number}" for number in range(len(texts))]
    own = GaussianPrompts(GdaOptions(views=given["views"]), clip, names, torch.Generator())
    seen = seen_by(case, clip, texts)
    rows, labels = unit_rows(seen, given["views"])
    means = class_means(rows, labels, len(names))
    case.check("out.class_means", means)
    case.check("out.precision", shrunk_precision(rows - means[labels]))
    own.prepare(seen)
    case.check("out.weight", own.weight)
    case.check("out.bias", own.bias)
    check_alphas(case, clip.logit_scale, (own.weight, own.bias), texts)
    assert float(own.alpha) == given["alpha"]
    test = unit(stored["input.test_features"])
    case.check("out.test_scores", line_logits(test, (own.weight, own.bias)))
    line = own.logit_line(names, texts, clip.logit_scale)
    assert line is not None
    case.check("out.test_logits", line_logits(test, line))


def check_open_gaussian(case: Case) -> None:
    """GDA's two halves of classes, each asked about by itself."""
    given, stored = case.settings, case.stored
    clip = case.folder.built_clip("clip")
    clip.logit_scale = torch.tensor(given["logit_scale"])
    base, new = stored["input.text_features_base"], stored["input.text_features_new"]
    names = [f"base {number}" for number in range(len(base))]
    options = GdaNewOptions(views=given["views"], neighbours=given["neighbours"], text_copies=given["text_copies"])
    own = OpenGaussianPrompts(options, clip, names, torch.Generator())
    seen = seen_by(case, clip, base)
    rows, labels = unit_rows(seen, given["views"])
    case.check("out.class_means_base", class_means(rows, labels, len(names)))
    case.check("out.precision_base", mean_class_precision(rows, labels, len(names)))
    own.prepare(seen)
    case.check("out.weight_base", own.weight)
    case.check("out.bias_base", own.bias)
    check_alphas(case, clip.logit_scale, (own.weight, own.bias), base)
    assert float(own.alpha) == given["alpha"]
    means, precision = own.new_classes(new.double())
    case.check("out.class_means_new", means)
    case.check("out.precision_new", precision)
    unknown = [f"new {number}" for number in range(len(new))]
    for half, asked, texts in (("base", names, base), ("new", unknown, new)):
        line = own.logit_line(asked, texts, clip.logit_scale)
        assert line is not None
        scores = ((line[0] - clip.logit_scale * texts) / own.alpha, line[1] / own.alpha)
        case.check(f"out.weight_{half}", scores[0])
        case.check(f"out.bias_{half}", scores[1])
        test = unit(stored[f"input.test_features_{half}"])
        case.check(f"out.test_scores_{half}", line_logits(test, scores))
        case.check(f"out.test_logits_{half}", line_logits(test, line))
    mixed = own.logit_line([names[2], unknown[1]], torch.stack([base[2], new[1]]), clip.logit_scale)
    assert mixed is not None
    assert torch.allclose(mixed[1][0], own.alpha * own.bias[2], rtol=1e-5)


def check_blended_probe(case: Case) -> None:
    """LP++: where it starts, its rates, and twenty steps."""
    given, stored = case.settings, case.stored
    texts, features = stored[TEXTS], unit(stored["input.train_features"])
    fitting = Fitting.of(features, stored["input.train_labels"], texts)
    case.check("out.lr_weight", torch.tensor(fitting.rate))
    case.check("out.lr_alpha", torch.tensor(fitting.alpha_rate))
    begun = fitting.start(stored["param0.bias"])
    case.check("out.alpha_init", begun.alpha[0])
    for name in ("weight", "alpha"):
        begins = getattr(begun, name).reshape(stored[f"param0.{name}"].shape)
        assert torch.allclose(begins, stored[f"param0.{name}"], atol=case.tolerance(f"param0.{name}"))
    start = Probe(stored["param0.weight"], stored["param0.bias"], stored["param0.alpha"][0])
    case.check("out.logits", start.logits(features, texts))
    case.check("out.loss", fitting.loss(start))
    parts = [getattr(start, name).clone().requires_grad_() for name in ("weight", "bias", "alpha")]
    gradients = torch.autograd.grad(fitting.loss(Probe(*parts)), parts)
    for name, gradient in zip(("weight", "bias", "alpha"), gradients, strict=True):
        case.check(f"grad.{name}", gradient.reshape(stored[f"grad.{name}"].shape))
    state = State(start)
    for number in range(1, given["epochs"] + 1):
        loss = fitting.loss(state.probe)
        state = state.stepped(fitting)
        for name in ("weight", "bias", "alpha"):
            for key in (f"param{number}.{name}", f"epoch{number}.{name}"):
                if key in stored:
                    case.check(key, getattr(state.probe, name).reshape(stored[key].shape))
    case.check("out.loss_epoch20", loss)
    for split in ("val", "test"):
        case.check(f"out.{split}_logits_epoch20", state.probe.logits(unit(stored[f"input.{split}_features"]), texts))


CHECKS = {"gda_base_to_new": check_open_gaussian, "gda": check_gaussian, "lp_plus": check_blended_probe}
