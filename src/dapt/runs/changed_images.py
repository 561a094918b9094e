"""Which test images two runs answer differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dapt.config import RunConfig
from dapt.data.labelled import LabelledImages, checked_part
from dapt.errors import DataError
from dapt.evaluation.audit.intervals import Means, mcnemar
from dapt.evaluation.evaluate import classify_images, encode_images
from dapt.model.classifier import Classifier
from dapt.runs.evaluated_images import evaluated_images
from dapt.runs.load_run import load_run

Figure = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Answer:
    """What a model says to an image: the class, its probability, and whether that is right."""

    said: str
    probability: float
    right: bool


@dataclass(frozen=True)
class Changed:
    """One image to which two models say different classes.

    Attributes:
        image: its name within the data. true: its class.
    """

    image: str
    true: str
    first: Answer
    second: Answer

    @property
    def kind(self) -> str:
        """Which of the two is right: ``gained`` by the second, ``lost`` by it, or ``wrong`` both times."""
        return "gained" if self.second.right else "lost" if self.first.right else "wrong"


@dataclass(frozen=True)
class PartChanges:
    """What has changed on the test images of some classes.

    Attributes:
        classes: all, base or novel. images: those that both were asked about. first, second: accuracy; difference: of
            the second to the first, both in percent with the 95% interval of a paired bootstrap over images.
        p: of McNemar's exact test. changed: images with different answers, those of which the model that is right is
            surest first. left_out: images that only one of the runs has.
    """

    classes: str
    images: int
    first: Figure
    second: Figure
    difference: Figure
    p: float
    changed: list[Changed]
    left_out: int

    def of_kind(self, kind: str) -> list[Changed]:
        """The changes of one kind, see `Changed.kind`."""
        return [each for each in self.changed if each.kind == kind]


def changed_images(
    runs: Sequence[str], *, models: Sequence[str | None] = (None, None), device: str = "auto"
) -> list[PartChanges]:
    """Ask the models of two runs about the test images that both have.

    After base training there are two parts, base and novel classes, each among its own names as the field does.

    Args:
        runs: the two folders. models: where the backbone of each is now; None: where it was.

    Raises:
        DataError: they were tested on other images or classes. DaptError: a model or the data is not there.
    """
    first, second = (_answers(run, model_spec=model, device=device) for run, model in zip(runs, models, strict=True))
    found = [_compared(classes, first[classes], second[classes]) for classes in first if classes in second]
    if not found:
        raise DataError("The two runs have no test images in common, so no answers can be compared.")
    return found


Answers = dict[str, tuple[str, Answer]]  # by the name of the image: its class, and what is said


def _answers(run: str, *, model_spec: str | None, device: str) -> dict[str, Answers]:
    model, config = load_run(run, model_spec=model_spec, device=device)
    model.eval()
    parts = ["base", "novel"] if config.subset == "base" else [config.subset]
    if model.prompts.fixed_classes:
        parts = parts[:1]
    found: dict[str, Answers] = {}
    for classes in parts:
        part, _ = checked_part(evaluated_images(config, run, classes), config.skip_bad, "checking images")
        if part.items:
            model.set_classes(part.names)
            found[classes] = _asked(Classifier(model), config, part, f"{run}: {classes} classes")
    return found


def _asked(classify: Classifier, config: RunConfig, part: LabelledImages, label: str) -> Answers:
    size = config.eval_batch_size
    encoded = encode_images(classify, part.items, batch_size=size, workers=config.workers, label=label)
    seen = classify_images(classify, encoded, part.labels, batch_size=size, multi_label=config.multi_label, label=label)
    right = (seen.predicted == seen.expected).tolist()
    rows = zip(part.items, part.labels, seen.predicted.tolist(), seen.confidence.tolist(), right, strict=True)
    return {
        item.name: (part.names[true], Answer(part.names[said], float(sure), bool(good)))
        for item, true, said, sure, good in rows
    }


def _compared(classes: str, first: Answers, second: Answers) -> PartChanges:
    """Raises DataError where the same names stand for other classes."""
    names = [name for name in first if name in second]
    other = [name for name in names if first[name][0] != second[name][0]]
    if other:
        raise DataError(
            f"{len(other)} images have another class in the second run, {other[0]} among them.",
            todo="Compare runs of the same labels.",
        )
    before, after = (np.array([found[name][1].right for name in names], dtype=float) for found in (first, second))
    means, every = Means(len(names), seed=0), np.ones(len(names), dtype=bool)
    for values in (before, after, after - before):
        means.add(values, every)
    one, two, gap = means.intervals()
    changed = [
        Changed(name, first[name][0], first[name][1], second[name][1])
        for name in names
        if first[name][1].said != second[name][1].said
    ]
    changed.sort(key=lambda each: (("gained", "lost", "wrong").index(each.kind), -_surest(each), each.image))
    p = mcnemar(int((before > after).sum()), int((after > before).sum()))
    left_out = len(first) + len(second) - 2 * len(names)
    return PartChanges(classes, len(names), one, two, gap, p, changed, left_out)


def _surest(changed: Changed) -> float:
    return changed.second.probability if changed.second.right else changed.first.probability
