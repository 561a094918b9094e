"""Classifying image files with a finished run."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from dapt.console import progress, warn
from dapt.data.folder import IMAGE_TYPES
from dapt.data.images import image_tensor
from dapt.data.transforms import eval_transform
from dapt.errors import DataError
from dapt.strict import readable

if TYPE_CHECKING:
    from dapt.training.model import PromptedClip

BATCH = 32


@dataclass(frozen=True)
class Prediction:
    """The most likely classes of one image, best first, with probabilities in 0..1."""

    path: Path
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The image files among and below `paths`, folders in sorted order.

    Raises:
        DataError: a path does not exist, or a folder holds no image.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in IMAGE_TYPES)
            if not inside:
                raise DataError(f"The folder {path} holds no image.")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"There is no image or folder {path}.", todo="Check the path.")
    return found


@torch.no_grad()
def predict_images(
    model: PromptedClip, paths: Sequence[Path], *, top: int = 5, skip_bad: bool = False
) -> list[Prediction]:
    """Classify image files among the model's classes.

    Raises:
        DataError: a file is damaged and `skip_bad` is false.
    """
    clip = model.clip
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    classify = model.classifier()
    predictions: list[Prediction] = []
    count = min(top, len(model.names))
    starts = range(0, len(paths), BATCH)
    skipped = 0
    for start in progress(starts, len(starts), "predicting", "batches"):
        batch, kept = [], []
        for path in paths[start : start + BATCH]:
            try:
                image = image_tensor(path)
            except DataError as error:
                if not skip_bad:
                    raise
                skipped += 1
                warn(error.what)
                continue
            batch.append(transform(image, torch.zeros(1, *image.shape[1:]))[0])
            kept.append(path)
        if not batch:
            continue
        logits = classify(torch.stack(batch).to(clip.device))[:, : len(model.names)]  # no columns of dapt.released
        best = logits.softmax(dim=1).topk(count, dim=1)
        for path, indices, values in zip(kept, best.indices.tolist(), best.values.tolist(), strict=True):
            predictions.append(Prediction(path, tuple(model.names[index] for index in indices), tuple(values)))
    if skipped:
        warn(f"{skipped} damaged images were left out.")
    return predictions


def predict_files(
    run: Path,
    paths: Sequence[Path],
    *,
    top: int = 5,
    classes: Sequence[str] | None = None,
    explain: Path | None = None,
    model_spec: str | None = None,
    skip_bad: bool = False,
    device: str = "auto",
) -> list[Prediction]:
    """Load a run and classify files; with `explain` write a picture per image of where the model looks."""
    from dapt.evaluation.on_run import load_run

    files = find_images(paths)
    model, _ = load_run(run, model_spec=model_spec, device=device)
    if classes:
        model.set_classes(classes)
    predictions = predict_images(model, files, top=top, skip_bad=skip_bad)
    if explain is not None:
        from dapt.evaluation.pictures import write_explanations

        write_explanations(model, predictions, explain)
    return predictions


def print_predictions(predictions: Sequence[Prediction], output: str) -> None:
    """Print predictions as a table, JSON or CSV on standard output."""
    if output == "json":
        rows = [
            {
                "image": str(prediction.path),
                "predictions": [
                    {"class": name, "probability": value}
                    for name, value in zip(prediction.classes, prediction.probabilities, strict=True)
                ],
            }
            for prediction in predictions
        ]
        print(readable(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False)))
    elif output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(["image", "rank", "class", "probability"])
        for prediction in predictions:
            pairs = zip(prediction.classes, prediction.probabilities, strict=True)
            for rank, (name, value) in enumerate(pairs, start=1):
                writer.writerow([readable(str(prediction.path)), rank, name, f"{value:.6f}"])
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table("image", "class", "probability")
        for prediction in predictions:
            pairs = zip(prediction.classes, prediction.probabilities, strict=True)
            for rank, (name, value) in enumerate(pairs):
                table.add_row(
                    escape(readable(str(prediction.path))) if rank == 0 else "", escape(name), f"{100 * value:.1f}%"
                )
        Console().print(table)
