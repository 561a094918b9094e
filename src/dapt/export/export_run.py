"""`dapt export`: a finished run in another format, checked, in a folder that appears whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.console import show
from dapt.data.load.notes import say_notes
from dapt.export.check import Asked, Comparison, compare, refuse_different
from dapt.export.choices import GRAPHS, TORCH, Choices, need_packages
from dapt.export.clip_export import open_clip_export, write_clip_export
from dapt.export.description import describe_export
from dapt.export.graph_export import file_of, open_graph, write_graph
from dapt.export.new_folder import LAST, NewFolder
from dapt.export.photos import look_through
from dapt.export.plain_clip import refusal
from dapt.files import write_json
from dapt.model.predictor import Predictor
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.load_run import load_run
from dapt.runs.predict import find_images
from dapt.runs.run_folder import RunFolder, find_run

MEGABYTE = 1e6
OTHERWISE = 0.01  # by so much more a library's own preprocessing may differ without advice


@dataclass(frozen=True)
class Exported:
    """An export.

    Attributes:
        folder: where it is. description: the content of model.json. comparison: what --check has found, or None.
        by_itself: the same with the pixels that the library of a model folder makes by its own preprocessing, or None.
        megabytes: of its files. ours: of the frozen model and the learned prompts.
    """

    folder: Path
    description: dict[str, Any]
    comparison: Comparison | None
    by_itself: Comparison | None
    megabytes: float
    ours: float


def export_run(
    run: Path, out: Path, choices: Choices, *, model_spec: str | None = None, overwrite: bool = False
) -> Exported:
    """Write a run in another format.

    Args:
        run: its folder. out: the new folder. choices: the format, and how. model_spec: its backbone, where it has
            moved. overwrite: an earlier export in `out` is replaced.

    Raises:
        NotSupportedError: a package is missing, or the method cannot be exported so. ModelError: the exported model
            differs from the run by more than the tolerance. DataError: a photo cannot be read. DaptError: bad
            arguments, or the file system refuses.
    """
    need_packages(choices.to)
    folder = find_run(run)
    target = NewFolder(out)
    photos_named = {"the photos of --calibrate": choices.calibrate, "the photos of --check": choices.check}
    target.check({"the run": folder.path, **photos_named}, overwrite=overwrite)
    calibration = [] if choices.calibrate is None else find_images([choices.calibrate])
    photos = [] if choices.check is None else find_images([choices.check])
    model, config = load_run(folder.path, model_spec=model_spec, device="cpu", precision="32")
    model = model.still()
    if (refused := refusal(model, choices.to)) is not None:
        raise refused
    look_through({"--calibrate": calibration, "--check": photos}, model.preprocess.reading)
    answers: tuple[Asked, ...]
    with target.filled(overwrite=overwrite) as place:
        if choices.to in GRAPHS:
            half = _half(folder, model_spec) if (choices.to, choices.precision) == (TORCH, "16") else None
            write_graph(place, model, half, choices, calibration)
            file, uses = file_of(choices.to), dict[str, Any]()
            answers = (open_graph(place, model, choices),) if photos else ()
        else:
            file, uses = write_clip_export(place, model, choices.to)
            answers = open_clip_export(place, model, choices.to) if photos else ()
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        found = [compare(asked, Predictor(model), photos) for asked in answers]
        say_notes()
        description = describe_export(folder, config, model, choices, file, uses)
        description["check"] = found[0].tree(choices.allowed) if found else None
        write_json(place / LAST, description)
        if found:
            refuse_different(found[0], choices.allowed, choices.to)
    first, second = (*found, None, None)[:2]
    return Exported(out, description, first, second, size / MEGABYTE, _our_bytes(model, folder) / MEGABYTE)


def _half(folder: RunFolder, model_spec: str | None) -> PromptedClip:
    return load_run(folder.path, model_spec=model_spec, device="cpu", precision="16")[0].still()


def _our_bytes(model: PromptedClip, folder: RunFolder) -> int:
    weights = sum(value.numel() * value.element_size() for value in model.clip.model.parameters())
    return weights + folder.prompts_file.stat().st_size


def tell(found: Exported) -> None:
    """Say where an export is, its size, and what the check has found, on standard output."""
    about = found.description
    show(f"{about['format']} in {found.folder}: {about['file']}, {len(about['labels'])} classes")
    show(f"size: {found.megabytes:.1f} MB (the backbone and the prompts: {found.ours:.1f} MB)")
    check = found.comparison
    if check is None:
        show("not checked: pass --check PHOTOS to compare it with the run")
        return
    show(
        f"largest difference of a probability: {check.largest:.3g} over {check.images} images (mean of each image's "
        f"largest {check.mean:.3g}, tolerance {about['check']['tolerance']:g})",
        f"same answer: {100 * check.agreement:.1f}%",
        f"time per image: {check.milliseconds:.1f} ms (the run: {check.ours:.1f} ms), one at a time on the CPU",
    )
    if (own := found.by_itself) is not None:
        advice = "" if own.largest <= check.largest + OTHERWISE else "; better make pixels as model.json says"
        show(f"with the library's own preprocessing: {own.largest:.3g}, same answer {100 * own.agreement:.1f}%{advice}")
