"""Predictions as JSON and CSV: on standard output, as far as its encoding goes, or whole in a file."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.console import say, visible, warn
from dapt.errors import ConfigError, DaptError
from dapt.files import read_json, write_json, write_text
from dapt.model.predictor import Prediction
from dapt.outputs import check_file
from dapt.regular import open_regular

FORMULA = ("=", "+", "-", "@")
HEADER = ("image", "rank", "class", "probability")
KEYS = {"image", "predictions"}  # of every entry of the JSON
KINDS = {".csv": "csv", ".json": "json"}


def output_kind(out: Path, given: str) -> str:
    """The format of a file of predictions: as given, or as the file's name ends where a table was asked for.

    Raises:
        ConfigError: it is neither CSV nor JSON.
    """
    kind = KINDS.get(out.suffix.lower(), given) if given == "table" else given
    if kind == "table":
        raise ConfigError(f"{out} can hold CSV or JSON, but no table.", where="--out", todo="Add --format csv or json.")
    return kind


def check_predictions_file(out: Path, run: Path, images: Sequence[Path]) -> None:
    """Refuse an output file that would harm something, before anything is computed.

    Raises:
        ConfigError: see `dapt.outputs.check_file`; or there is a file that holds no predictions.
    """
    given = {"the run": run, **{f"the input {path}": path for path in images}}
    check_file(out, "--out", given)
    if out.exists() and not _is_ours(out):
        raise ConfigError(
            f"{out} exists, and dapt did not write it.", where="--out", todo="Choose another file; it was left alone."
        )


def write_predictions(predictions: Sequence[Prediction], out: Path, kind: str) -> None:
    """Write predictions into a file, whole or not at all, in UTF-8 whatever the terminal knows."""
    if kind == "json":
        write_json(out, as_json(predictions))
    else:
        text, notes = as_csv(predictions)
        write_text(out, text)
        notes.tell()
    say(f"predictions for {len(predictions)} images in {out}")


def as_json(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Predictions as plain values, every name exactly."""
    return [
        {
            "image": str(prediction.path),
            "predictions": [
                {"class": name, "probability": value}
                for name, value in zip(prediction.classes, prediction.probabilities, strict=True)
            ],
        }
        for prediction in predictions
    ]


@dataclass
class Notes:
    """Names that stand otherwise in a CSV than they are: escaped, moved, or like formulas; and lost to an encoding."""

    changed: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    formulas: set[str] = field(default_factory=set)

    def tell(self) -> None:
        """Say so."""
        if self.changed:
            shown = min(self.changed)
            names = "name stands" if len(self.changed) == 1 else "names stand"
            warn(f"{len(self.changed)} {names} in the CSV with escapes ({shown}); --format json has names exactly.")
        warn_of_lost(self.lost)
        if self.moved:
            number, shown = len(self.moved), min(self.moved)
            warn(f"{number} image paths begin like a formula and have ./ before them in the CSV ({shown}).")
        if self.formulas:
            shown = min(self.formulas)
            warn(f"{len(self.formulas)} class names begin like a formula ({shown}): read the CSV as text.")


def as_csv(predictions: Sequence[Prediction], encoding: str = "utf-8") -> tuple[str, Notes]:
    """Predictions as CSV, one row per image and class, and what is to be said about it.

    Names stand as they are, with these exceptions:

    - Control characters and undecodable bytes are escapes (`dapt.console.visible`), as are letters that `encoding`
      lacks: such names are for reading only, and JSON has them exactly.
    - A path that begins like a formula of a spreadsheet (``=``, ``+``, ``-``, ``@``) is written with ``./`` before it,
      which names the same file. A class name has no other spelling and is left as it is.
    """
    notes = Notes()

    def written(name: str) -> str:
        text = visible(name)
        if text != name:
            notes.changed.add(name)
        return encodable(text, encoding, notes.lost)

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")  # a stream itself knows how lines end on this machine
    writer.writerow(HEADER)
    for prediction in predictions:
        path = str(prediction.path)
        if path.startswith(FORMULA):
            notes.moved.add(path)
            path = f"./{path}"
        pairs = zip(prediction.classes, prediction.probabilities, strict=True)
        for rank, (name, value) in enumerate(pairs, start=1):
            if name.startswith(FORMULA):
                notes.formulas.add(name)
            writer.writerow([written(path), rank, written(name), f"{value:.6f}"])
    return buffer.getvalue(), notes


def print_csv(predictions: Sequence[Prediction]) -> None:
    """Print predictions as CSV on standard output, see `as_csv`."""
    text, notes = as_csv(predictions, stdout_encoding())
    sys.stdout.write(text)
    notes.tell()


def stdout_encoding() -> str:
    """What standard output can show."""
    return sys.stdout.encoding or "utf-8"


def encodable(text: str, encoding: str, lost: set[str]) -> str:
    """`text` with escapes for letters that an encoding lacks; then it is added to `lost`."""
    shown = text.encode(encoding, "backslashreplace").decode(encoding)
    if shown != text:
        lost.add(text)
    return shown


def warn_of_lost(lost: set[str]) -> None:
    """Say which names standard output cannot show, if any."""
    if lost:
        warn(
            f"{len(lost)} names have letters that the encoding of this output ({stdout_encoding()}) lacks, and stand "
            f"there with escapes ({min(lost)}); --out FILE has them in UTF-8."
        )


def _is_ours(path: Path) -> bool:
    """Whether a file holds predictions that dapt wrote."""
    start = ",".join(HEADER).encode() + b"\n"
    try:
        with open_regular(path) as file:
            if file.read(len(start)) == start:
                return True
        tree = read_json(path)
    except (OSError, DaptError):
        return False
    return isinstance(tree, list) and bool(tree) and all(isinstance(each, dict) and set(each) == KEYS for each in tree)
