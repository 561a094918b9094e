"""`dapt audit` as one call: ask models, and write what was found."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.colour import BLACK
from dapt.config import make_config
from dapt.console import say
from dapt.data.resolve import path_of
from dapt.errors import ConfigError
from dapt.files import remove_file, write_json, write_text
from dapt.outputs import check_apart, check_file, check_replaceable, check_writable, run_above
from dapt.paths import same, within
from dapt.report.audit_page import write_audit_page
from dapt.runs.apart import check_file_apart, check_files_apart, named_inputs
from dapt.runs.audit_folder import COMPOSITES, RESULTS, AuditFolder
from dapt.runs.audit_images import Question, choose_images
from dapt.runs.audit_models import AuditedModel, open_models
from dapt.runs.audit_run import AUDIT_KEYS, Audit, Prepared, finish_audit, image_rows, prepare_audit
from dapt.runs.run_folder import RunFolder
from dapt.runs.write_composites import write_composites

RECORD, PAGE, IMAGES = "audit.json", "index.html", "images.csv"
PART = "answers.part.npz"  # while models are asked
FILES = (RECORD, PAGE, IMAGES)


def audit_and_write(
    models: Sequence[str],
    question: Question,
    *,
    out: Path | None = None,
    write: Path | None = None,
    json_file: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    size: int | None = None,
    blank: str = BLACK,
    device: str = "auto",
    tell: Callable[[Mapping[str, Any]], None] | None = None,
) -> Audit:
    """Audit models, and write what was asked for.

    Args:
        models: run folders, saved models, backbones by name; none: only composites are made. question: which images.
        out: folder for audit.json, index.html and images.csv. write: folder for the composites. json_file: another
            place for the figures. overwrite: replace what an earlier audit wrote into these folders. resume: go on with
            an interrupted one in `out`; unfinished composites are made again.
        size: pixels of the shorter side of composites, at most; None: as the models look at. blank: colour of what is
            taken away. tell: is given the figures of the models as soon as they are known, before any is written.

    Raises:
        DaptError: anything that the user can mend.
    """
    _refuse_run_as_data(question.data)
    if not models and (write is None or out is not None or json_file is not None):
        raise ConfigError(
            "No model was named.",
            todo="Name runs or backbones before the data: dapt audit runs/mine demo photos/. "
            "Without them only --write makes something: the composites.",
        )
    folders = [
        AuditFolder(path, kind, option)
        for path, kind, option in ((out, RESULTS, "--out"), (write, COMPOSITES, "--write"))
        if path is not None
    ]
    if overwrite and resume:
        raise ConfigError("--resume and --overwrite exclude each other.")
    _check_places(question, folders, json_file, overwrite=overwrite, resume=resume)
    opened = open_models(models, device=device)
    for model in opened:
        _check_apart_of_model(model, folders, json_file)
    source = choose_images(question, opened)
    for data, named in ((source.data, question.data), (source.lent, question.backgrounds)):
        if data is not None and named is not None:
            for folder in folders:
                check_files_apart(folder.path, data, named)
            check_file_apart(json_file, "--json", data, named)
    prepared = prepare_audit(opened, question, size=size, blank=blank, device=device, source=source)
    composites = None if write is None else folders[-1]
    if out is None:
        audit = _asked(prepared, tell=tell)
    else:
        audit = _with_results(prepared, folders[0], composites, tell, overwrite=overwrite, resume=resume)
    if json_file is not None:
        write_json(json_file, audit.record)
        say(f"figures: {json_file}")
    if out is None:
        _with_composites(audit, composites, overwrite=overwrite, resume=resume)
    return audit


def _refuse_run_as_data(data: str) -> None:
    """Refuse a command line that ends with a run: its data was forgotten.

    Raises:
        ConfigError: naming the run.
    """
    path = path_of(data)
    if path is not None and (run := RunFolder(path)).started and run.is_ours:
        raise ConfigError(
            f"{data} is the folder of a run, and no data: the data comes last.",
            todo=f"Name it behind the runs: dapt audit {data} photos/.",
        )


def _asked(prepared: Prepared, kept: Path | None = None, *, tell: Callable[[Mapping[str, Any]], None] | None) -> Audit:
    """Ask the models, and tell the figures; see `finish_audit`."""
    audit = finish_audit(prepared, kept)
    if tell is not None and audit.answers:
        tell(audit.record)
    return audit


def _with_composites(audit: Audit, folder: AuditFolder | None, *, overwrite: bool, resume: bool) -> None:
    """Write the composites, if that was asked for."""
    if folder is not None:
        write_composites(audit, folder, overwrite=overwrite, resume=resume)
        place = folder.path
        say(f"composites: {place}, a data set for each variant, such as {place / audit.variants[-1]}")


def _with_results(
    prepared: Prepared,
    folder: AuditFolder,
    composites: AuditFolder | None,
    tell: Callable[[Mapping[str, Any]], None] | None,
    *,
    overwrite: bool,
    resume: bool,
) -> Audit:
    """Ask the models, and write composites, answers, page and figures; interrupted, it asks nobody again."""
    with folder.open((*FILES, PART), overwrite=overwrite, resume=resume, keep=(PART,)) as path:
        audit = _asked(prepared, path / PART, tell=tell)
        _with_composites(audit, composites, overwrite=overwrite, resume=resume)
        text = io.StringIO(newline="")
        head, rows = image_rows(audit)
        csv.writer(text).writerows([head, *rows])
        write_text(path / IMAGES, text.getvalue(), make_parents=False)
        write_audit_page(path / PAGE, audit)
        write_json(path / RECORD, audit.record, make_parents=False)  # last: with it the audit is whole
        remove_file(path / PART)
    say(f"page: {folder.path / PAGE}")
    return audit


def _check_places(
    question: Question, folders: Sequence[AuditFolder], json_file: Path | None, *, overwrite: bool, resume: bool
) -> None:
    """Refuse places for what is written before anything is made.

    Raises:
        ConfigError: see `AuditFolder.check`, `check_apart`, `check_file` and `check_writable`; two of them are one; or
            the figures are to go into a folder that another audit has filled.
    """
    inputs: Mapping[str, Path | None] = {
        "the data": path_of(question.data),
        "the masks": None if question.masks is None else Path(question.masks),
        "the backgrounds": None if question.backgrounds is None else path_of(question.backgrounds),
        "the names file": None if question.names is None else Path(question.names),
    }
    if len(folders) == 2:
        one, two = (folder.path for folder in folders)
        if same(one, two):
            raise ConfigError("--out and --write name the same folder.", todo="Give each its own.")
        if within(one, two) or within(two, one):
            raise ConfigError("One of --out and --write lies within the other.", todo="Put them side by side.")
    for folder in folders:
        if json_file is not None and within(json_file, folder.path):
            raise ConfigError(f"--json lies within {folder.path}, which the audit fills.", todo="Choose another file.")
    for folder in folders:
        folder.check(overwrite=overwrite, resume=resume)
        check_apart(folder.path, inputs)
        check_writable(folder.path, folder.option)
    check_file(json_file, "--json", inputs)
    check_writable(json_file, "--json")
    filled = None if json_file is None else run_above(json_file, (RESULTS, COMPOSITES))
    if filled is not None:
        raise ConfigError(f"--json lies within {filled}, which another audit has filled.", todo="Choose another file.")
    check_replaceable(json_file, AUDIT_KEYS, "--json")


def _check_apart_of_model(model: AuditedModel, folders: Sequence[AuditFolder], json_file: Path | None) -> None:
    """Refuse to write into or over a model, or what it was trained on.

    Raises:
        ConfigError: naming it.
    """
    inputs: dict[str, Any] = {}
    if model.config is not None and model.run is not None:
        inputs = {f"{label} of {model.name}": path for label, path in named_inputs(model.config).items()}
        inputs[f"the run {model.name}"] = model.run.path
    elif model.zero_shot:
        inputs = named_inputs(make_config({"data": "-", "method": "zero_shot", "model": model.given}))
    else:
        inputs = {f"the model {model.name}": Path(model.given)}
    inputs.pop("the data", None)
    for folder in folders:
        check_apart(folder.path, inputs)
    check_file(json_file, "--json", inputs)
