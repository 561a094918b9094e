"""The objectives of a model: its method's terms, and DAPT's."""

from __future__ import annotations

from dapt.config import DaptOptions, RunConfig
from dapt.console import warn
from dapt.errors import NotSupportedError
from dapt.methods.base import Method, MethodOptions
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective
from dapt.objectives.disentangle import Disentangle
from dapt.objectives.no_effect import without_effect


def check_dapt(config: RunConfig) -> None:
    """Refuse a run with DAPT where it cannot act, see `check_fits`."""
    check_fits(config.recipe, config.options, config.dapt)


def check_fits(method: Method, options: MethodOptions, dapt: DaptOptions) -> None:
    """Refuse DAPT where it cannot act.

    Raises:
        NotSupportedError: no training step changes the method, or the released code's columns do not fit it.
    """
    if not dapt.enabled:
        return
    if not method.trains:
        raise NotSupportedError(
            f"{method.name} has no training steps, so DAPT has nothing to act on.",
            todo="Choose a method such as maple.",
        )
    able = all(kind.extra_columns for kind in method.load_objectives())
    plain = able and not method.load_architecture().binds_classes(options)
    if dapt.distractors and not plain:
        raise NotSupportedError(
            f"dapt.released adds columns to the class logits, which {method.name} has no place for.",
            todo="It is there to compare with the released code: use it with maple.",
        )


def build_objectives(config: RunConfig, model: PromptedClip) -> list[Objective]:
    """The objectives of a run; warns of terms that can teach nothing, and of settings that change nothing.

    Raises:
        NotSupportedError: DAPT on a method that no training step changes.
    """
    check_dapt(config)
    objectives = method_objectives(config.recipe, model)
    if config.dapt.enabled:
        dapt = disentangle(config.dapt, model, weighs=config.class_weights != "none")
        if too_short := dapt.too_short(config.epochs):
            warn(too_short)
        for sentence in without_effect(dapt, config.epochs):
            warn(sentence)
        objectives.append(dapt)
    return objectives


def method_objectives(method: Method, model: PromptedClip) -> list[Objective]:
    """The terms of a method, for the classes that the model has now."""
    return [kind.build(model.prompts.options, model) for kind in method.load_objectives()]


def disentangle(options: DaptOptions, model: PromptedClip, *, weighs: bool = False) -> Disentangle:
    """DAPT's terms; warns of those that can teach nothing.

    Args:
        weighs: see `Disentangle`.
    """
    dapt = Disentangle(options, model.trainable(), float(model.clip.logit_scale), weighs=weighs)
    for sentence in dapt.left_out:
        warn(sentence)
    return dapt
