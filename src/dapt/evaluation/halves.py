"""Accuracy on the classes of a run and, after base training, on the classes that were held back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from dapt.config import RunConfig
from dapt.data.labelled import LabelledImages
from dapt.evaluation.evaluate import Encoded, Evaluation, Keep, MaskSource, classify_images, encode_images
from dapt.evaluation.metrics import accuracy, harmonic_mean
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip
from dapt.results import Figures


def evaluate_halves(
    model: PromptedClip,
    config: RunConfig,
    main: LabelledImages,
    novel: LabelledImages | None,
    *,
    role: Literal["all", "base", "novel"],
    masks: MaskSource,
    prefix: str = "test",
    base_classes: int | None = None,
    keep: Keep | None = None,
) -> tuple[Figures, dict[str, Any]]:
    """All metrics of results.json; the accuracy of each class and group, which classes are taken for which, and how
    right the probabilities of `main` are.

    The field classifies base images among base classes and novel images among novel ones. With both parts at hand
    they are also classified among all classes together, from the same image features: the generalised setting (Xian
    et al. 2017, arXiv 1707.00600), which a user meets.

    Args:
        main: images whose accuracy is ``<prefix>/accuracy``; `role` says what its classes are.
        novel: held-back classes to classify among themselves, or None.
        base_classes: where `main` holds all classes, so many of them, the first, were trained on; None: all.
        keep: where what the image tower makes of images is kept; None: nowhere.
    """
    found, encoded = _on(model, config, main, masks, "evaluating", keep)
    metrics, breakdown = found.metrics(prefix), {**found.breakdown(), **found.answers()}
    base = metrics[f"{prefix}/accuracy"] if role == "base" else None
    other = metrics[f"{prefix}/accuracy"] if role == "novel" else None
    together = found if base_classes is not None else None
    if novel is not None:
        second, more = _on(model, config, novel, masks, "evaluating novel classes", keep)
        other = second.metrics(prefix)[f"{prefix}/accuracy"]
        breakdown["per_class"] |= second.breakdown()["per_class"]
        if "confusion" in breakdown:
            breakdown["confusion"] |= second.answers().get("confusion", {})
        base_classes = len(main.names)
        if found.targets is None and second.targets is None:
            moved = tuple(replace(item, label=base_classes + item.label) for item in more.items)
            labels = (*main.labels, *(base_classes + label for label in novel.labels))
            everything = LabelledImages(encoded.items + moved, labels, main.names + novel.names)
            together = _classified(model, config, everything, encoded + more, "evaluating all classes")
    metrics |= {
        f"{prefix}/accuracy_base": base,
        f"{prefix}/accuracy_novel": other,
        f"{prefix}/harmonic_mean": harmonic_mean(base, other),
    }
    return metrics | generalised(together, base_classes or 0, prefix), breakdown


def generalised(found: Evaluation | None, base_classes: int, prefix: str) -> Figures:
    """Figures of images of all classes that were classified among all classes.

    Args:
        found: their evaluation, or None: there is none, or images show several classes, some of which may be base and
            some novel. base_classes: so many classes, the first, are base classes.
    """
    total = base = novel = None
    if found is not None and found.targets is None:
        predicted, labels = found.predicted, found.labels
        first = labels < base_classes
        total = accuracy(predicted, labels)
        base, novel = accuracy(predicted[first], labels[first]), accuracy(predicted[~first], labels[~first])
    return {
        f"{prefix}/accuracy_generalised": total,
        f"{prefix}/generalised_base": base,
        f"{prefix}/generalised_novel": novel,
        f"{prefix}/generalised_harmonic_mean": harmonic_mean(base, novel),
    }


def _on(
    model: PromptedClip,
    config: RunConfig,
    part: LabelledImages,
    masks: MaskSource,
    label: str,
    keep: Keep | None,
) -> tuple[Evaluation, Encoded]:
    model.set_classes(part.names)
    classify = Classifier(model)
    size = config.eval_batch_size
    encoded = encode_images(
        classify, part.items, batch_size=size, workers=config.workers, masks=masks, label=label, keep=keep
    )
    kind = config.multi_label
    return classify_images(classify, encoded, part.labels, batch_size=size, multi_label=kind, label=label), encoded


def _classified(
    model: PromptedClip, config: RunConfig, part: LabelledImages, encoded: Encoded, label: str
) -> Evaluation:
    model.set_classes(part.names)
    return classify_images(Classifier(model), encoded, part.labels, batch_size=config.eval_batch_size, label=label)
