"""Accuracy on the classes of a run and, after base training, on the classes that were held back."""

from __future__ import annotations

from typing import Literal

from dapt.config import RunConfig
from dapt.evaluation.evaluate import Evaluation, MaskSource, evaluate
from dapt.evaluation.metrics import harmonic_mean
from dapt.training.data import Part
from dapt.training.model import PromptedClip

Figures = dict[str, float | None]


def evaluate_halves(
    model: PromptedClip,
    config: RunConfig,
    main: Part,
    novel: Part | None,
    *,
    role: Literal["all", "base", "novel"],
    masks: MaskSource,
    prefix: str = "test",
) -> tuple[Figures, dict[str, Figures]]:
    """All metrics of results.json, and the accuracy of each class and group.

    Args:
        main: images whose accuracy is ``<prefix>/accuracy``; `role` says what its classes are.
        novel: held-back classes to classify among themselves, or None.
    """

    def on(part: Part, label: str) -> Evaluation:
        model.set_classes(part.names)
        return evaluate(
            model,
            part.items,
            part.labels,
            batch_size=config.eval_batch_size,
            workers=config.workers,
            masks=masks,
            label=label,
        )

    found = on(main, "evaluating")
    metrics, breakdown = found.metrics(prefix), found.breakdown()
    accuracy = metrics[f"{prefix}/accuracy"]
    base = accuracy if role == "base" else None
    other = accuracy if role == "novel" else None
    if novel is not None:
        second = on(novel, "evaluating novel classes")
        other = second.metrics(prefix)[f"{prefix}/accuracy"]
        breakdown["per_class"] |= second.breakdown()["per_class"]
    metrics |= {
        f"{prefix}/accuracy_base": base,
        f"{prefix}/accuracy_novel": other,
        f"{prefix}/harmonic_mean": harmonic_mean(base, other),
    }
    return metrics, breakdown
