"""From the record of a background audit (`dapt audit`) to rows of a table, one for each model that was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.results.result_rows import ABOUT, Row, UnreadError, columns_of_audit, row_of_run

HEAD = 400  # bytes of a file by which an audit is known
MARK = b'"audit": "background"'
NAME = "audit.json"  # in the folder of `dapt audit --out`; with --json it has any name
SCHEMA = 1
SINGLE = ("bg_gap", "changed", "lost")  # figures beside the accuracies


def is_audit(head: bytes) -> bool:
    """Whether a file that begins so is the record of an audit."""
    return MARK in head[:HEAD]


def rows_of_audit(content: bytes, file: str, runs: Mapping[str, Row]) -> list[Row]:
    """A row for each model of an audit.

    Columns: what a run is about and its settings as far as the run is among `runs` or still where the record says, and
    ``audit/original`` and so on, ``audit/bg_gap``, ``audit/changed``, ``audit/lost`` in percent; ``audit/images``,
    ``audit/file``, and what `columns_of_audit` says. ``data`` is what was asked about; ``seed`` that of the run, of
    models that were not trained that of the mixtures.

    Args:
        content: of the file. file: its name, for the table. runs: rows of runs by their absolute folder.

    Raises:
        UnreadError: it is damaged, or of a newer version.
    """
    try:
        tree = json.loads(content)
        if tree["schema"] > SCHEMA:
            raise UnreadError("it was written by a newer version of dapt")
        about = {"audit/images": tree["images"], "audit/file": file, **columns_of_audit(tree)}
        return [{**_of_model(model, runs, file, tree), **about} for model in tree["models"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadError("it is damaged") from error


def _of_model(model: Mapping[str, Any], runs: Mapping[str, Row], file: str, tree: Mapping[str, Any]) -> Row:
    row: Row = {"shots": 0, "seed": tree["seed"], "subset": "all", "cue": None, "set/model": model["backbone"]}
    run = None if model["run"] is None else _run(str(model["run"]), runs)
    if run is not None:
        row |= {key: value for key, value in run.items() if key in ABOUT or key.startswith(("set/", "environment/"))}
    row |= {"run": model["run"] or file, "kind": "audit", "point": None, "data": tree["data"]}
    row |= {key: model[key] for key in ("method", "dapt", "backbone")}
    row |= {f"audit/{name}": figure["value"] for name, figure in model["accuracy"].items()}
    return row | {f"audit/{name}": model[name]["value"] for name in SINGLE if name in model}


def _run(folder: str, runs: Mapping[str, Row]) -> Row | None:
    """What is known of a run that was audited: from the table, or from its folder if it is still there."""
    if folder in runs:
        return runs[folder]
    try:
        settings = Path(folder, "run.yaml").read_bytes()
        return row_of_run(Path(folder, "results.json").read_bytes(), settings)
    except (OSError, UnreadError):
        return None
