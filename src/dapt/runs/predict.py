"""Classifying image files with a finished run."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from dapt.console import cell, progress, show_json, visible, warn
from dapt.data.load.images import RefusedImageError
from dapt.data.load.notes import say_notes
from dapt.data.read.folder import IMAGE_TYPES
from dapt.data.read.walk import files_below
from dapt.errors import ConfigError, DataError
from dapt.model.predictor import BATCH, Prediction, Predictor
from dapt.model.prompted_clip import PromptedClip
from dapt.outputs import FILLED, check_folder, run_above
from dapt.paths import with_home, within
from dapt.regular import irregular
from dapt.runs.apart import places_read
from dapt.runs.run_folder import find_run

FORMULA = ("=", "+", "-", "@")


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The image files among and below `paths`, folders in sorted order.

    Raises:
        DataError: a path does not exist or is neither a file nor a folder, or a folder holds no image or cannot be
            read.
    """
    found: list[Path] = []
    for path in (Path(with_home(str(path))) for path in paths):
        if path.is_dir():
            inside = files_below(path, lambda file: file.suffix.lower() in IMAGE_TYPES)
            if not inside:
                raise DataError(f"The folder {path} holds no image.")
            found += inside
        elif what := irregular(path):
            raise DataError(f"{path} is not read: it is {what}.", todo="Give images or folders of images.")
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"There is no image or folder {path}.", todo="Check the path.")
    return found


def predict_images(
    predictor: Predictor | PromptedClip, paths: Sequence[Path], *, top: int = 5, skip_bad: bool = False
) -> list[Prediction]:
    """Classify image files.

    Args:
        predictor: with the classes to choose among; a model: among its classes.

    Raises:
        DataError: a file is damaged and `skip_bad` is false.
    """
    if not isinstance(predictor, Predictor):
        predictor = Predictor(predictor)
    predictions: list[Prediction] = []
    starts = range(0, len(paths), BATCH)
    skipped = {False: 0, True: 0}
    for start in progress(starts, len(starts), "predicting", "batches"):
        pixels, kept = [], []
        for path in paths[start : start + BATCH]:
            try:
                pixels.append(predictor.model.preprocess(path))
            except DataError as error:
                if not skip_bad:
                    raise
                skipped[isinstance(error, RefusedImageError)] += 1
                warn(error.what)
                continue
            kept.append(path)
        if pixels:
            predictions += predictor.classify(torch.stack(pixels), kept, top=top)
    say_notes()
    for count, what in ((skipped[False], "damaged images"), (skipped[True], "images that are too large or not read")):
        if count:
            warn(f"{count} {what} were left out.")
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
    """Load a run and classify files; with `explain` write a picture per image of where the model looks.

    Raises:
        ConfigError: see `check_explain` and `check_explain_apart`; or in the folder `explain` a picture would take the
            place of a file that is none of dapt's.
    """
    from dapt.runs.load_run import load_run

    files = find_images(paths)
    if explain is not None:
        from dapt.evaluation.pictures import picture_files

        check_explain(explain, paths)
        picture_files(files, explain)
        check_explain_apart(explain, run)
    model, _ = load_run(run, model_spec=model_spec, device=device)
    predictor = Predictor(model, classes or None)
    predictions = predict_images(predictor, files, top=top, skip_bad=skip_bad)
    if not predictions:
        raise DataError("None of the images can be read, so there is nothing to predict.")
    if explain is not None:
        from dapt.evaluation.pictures import write_explanations

        write_explanations(predictor, predictions, explain)
    return predictions


def check_explain(folder: Path, images: Sequence[Path]) -> None:
    """Refuse a folder for pictures in which they would be taken for photographs, masks or files of a run.

    Args:
        images: as named by the user, of which folders count; an image by itself may lie beside its picture.

    Raises:
        ConfigError: it lies within one of them or a folder that dapt fills, or it cannot come to be.
    """
    todo = "Choose another folder for the pictures."
    above = run_above(folder / "a picture", FILLED)
    if above is not None:
        raise ConfigError(f"{folder} lies within {above}, which dapt fills.", where="--explain", todo=todo)
    for path in images:
        if path.is_dir() and within(folder, path):
            raise ConfigError(
                f"{folder} lies within {path}: the pictures would be taken for photographs.",
                where="--explain",
                todo=todo,
            )
    check_folder(folder, todo=todo)


def check_explain_apart(folder: Path, run: Path) -> None:
    """Refuse a folder for pictures within what the run has read: they would be taken for photographs or masks.

    Raises:
        ConfigError: naming the input; or there is no such run.
    """
    for label, place in places_read(find_run(run)).items():
        if place.is_dir() and within(folder, place):
            raise ConfigError(
                f"{folder} lies within {label} ({place}).",
                where="--explain",
                todo="Choose another folder for the pictures.",
            )


def print_predictions(predictions: Sequence[Prediction], output: str) -> None:
    """Print predictions on standard output as a table, JSON or CSV.

    Names of files and classes may hold anything. The table shows their control characters as escapes, see
    `dapt.console.visible`. JSON has every name exactly, its control characters and undecodable bytes (as Python's lone
    surrogates) in JSON's own escapes. For CSV see `print_csv`.
    """
    if output == "json":
        show_json(
            [
                {
                    "image": str(prediction.path),
                    "predictions": [
                        {"class": name, "probability": value}
                        for name, value in zip(prediction.classes, prediction.probabilities, strict=True)
                    ],
                }
                for prediction in predictions
            ]
        )
    elif output == "csv":
        print_csv(predictions)
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table()
        table.add_column("image", overflow="fold")  # the end of a long path is what tells images apart
        for name in ("class", "probability"):
            table.add_column(name)
        for prediction in predictions:
            pairs = zip(prediction.classes, prediction.probabilities, strict=True)
            for rank, (name, value) in enumerate(pairs):
                shown = cell(str(prediction.path) if rank == 0 else "")
                table.add_row(shown, cell(name), f"{100 * value:.1f}%")
        Console().print(table)


def print_csv(predictions: Sequence[Prediction]) -> None:
    """Print predictions as CSV on standard output, one row per image and class.

    Names stand as they are, with these exceptions, each of which is said:

    - Control characters and undecodable bytes are escapes (`dapt.console.visible`), as are letters that the encoding of
      the output lacks: such names are for reading only, and JSON has them exactly.
    - A path that begins like a formula of a spreadsheet (``=``, ``+``, ``-``, ``@``) is written with ``./`` before it,
      which names the same file. A class name has no other spelling and is left as it is.
    """
    changed: set[str] = set()
    moved: set[str] = set()
    formulas: set[str] = set()

    def written(name: str) -> str:
        text = visible(name)
        encoding = sys.stdout.encoding or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        if text != name:
            changed.add(name)
        return text

    writer = csv.writer(sys.stdout, lineterminator="\n")  # the stream itself knows how lines end on this machine
    writer.writerow(["image", "rank", "class", "probability"])
    for prediction in predictions:
        path = str(prediction.path)
        if path.startswith(FORMULA):
            moved.add(path)
            path = f"./{path}"
        pairs = zip(prediction.classes, prediction.probabilities, strict=True)
        for rank, (name, value) in enumerate(pairs, start=1):
            if name.startswith(FORMULA):
                formulas.add(name)
            writer.writerow([written(path), rank, written(name), f"{value:.6f}"])
    if changed:
        warn(f"{len(changed)} names stand in the CSV with escapes ({min(changed)}); --format json has them exactly.")
    if moved:
        warn(f"{len(moved)} image paths begin like a formula and have ./ before them in the CSV ({min(moved)}).")
    if formulas:
        warn(f"{len(formulas)} class names begin like a formula ({min(formulas)}): read the CSV as text.")
