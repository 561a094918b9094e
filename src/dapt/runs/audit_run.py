"""An audit from models and data to figures."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dapt.colour import BLACK, colour_of
from dapt.data.items import Item
from dapt.data.load.reading import Reading, current
from dapt.digests import content_digest
from dapt.environment import version
from dapt.errors import DataError
from dapt.evaluation.audit.answers import Answers, ask
from dapt.evaluation.audit.cutouts import Cutout
from dapt.evaluation.audit.donors import NONE
from dapt.evaluation.audit.figures import Asked, figures_of
from dapt.evaluation.audit.kept_answers import KeptAnswers
from dapt.evaluation.audit.scenes import Scenes
from dapt.evaluation.audit.variants import LENT, NAMES, VARIANTS
from dapt.owned import digest_of
from dapt.paths import resolved
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


@dataclass(frozen=True)
class Prepared:
    """An audit before any model is asked.

    Attributes:
        models: that know their classes. variants: that some image has. shorter: pixels of the shorter side of
            composites, at most. seconds: that it took.
    """

    models: Sequence[AuditedModel]
    question: Question
    source: Source
    material: Material
    scenes: Scenes
    variants: list[str]
    shorter: int
    blank: str
    seconds: float

    @property
    def key(self) -> str:
        """The checksum of all that decides the answers: models, classes, images, objects, donors and options."""
        donors = {name: of.tolist() for name, of in self.material.donors.of.items()}
        labels = self.material.labels[: self.material.asked]
        plain = [self.variants, self.shorter, self.blank, self.material.names, labels, donors]
        if (reading := current()) != Reading():
            plain.append([reading.matte, reading.bits])
        models = [[each.ready.clip.fingerprint(), _prompts_of(each)] for each in self.models]
        images = [[item.name, *_state(item), each.bits.hex()] for item, each in _pairs(self.material)]
        return digest_of(json.dumps([plain, models, images]).encode())


def prepare_audit(
    models: Sequence[AuditedModel],
    question: Question,
    *,
    size: int | None = None,
    blank: str = BLACK,
    device: str = "auto",
    source: Source | None = None,
) -> Prepared:
    """Find out what is asked of whom.

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
    ready = [model.ready for model in models]
    shorter = size or max((max(model.clip.image.image_size) for model in ready), default=SIDE)
    material = find_material(question, source, ready[0].clip if ready else None, shorter)
    interpolation = ready[0].clip.preprocess.interpolation if ready else "bicubic"
    scenes = Scenes(material.items, material.cutouts, material.donors, interpolation=interpolation, blank=blank)
    seconds = time.perf_counter() - began
    return Prepared(models, question, source, material, scenes, _variants(material), shorter, blank, seconds)


def finish_audit(prepared: Prepared, kept: Path | None = None) -> Audit:
    """Ask the models, and find the figures.

    Args:
        kept: file in which answers are kept meanwhile, and from which an interrupted audit goes on.

    Raises:
        DaptError: what a model computes is not finite, an image cannot be read, or the file belongs to another audit.
    """
    models, material, question = prepared.models, prepared.material, prepared.question
    began = time.perf_counter()
    ready = [model.ready for model in models]
    batch = next((model.config.eval_batch_size for model in models if model.config is not None), BATCH)
    keeper = None if kept is None else KeptAnswers(kept, prepared.key)
    found: list[Answers] = []
    if models:
        labels = material.labels[: material.asked]
        found = ask(ready, prepared.scenes, labels, prepared.variants, batch_size=batch, kept=keeper)
    answers = {model.name: each for model, each in zip(models, found, strict=True)}
    answered = time.perf_counter()
    asked = Asked(np.array(material.labels), material.shares, material.donors, material.names, question.seed)
    figures = figures_of(asked, answers) if answers else {"models": [], "comparisons": []}
    for row, model in zip(figures["models"], models, strict=True):
        row |= {**model.about(), "leaks": prepared.source.leaks.get(model.name)}
    record = _record(question, prepared.source, material, prepared.variants, prepared.shorter, prepared.blank) | figures
    record["seconds"] = {
        "preparing": round(prepared.seconds, 3),
        "asking": round(answered - began, 3),
        "pictures": sum(int((each.predicted >= 0).sum()) for each in found),
    }
    return Audit(record, answers, prepared.source, material, prepared.scenes, asked)


def run_audit(models: Sequence[AuditedModel], question: Question, **how: Any) -> Audit:
    """Put the images together anew, and ask all models about them; the arguments are those of `prepare_audit`.

    Raises:
        DaptError: the data, the masks or the models do not serve.
    """
    return finish_audit(prepare_audit(models, question, **how))


def _prompts_of(model: AuditedModel) -> str:
    return content_digest([dict(model.ready.prompts.state_dict())])


def _pairs(material: Material) -> list[tuple[Item, Cutout]]:
    return list(zip(material.items, material.cutouts, strict=True))


def _state(item: Item) -> list[int]:
    state = item.path.stat()
    return [state.st_size, state.st_mtime_ns]


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
    return [name for name in NAMES if name not in LENT or _mixed(material, name)]


def _mixed(material: Material, variant: str) -> int:
    """Of how many of the images that are asked about a mixture can be made."""
    return sum(material.donors.to(variant, place) != NONE for place in material.judged)


def _record(
    question: Question, source: Source, material: Material, variants: Sequence[str], shorter: int, blank: str
) -> dict[str, Any]:
    """What was asked of which images, as plain values."""
    shares = 100 * material.shares
    donors, names = material.donors, material.names
    over = 0 if question.limit is None else len(source.asked.part.items) - question.limit
    numbers = {name: _mixed(material, name) if name in LENT else material.asked for name in variants}
    return {
        "schema": AUDIT_SCHEMA,
        "audit": "background",
        "dapt": version(),
        "data": source.data.name,
        "place": str(resolved(source.data.root)),
        "split": source.split,
        "divided": source.data.divided,
        "images": material.asked,
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
        "unused": source.asked.unused | ({"over the limit": over} if over > 0 else {}),
        "unknown_classes": source.asked.unknown,
        "absent_classes": list(source.asked.absent),
        "chance": 100 / len(names),
        "donors": {
            "images": sum(each.lends for each in material.own),
            "only_lend": len(material.own) - material.asked,
            "only_lend_without_mask": material.lend_none,
            "filled_in": sum(not each.lends for each in material.own[: material.asked]),
            "classes_without": [names[label] for label in donors.bare],
            "classes_alone": [names[label] for label in donors.alone],
        },
        "backgrounds": material.strangers.about,
    }


def image_rows(audit: Audit) -> tuple[list[str], list[list[str]]]:
    """A table of all images: donors, and the answers of every model to every variant. Returns its head and its rows."""
    material, names = audit.material, audit.material.names
    kinds = [name for name in LENT if name in audit.variants]
    head = ["image", "class", "object_percent", *(f"{kind}_background" for kind in kinds)]
    head += [f"{model}: {variant}" for model, given in audit.answers.items() for variant in given.variants]
    rows = []
    for place in material.judged:
        item, label = material.items[place], material.labels[place]
        row = [item.name, names[label], f"{100 * material.cutouts[place].share:.2f}"]
        for kind in kinds:
            donor = material.donors.to(kind, place)
            row.append("" if donor == NONE else material.items[donor].name)
        for given in audit.answers.values():
            row += ["" if given.of(each)[place] < 0 else names[given.of(each)[place]] for each in given.variants]
        rows.append(row)
    return head, rows
