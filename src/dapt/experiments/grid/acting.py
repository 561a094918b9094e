"""Which of DAPT's terms never act in the cells of an experiment, before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.experiments.grid.prepared import Prepared
from dapt.objectives.disentangle import Disentangle
from dapt.report.method_card import build_for_counting
from dapt.wording import counted, some

CLASSES = 3


def never_acting(cells: Iterable[Prepared]) -> list[str]:
    """A sentence for each reason for which terms of DAPT never act, with the cells; those that act are not named.

    What a method trains is seen by building it on the bundled model.
    """
    why: dict[str, list[str]] = {}
    known: dict[str, Disentangle | None] = {}
    clip: FrozenClip | None = None
    for each in cells:
        config = each.runs[0]
        if not config.dapt.enabled:
            continue
        if config.cue.source == "none":
            why.setdefault("No term acts: the cue none finds no foreground.", []).append(each.cell.name)
            continue
        key = f"{config.method} {json.dumps(config.prompt, default=str)} {config.dapt.model_dump_json()}"
        if key not in known:
            clip = clip or load_clip("demo")
            known[key] = _terms(config, clip)
        terms = known[key]
        if terms is None:
            continue
        for sentence in [*terms.left_out, terms.too_short(config.epochs)]:
            if sentence:
                why.setdefault(sentence, []).append(each.cell.name)
    return [f"DAPT in {counted(len(names), 'cell')} ({some(names)}): {sentence}" for sentence, names in why.items()]


def _terms(config: RunConfig, clip: FrozenClip) -> Disentangle | None:
    """DAPT's terms of a run; None where its method cannot be built on the bundled model."""
    if not config.recipe.trains:
        return None
    given = _fitting(config, min(clip.text.layers, clip.image.layers))
    return Disentangle(config.dapt, build_for_counting(config.recipe, clip, CLASSES, given).trainable())


def _fitting(config: RunConfig, layers: int) -> dict[str, Any]:
    """The options of a run's method with depths that fit towers of so many layers."""
    given = {**config.recipe.preset, **config.prompt}
    for name, option in config.recipe.options.model_fields.items():
        depth = given.get(name, option.default)
        if name.startswith("depth") and isinstance(depth, int):
            given[name] = min(depth, layers)
    return given
