"""An audit from models and data to figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dapt.colour import BLACK, colour_of
from dapt.environment import version
from dapt.errors import DataError
from dapt.evaluation.audit.answers import Answers, ask, look_of
from dapt.evaluation.audit.donors import NONE
from dapt.evaluation.audit.figures import Asked, figures_of
from dapt.evaluation.audit.scenes import Scenes
from dapt.evaluation.audit.variants import MIXED, NAMES, VARIANTS
from dapt.runs.audit_images import Question, Source, choose_images
from dapt.runs.audit_models import AuditedModel, with_names
from dapt.runs.audit_objects import Material, find_material

AUDIT_SCHEMA = 1
AUDIT_KEYS = {"schema", "audit", "variants", "models", "comparisons"}  # by which a file of figures is known
SIDE = 224  # pixels of the shorter side of composites where no model says another size
BATCH = 100
FIRST_NAMES = 20  # of images that are left out


@dataclass(frozen=True)
class Audit:
    """What was asked and answered.

    Attributes:
        record: the content of audit.json. answers: by the name of the model; none where there were no models.
        source, material, scenes: the images, from which every composite can be made again. asked: for `worst_images`.
    """

    record: dict[str, Any]
    answers: dict[str, Answers]
    source: Source
    material: Material
    scenes: Scenes
    asked: Asked

    @property
    def variants(self) -> list[str]:
        """The variants that some image has."""
        return list(self.record["variants"])


def run_audit(
    models: Sequence[AuditedModel],
    question: Question,
    *,
    size: int | None = None,
    blank: str = BLACK,
    device: str = "auto",
    source: Source | None = None,
) -> Audit:
    """Put the images together anew, and ask all models about them.

    Args:
        models: as opened by `open_models`; none: composites are only made.
        size: pixels of the shorter side of composites, at most; None: the largest that a model looks at.
        blank: colour of what is taken away. source: of `choose_images`, where it is known already.

    Raises:
        DaptError: the data, the masks or the models do not serve.
    """
    colour_of(blank)
    began = time.perf_counter()
    source = source or choose_images(question, models)
    for model in models:
        with_names(model, source.part.names, question.data, device)
    asked_models = [model.ready for model in models]
    shorter = size or max((max(model.clip.image.image_size) for model in asked_models), default=SIDE)
    material = find_material(question, source, asked_models[0].clip if asked_models else None, shorter)
    interpolation = asked_models[0].clip.preprocess.interpolation if asked_models else "bicubic"
    scenes = Scenes(material.items, material.cutouts.found, material.donors, interpolation=interpolation, blank=blank)
    variants = _variants(material)
    prepared = time.perf_counter()
    batch = next((model.config.eval_batch_size for model in models if model.config is not None), BATCH)
    found = ask(asked_models, scenes, material.labels, variants, batch_size=batch) if models else []
    answers = {model.name: each for model, each in zip(models, found, strict=True)}
    answered = time.perf_counter()
    shares = np.array([each.share for each in material.cutouts.found])
    asked = Asked(np.array(material.labels), shares, material.donors, material.names, question.seed)
    figures = figures_of(asked, answers) if answers else {"models": [], "comparisons": []}
    for row, model in zip(figures["models"], models, strict=True):
        row |= {**model.about(), "leaks": source.leaks.get(model.name)}
    record = _record(question, source, material, variants, shorter, blank) | figures
    record["seconds"] = {
        "preparing": round(prepared - began, 3),
        "asking": round(answered - prepared, 3),
        "pictures": sum(int((each.predicted >= 0).sum()) for each in found),
        "looks": len({look_of(model) for model in asked_models}),
    }
    return Audit(record, answers, source, material, scenes, asked)


def _variants(material: Material) -> list[str]:
    """The variants that some image has.

    Raises:
        DataError: no mixture can be made: there is one image.
    """
    if len(material.items) < 2:
        raise DataError(
            f"{material.items[0].name} is the only image with a mask of use: there is no background to exchange.",
            todo="Name data with more images, or masks for more of them.",
        )
    return [name for name in NAMES if name not in MIXED or bool((material.donors.of[name] != NONE).any())]


def _record(
    question: Question, source: Source, material: Material, variants: Sequence[str], shorter: int, blank: str
) -> dict[str, Any]:
    """What was asked of which images, as plain values."""
    shares = 100 * np.array([each.share for each in material.cutouts.found])
    donors, names = material.donors, material.names
    numbers = {
        name: int((donors.of[name] != NONE).sum()) if name in MIXED else len(material.items) for name in variants
    }
    return {
        "schema": AUDIT_SCHEMA,
        "audit": "background",
        "dapt": version(),
        "data": source.data.name,
        "place": str(source.data.root),
        "split": source.split,
        "images": len(material.items),
        "classes": list(names),
        "seed": question.seed,
        "limit": question.limit,
        "size": shorter,
        "blank": blank,
        "masks": material.masks,
        "object_percent": {
            "mean": float(shares.mean()),
            "median": float(np.median(shares)),
            "smallest": float(shares.min()),
            "largest": float(shares.max()),
        },
        "variants": {
            each.name: {"title": each.title, "what": each.what, "images": numbers[each.name]}
            for each in VARIANTS
            if each.name in numbers
        },
        "left_out": {
            reason: {"images": len(left), "first_names": left[:FIRST_NAMES]}
            for reason, left in material.left_out.items()
        },
        "damaged": source.bad,
        "unused": source.asked.unused,
        "unknown_classes": source.asked.unknown,
        "absent_classes": list(source.asked.absent),
        "donors": {
            "filled_in": sum(not each.lends for each in material.cutouts.found),
            "classes_without": [names[label] for label in donors.bare],
            "classes_alone": [names[label] for label in donors.alone],
        },
    }


def image_rows(audit: Audit) -> tuple[list[str], list[list[str]]]:
    """A table of all images: donors, and the answers of every model to every variant. Returns its head and its rows."""
    material, names = audit.material, audit.material.names
    kinds = [name for name in MIXED if name in audit.variants]
    head = ["image", "class", "object_percent", *(f"{kind}_background" for kind in kinds)]
    head += [f"{model}: {variant}" for model, given in audit.answers.items() for variant in given.variants]
    rows = []
    for place, (item, label) in enumerate(zip(material.items, material.labels, strict=True)):
        row = [item.name, names[label], f"{100 * material.cutouts.found[place].share:.2f}"]
        for kind in kinds:
            donor = int(material.donors.of[kind][place])
            row.append("" if donor == NONE else material.items[donor].name)
        for given in audit.answers.values():
            row += ["" if given.of(each)[place] < 0 else names[given.of(each)[place]] for each in given.variants]
        rows.append(row)
    return head, rows
