"""Every published default as the code has it: one flat table, key to value, to compare with a written one."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

from dapt.config import (
    BACKGROUND_WORDS,
    RELEASED_SLICE,
    CueSettings,
    DaptOptions,
    RunSettings,
    SelectionOptions,
    TrackOptions,
)
from dapt.cues.base import CUES
from dapt.cues.model_cue import ModelCue
from dapt.dapt_options import AUTO_COUNT
from dapt.data.load import transforms
from dapt.data.masks import mask_collections, mask_files
from dapt.data.read import divide
from dapt.demo.setting import DemoSettings
from dapt.evaluation.metrics import BINS
from dapt.experiments.protocols import cross_dataset, data_efficient, domain_generalisation, few_shot
from dapt.methods.base import METHODS, TrainingDefaults
from dapt.methods.templates import KGCOOP, LISTS, PHOTO, PROGRAD, SELECTED_7, ZERO_SHOT
from dapt.model import views
from dapt.model.grad_cam import EPSILON
from dapt.objectives import reliability
from dapt.prompts import base, cache, probe
from dapt.runs import selecting
from dapt.selection.base import SELECTORS
from dapt.training.schedule import learning_rate

TABLE = Path(__file__).parent / "published_defaults.json"
REQUIRED = "(required)"


def plain(value: Any) -> Any:
    """A value as JSON gives it back; a named list of templates is its name."""
    named = [name for name, make in LISTS.items() if value == make()]
    return named[0] if named else json.loads(json.dumps(value, default=lambda part: TypeAdapter(Any).dump_python(part)))


def of_model(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    """The defaults of a configuration section; sections inside it have rows of their own."""
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield f"{prefix}.{name}", type(default).__name__
        else:
            yield f"{prefix}.{name}", REQUIRED if default is PydanticUndefined else plain(default)


def of_methods() -> Iterator[tuple[str, Any]]:
    """Options and training settings of every registered method and variant."""
    for name in METHODS.names():
        method = METHODS.get(name)
        options = method.options.model_validate(dict(method.preset))
        for key in type(options).model_fields:
            yield f"methods.{name}.options.{key}", plain(getattr(options, key))
        for field in dataclasses.fields(method.training):
            if field.name != "source":
                value = getattr(method.training, field.name)
                if field.name == "epochs_by_shots":
                    value = {str(shots): epochs for shots, epochs in value.items()}
                yield f"methods.{name}.training.{field.name}", plain(value)
        yield f"methods.{name}.trains", method.trains
        yield f"methods.{name}.label_free", method.label_free


def of_selectors() -> Iterator[tuple[str, Any]]:
    """Options of every selector."""
    for name in SELECTORS.names():
        kind = SELECTORS.get(name)
        yield f"selectors.{name}.legacy", kind().legacy
        for key in ("looks", "needs_val", "needs_training"):
            yield f"selectors.{name}.{key}", getattr(kind, key)
        yield from of_model(kind.options_type, f"selectors.{name}")


def of_cues() -> Iterator[tuple[str, Any]]:
    """Options of every cue; those that hold a model share names, so theirs have the cue's name before them."""
    for name in CUES.names():
        kind = CUES.get(name)
        yield from of_model(kind.options_type, f"cue.{name}" if issubclass(kind, ModelCue) else "cue")


def constants() -> Iterator[tuple[str, Any]]:
    """Numbers and words that are in no section."""
    yield "constants.background_words", list(BACKGROUND_WORDS)
    yield "constants.released_slice", RELEASED_SLICE
    yield "constants.auto_words", AUTO_COUNT
    yield "constants.gradcam_epsilon", EPSILON
    yield "constants.test_share", divide.TEST_SHARE
    yield "constants.val_share", divide.VAL_SHARE
    yield "constants.split_seed", divide.SPLIT_SEED
    yield "constants.mask_aspect_tolerance", mask_files.ASPECT_TOLERANCE
    yield "constants.mask_near_white", mask_files.NEAR_WHITE
    yield "constants.mask_blank_share", mask_collections.BLANK_SHARE
    yield "constants.crop_ratio", list(transforms.RATIO)
    yield "constants.crop_tries", transforms.TRIES
    yield "constants.calibration_bins", BINS
    yield "constants.prompt_spread", base.SPREAD
    yield "constants.blur", views.BLUR
    yield "constants.gate_hidden", reliability.HIDDEN
    yield "constants.gate_areas", [reliability.SMALLEST_AREA, reliability.GREATEST_AREA]
    yield "constants.cache_grid", [cache.LEAST, cache.ALPHAS, cache.BETAS]
    yield "constants.probe_exponents", list(probe.EXPONENTS)
    yield "constants.forgetting_epochs", selecting.FORGETTING_EPOCHS
    yield "constants.few_shots", list(few_shot.FEW_SHOTS)
    yield "constants.fractions", list(data_efficient.FRACTIONS)
    yield "constants.cross_dataset", list(cross_dataset.CROSS_DATASET)
    yield "constants.imagenet_variants", list(domain_generalisation.IMAGENET_VARIANTS)
    for name in ("warmup_epochs", "warmup_lr"):
        yield f"constants.schedule_{name}", inspect.signature(learning_rate).parameters[name].default
    for field in dataclasses.fields(TrainingDefaults):
        if field.name not in ("source", "epochs_by_shots"):
            yield f"constants.training_{field.name}", field.default


def templates() -> Iterator[tuple[str, Any]]:
    """Hand-written texts by data set and by name."""
    yield "templates.photo", PHOTO
    yield "templates.selected7", list(SELECTED_7)
    yield "templates.imagenet80", LISTS["imagenet80"]()
    yield "templates.promptsrc60", LISTS["promptsrc60"]()
    for family, known in (("zero_shot", ZERO_SHOT), ("kgcoop", KGCOOP), ("prograd", PROGRAD)):
        for data, template in known.items():
            yield f"templates.{family}.{data}", template


def defaults() -> dict[str, Any]:
    """All of them."""
    sections = {"run": RunSettings, "dapt": DaptOptions, "cue": CueSettings, "selection": SelectionOptions}
    sections["track_options"] = TrackOptions
    sections["demo"] = DemoSettings
    found: dict[str, Any] = {}
    for prefix, model in sections.items():
        found |= dict(of_model(model, prefix))
    for more in (of_methods(), of_cues(), of_selectors(), constants(), templates()):
        found |= dict(more)
    return found
