"""The objectives of a run from its configuration."""

from __future__ import annotations

from dapt.config import RunConfig
from dapt.console import warn
from dapt.errors import NotSupportedError
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective
from dapt.objectives.disentangle import Disentangle


def check_dapt(config: RunConfig) -> None:
    """Refuse DAPT where it cannot act.

    Raises:
        NotSupportedError: no training step changes the method, or the released code's columns do not fit it.
    """
    method = config.recipe
    if not config.dapt.enabled:
        return
    if not method.trains:
        raise NotSupportedError(
            f"{config.method} has no training steps, so DAPT has nothing to act on.",
            todo="Choose a method such as maple.",
        )
    able = all(kind.extra_columns for kind in method.load_objectives())
    plain = able and not method.load_architecture().binds_classes(config.options)
    if config.dapt.distractors and not plain:
        raise NotSupportedError(
            f"dapt.released adds columns to the class logits, which {config.method} has no place for.",
            todo="It is there to compare with the released code: use it with maple.",
        )


def build_objectives(config: RunConfig, model: PromptedClip) -> list[Objective]:
    """The method's terms, and DAPT's when they are switched on; warns of terms that can teach nothing.

    Raises:
        NotSupportedError: DAPT on a method that no training step changes.
    """
    check_dapt(config)
    method = config.recipe
    objectives: list[Objective] = [kind.build(model.prompts.options, model) for kind in method.load_objectives()]
    if config.dapt.enabled:
        dapt = Disentangle(config.dapt, model.trainable())
        for sentence in dapt.left_out:
            warn(sentence)
        if too_short := dapt.too_short(config.epochs):
            warn(too_short)
        objectives.append(dapt)
    return objectives
