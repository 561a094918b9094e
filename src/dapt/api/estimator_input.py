"""Pictures and labels as programs around scikit-learn hold them, made what dapt trains on."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dapt.api.estimator_base import DataConversionWarning, EstimatorError
from dapt.data.items import ImageSet, Item, check_classes, with_composed_names, with_writable_names
from dapt.data.load.preprocess import Picture, bytes_of
from dapt.errors import DataError
from dapt.files import write_with
from dapt.paths import with_home
from dapt.strict import shown
from dapt.wording import counted, some

WANTED = "Give a list of paths, PIL images or uint8 arrays [H, W, 3], or one uint8 array [N, H, W, 3]."
LABELS = "Convert them first: np.asarray(y).astype(str), say."
COLUMN = "A column-vector y was passed when a 1d array was expected; it is taken as one."
NAME = "given"  # of the data, in results.json


def pictures_of(given: Any) -> list[Picture]:
    """The pictures in `given`, one by one; a column of a table (``[N, 1]``) is a list, too.

    Raises:
        EstimatorError: it is one picture, holds none, or something else.
    """
    if isinstance(given, (str, Path, Image.Image)) or _is_picture(given):
        raise EstimatorError("X is one picture, and a list of them is wanted.", todo="Put it into a list: [X].")
    if given is None or isinstance(given, (Mapping, set)) or not hasattr(given, "__len__"):
        raise EstimatorError(f"X is {shown(type(given).__name__)}, which holds no pictures.", todo=WANTED)
    found = _elements(given)
    if not found:
        raise EstimatorError("X holds no picture.", todo=WANTED)
    wrong = next((place for place, each in enumerate(found) if not _is_kind(each)), None)
    if wrong is not None:
        raise EstimatorError(f"X[{wrong}] is {_kind(found[wrong])}, which is no picture.", todo=WANTED)
    return [str(each) if isinstance(each, np.str_) else each for each in found]


def _elements(given: Any) -> list[Any]:
    if isinstance(given, (list, tuple)):
        return list(given)
    array = np.asarray(given)
    if array.dtype.kind in "OU" and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind in "OU" and array.ndim != 1:
        raise EstimatorError(f"X is a table of shape {array.shape}, not a list of pictures.", todo=WANTED)
    if array.dtype.kind not in "OU" and array.ndim != 4:
        raise EstimatorError(f"X is {_kind(array)}, not pictures.", todo=WANTED)
    return list(array)


def _is_picture(each: Any) -> bool:
    return isinstance(each, np.ndarray) and each.dtype == np.uint8 and each.ndim == 3 and each.shape[2] == 3


def _is_kind(each: Any) -> bool:
    return isinstance(each, (str, Path, Image.Image)) or _is_picture(each)


def _kind(each: Any) -> str:
    return f"an array of {each.dtype} of shape {each.shape}" if isinstance(each, np.ndarray) else shown(each)


def labels_of(given: Any, pictures: int) -> np.ndarray[Any, Any]:
    """One label of each picture, ``[N]``: strings or whole numbers.

    Raises:
        EstimatorError: there are others, none, or not as many as pictures.
    """
    if given is None:
        raise EstimatorError("Training requires y to be passed, but the target y is None.")  # as scikit-learn says it
    labels = np.array(given, dtype=object) if isinstance(given, (list, tuple)) else np.asarray(given)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(COLUMN, DataConversionWarning, stacklevel=2)
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise EstimatorError(f"y has the shape {labels.shape}, and one label of each picture is wanted, [N].")
    if len(labels) != pictures:
        raise EstimatorError(f"X holds {counted(pictures, 'picture')} and y {counted(len(labels), 'label')}.")
    if labels.dtype.kind in "OT":
        labels = _of_one_kind(labels.tolist())
    if labels.dtype.kind not in "Uiufb":
        raise EstimatorError(f"A label is a text or a whole number, and y holds {labels.dtype}.", todo=LABELS)
    if labels.dtype.kind == "f" and not (np.isfinite(labels).all() and (labels == np.round(labels)).all()):
        raise EstimatorError("Unknown label type: y holds numbers that are not whole, and classes are wanted.")
    return labels


def _of_one_kind(labels: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Python's own labels ``[N]`` as an array of texts or of numbers, never of both.

    Raises:
        EstimatorError: one is neither, there are both, or a number is too large.
    """
    values = [each.item() if isinstance(each, np.generic) else each for each in labels]
    kinds = [next((kind for kind in (str, bool, float, int) if isinstance(each, kind)), type(each)) for each in values]
    if len(set(kinds)) > 1 and set(kinds) != {int, float}:
        other = next(place for place, kind in enumerate(kinds) if kind is not kinds[0])
        several = some(sorted({kind.__name__ for kind in kinds}))
        where = f"y[0] is {shown(values[0])}, y[{other}] {shown(values[other])}"
        raise EstimatorError(
            f"y mixes labels of several types: {several} ({where}).",
            todo="Leave out pictures without a label, and write all labels alike.",
        )
    if values and kinds[0] not in (str, bool, float, int):
        raise EstimatorError(f"A label is a text or a whole number, not {shown(values[0])}.", todo=LABELS)
    found = np.array(values)
    if found.dtype.kind == "O":
        raise EstimatorError("y holds whole numbers of more than 64 bits.", todo="Write such labels as texts.")
    return found


def class_texts(classes: np.ndarray[Any, Any], names: Sequence[str] | Mapping[Any, str] | None) -> list[str]:
    """What the classes are called, in their order.

    Args:
        classes: ``[C]`` the labels. names: by label, or in the order of the labels; None: the labels themselves.

    Raises:
        EstimatorError: a class has no name, or there are not as many names as classes.
    """
    if names is None:
        return [str(label) for label in classes]
    if isinstance(names, Mapping):
        lacking = [str(label) for label in classes.tolist() if label not in names]
        if lacking:
            raise EstimatorError(f"class_names has no name of the label {some(lacking)}.")
        return [str(names[label]) for label in classes.tolist()]
    if not isinstance(names, (str, Sequence, np.ndarray)):
        raise EstimatorError(
            f"class_names is {shown(names)}, and names are wanted.",
            todo="Give a list in the order of the sorted labels, or a mapping from labels to names.",
        )
    if isinstance(names, str) or len(names) != len(classes):
        number = 1 if isinstance(names, str) else len(names)
        raise EstimatorError(
            f"class_names holds {counted(number, 'name')} for {counted(len(classes), 'class', 'classes')}.",
            todo="Give one for each label in sorted order, or a mapping from labels to names.",
        )
    return [str(name) for name in names]


def image_set(pictures: Sequence[Picture], labels: Sequence[int], names: Sequence[str], folder: Path) -> ImageSet:
    """The pictures as training images. Files stay where they are; others become PNG files in `folder`.

    Args:
        labels: place of each picture's class in `names`.

    Raises:
        DataError: a picture cannot be decoded, or class names are empty or repeated.
    """
    items = []
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        if isinstance(picture, (str, Path)):
            path = Path(with_home(str(picture))).absolute()
            items.append(Item(path, label, f"{place:06d}-{path.name}"))
        else:
            path = folder / f"{place:06d}.png"
            _write(picture, path, place)
            items.append(Item(path, label, path.name))
    found = ImageSet(NAME, folder, tuple(names), {"train": tuple(items)}, passing=True).with_names(names)
    return check_classes(with_writable_names(with_composed_names(found)))


def _write(picture: Picture, path: Path, place: int) -> None:
    try:
        pixels = bytes_of(picture).permute(1, 2, 0).numpy()
    except DataError as error:
        raise EstimatorError(f"X[{place}]: {error.what}", todo=error.todo) from error
    write_with(path, lambda file: Image.fromarray(pixels).save(file, format="png", compress_level=1))


def images_in(split: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Numbers of pictures by split and class name, of the content of a run's split.json."""
    parts = {part: split.get(part) or [] for part in ("train", "val", "test")}
    return {part: dict(Counter(str(row[2]) for row in rows)) for part, rows in parts.items()}
