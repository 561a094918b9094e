"""Classifying image files with a finished run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dapt.console import cell, progress, show_json, visible, warn
from dapt.data.load.images import RefusedImageError
from dapt.data.load.notes import say_notes
from dapt.data.load.prefetch import in_threads
from dapt.data.read.beside import part_masks
from dapt.data.read.table_file import TABLE_TYPES
from dapt.data.read.tree import look_through
from dapt.data.understood import unused_line
from dapt.environment import cores
from dapt.errors import ConfigError, DataError
from dapt.model.predictor import BATCH, Prediction, Predictor
from dapt.model.prompted_clip import PromptedClip
from dapt.outputs import FILLED, check_folder, run_above
from dapt.paths import with_home, within
from dapt.regular import irregular
from dapt.runs.apart import places_read
from dapt.runs.run_folder import find_run
from dapt.runs.write_predictions import as_json, encodable, print_csv, stdout_encoding, warn_of_lost

if TYPE_CHECKING:
    from rich.text import Text


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The image files among and below `paths`, folders in sorted order; what else is in a folder is counted and said.

    Leftovers of other programs and masks that lie beside their photographs are not classified, unless they are named
    themselves.

    Raises:
        DataError: a path does not exist or is neither a file nor a folder, or a folder holds no image or cannot be
            read.
    """
    found: list[Path] = []
    for path in (Path(with_home(str(path))) for path in paths):
        if path.is_dir():
            found += _below(path)
        elif what := irregular(path):
            raise DataError(f"{path} is not read: it is {what}.", todo="Give images or folders of images.")
        elif path.suffix.lower() in TABLE_TYPES and path.is_file():
            raise DataError(
                f"{path} is a table or a text, not an image.",
                todo="Give the images or their folder; 'dapt eval RUN TABLE' takes a table of images with classes.",
            )
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"There is no image or folder {path}.", todo="Check the path.")
    return found


def _below(folder: Path) -> list[Path]:
    tree = look_through(folder)
    parted = part_masks(tree.pictures, folder)
    others = {reason: names for reason, names in tree.unused.items() if names} | parted.unused
    if parted.masks:
        others["masks of photos beside them"] = sorted(parted.masks.values())
    lines = [unused_line(reason, names) for reason, names in others.items()]
    if not parted.photos:
        holds = f" It holds {'; '.join(lines)}." if lines else ""
        raise DataError(f"The folder {folder} holds no image.{holds}")
    for line in lines:
        warn(f"Not classified in {folder}: {line}.")
    return [folder / name for name in parted.photos]


def check_classes(classes: Sequence[str] | None) -> None:
    """Refuse names to choose among of which two are the same: their probability would be shared out between them.

    Raises:
        ConfigError: naming the first.
    """
    twice = [name for name, number in Counter(classes or ()).items() if number > 1]
    if twice:
        raise ConfigError(f"The class '{twice[0]}' is named twice.", where="--classes", todo="Name every class once.")


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
    preprocess = predictor.model.preprocess

    def read(path: Path) -> Tensor | DataError:
        try:
            return preprocess(path)
        except DataError as error:
            if not skip_bad:
                raise
            return error

    predictions: list[Prediction] = []
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    skipped = {False: 0, True: 0}
    with closing(in_threads(read, batches, cores())) as reading:
        for batch, found in progress(zip(batches, reading, strict=True), len(batches), "predicting", "batches"):
            good = [(path, pixels) for path, pixels in zip(batch, found, strict=True) if isinstance(pixels, Tensor)]
            for error in found:
                if isinstance(error, DataError):
                    skipped[isinstance(error, RefusedImageError)] += 1
                    warn(error.what)
            if good:
                kept, pixels = zip(*good, strict=True)
                predictions += predictor.classify(torch.stack(pixels), kept, top=top)
    say_notes()
    for number, one, many in (
        (skipped[False], "damaged image was", "damaged images were"),
        (skipped[True], "image that is too large or not read was", "images that are too large or not read were"),
    ):
        if number:
            warn(f"{number} {one if number == 1 else many} left out.")
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
        ConfigError: see `check_classes`, `check_explain` and `check_explain_apart`; or in the folder `explain` a
            picture would take the place of a file that is none of dapt's.
    """
    from dapt.runs.load_run import load_run

    check_classes(classes)
    files = find_images(paths)
    if explain is not None:
        from dapt.evaluation.pictures import picture_files

        check_explain(explain, paths)
        picture_files(files, explain)
        check_explain_apart(explain, run)
    model, _ = load_run(run, model_spec=model_spec, device=device)
    predictor = Predictor(model.still(), classes or None)
    predictions = predict_images(predictor, files, top=top, skip_bad=skip_bad)
    if not predictions:
        raise DataError("None of the images can be read, so there is nothing to predict.")
    if explain is not None:
        from dapt.runs.explain import write_explanations

        write_explanations(predictor, predictions, explain)
    return predictions


def check_explain(folder: Path, images: Sequence[Path], option: str = "--explain") -> None:
    """Refuse a folder for pictures in which they would be taken for photographs, masks or files of a run.

    Args:
        images: as named by the user, of which folders count; an image by itself may lie beside its picture.
        option: which named the folder.

    Raises:
        ConfigError: it lies within one of them or a folder that dapt fills, or it cannot come to be.
    """
    todo = "Choose another folder for the pictures."
    above = run_above(folder / "a picture", FILLED)
    if above is not None:
        raise ConfigError(f"{folder} lies within {above}, which dapt fills.", where=option, todo=todo)
    for path in images:
        if path.is_dir() and within(folder, path):
            raise ConfigError(
                f"{folder} lies within {path}: the pictures would be taken for photographs.",
                where=option,
                todo=todo,
            )
    check_folder(folder, todo=todo)


def check_explain_apart(folder: Path, run: Path, option: str = "--explain") -> None:
    """Refuse a folder for pictures within what the run has read: they would be taken for photographs or masks.

    Raises:
        ConfigError: naming the input; or there is no such run.
    """
    for label, place in places_read(find_run(run)).items():
        if place.is_dir() and within(folder, place):
            raise ConfigError(
                f"{folder} lies within {label} ({place}).",
                where=option,
                todo="Choose another folder for the pictures.",
            )


def print_predictions(predictions: Sequence[Prediction], output: str) -> None:
    """Print predictions on standard output as a table, JSON or CSV.

    Names of files and classes may hold anything. The table shows their control characters as escapes, see
    `dapt.console.visible`. JSON has every name exactly, its control characters and undecodable bytes (as Python's lone
    surrogates) in JSON's own escapes. For CSV see `as_csv`. Letters that the encoding of the output lacks are escapes
    in the table and in CSV, which is said.
    """
    if output == "json":
        show_json(as_json(predictions))
    elif output == "csv":
        print_csv(predictions)
    else:
        from rich.console import Console
        from rich.table import Table

        lost: set[str] = set()

        def shown(name: str) -> Text:
            return cell(encodable(visible(name), stdout_encoding(), lost))

        table = Table()
        for name in ("image", "class"):
            table.add_column(name, overflow="fold")  # the end of a long path is what tells images apart
        table.add_column("probability")
        for prediction in predictions:
            pairs = zip(prediction.classes, prediction.probabilities, strict=True)
            for rank, (name, value) in enumerate(pairs):
                table.add_row(shown(str(prediction.path) if rank == 0 else ""), shown(name), f"{100 * value:.1f}%")
        Console().print(table)
        warn_of_lost(lost)
