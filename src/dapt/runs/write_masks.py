"""`dapt masks`: writing a cue as mask files, with statistics, a contact sheet and a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dapt.clip.load import load_clip
from dapt.colour import BLACK
from dapt.config import MaskFormat, make_config
from dapt.console import say
from dapt.cues.base import Cue, CueContext, CueReport
from dapt.cues.build import cue_options, make_cue
from dapt.cues.model_cue import ModelOptions
from dapt.cues.quality import MaskQuality, compare_masks
from dapt.data.catalog.base import data_root
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.check_images import check_images
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import image_tensor
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded
from dapt.data.load.reading import Reading, current
from dapt.data.load.resize import resize_map
from dapt.data.masks.drawn import with_drawn_masks
from dapt.data.masks.mask_files import check_format, fit_mask, mask_folder, read_mask
from dapt.data.masks.photo_mask import mask_of_photo
from dapt.data.masks.rules import MaskRules
from dapt.data.resolve import load_data, path_of
from dapt.devices import pick_device
from dapt.errors import DataError
from dapt.files import write_json, write_with
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.model.saved import PROMPTS
from dapt.outputs import check_apart
from dapt.owned import digest_of
from dapt.paths import resolved
from dapt.runs.apart import check_files_apart, places_read
from dapt.runs.mask_folder import COMMENT, PREVIEW, MaskFolder
from dapt.runs.run_folder import find_run
from dapt.strict import PartOptions

CHUNK = 50
PREVIEW_IMAGES = 24


def write_masks(
    data: str,
    out: Path,
    *,
    source: str = "gradcam",
    run: Path | None = None,
    model_spec: str | None = None,
    masks: Path | None = None,
    mask_format: str | None = None,
    mask_name: str | None = None,
    mask_background: str | None = None,
    classes: Sequence[str] | None = None,
    split: str = "all",
    options: Mapping[str, Any] | None = None,
    preview: bool = False,
    compare: bool = False,
    names: str | None = None,
    skip_bad: bool = False,
    seed: int = 1,
    root: str | None = None,
    own_split: bool = False,
    device: str = "auto",
) -> dict[str, Any]:
    """Write one PNG per image under `out`, at the image's relative path.

    Args:
        source: name of a cue. options: of that cue. mask_name, mask_background: as in a configuration.

    Returns:
        the statistics, also written to ``masks.json`` in `out`.

    Raises:
        DaptError: bad arguments or damaged data.
    """
    kind = check_format(mask_format or "binary")
    own = cue_options(source, options or {})
    _check_places(out, data, masks=masks, names=names, run=run)
    images = load_data(data, names, root=root, own_split=own_split, skip_bad=skip_bad)
    if masks is None:
        images = with_drawn_masks(images, data_root(root))
    items = list(check_images(images.chosen(split), skip_bad=skip_bad, label="checking images").good)
    if compare and not any(item.mask is not None and item.mask.is_file() for item in items):
        raise DataError(f"{images.name} has no masks of its own to compare with.", todo="Leave --compare out.")
    context = CueContext(own, mask_folder(masks), kind, skip_bad, ImageCache(0), seed, images)
    context = replace(context, mask_name=mask_name, mask_background=mask_background or BLACK, device=device)
    cue = make_cue(source, context)
    model = None
    if cue.needs_model or cue.follows_prompts:
        model = _model(run, model_spec, list(classes or images.names), device)
        if run is None or classes:
            items = _relabel(items, images.names, model.names)
    if not items:
        raise DataError(f"{images.name} has no image that can be read in its split '{split}'.")
    check_files_apart(out, images, data)
    settings = {"data": images.name, "cue": source, **_options_said(own), "seed": seed}
    settings |= {f"cue_{key}": value for key, value in cue.made_with().items()}
    settings |= {"root": str(Path(images.root).resolve()), **_made_with(model, run)}
    settings |= {"masks": str(resolved(masks)) if masks else None}
    settings |= {"mask_format": None if cue.needs_model or cue.follows_prompts else kind}
    said = {"mask_name": mask_name, "mask_background": mask_background, **_reading()}
    settings |= {key: value for key, value in said.items() if value}  # earlier masks say none of these
    folder = MaskFolder(out, settings, items)
    folder.check()
    if preview:
        folder.check_preview()
    if cue.reads_files:  # a sample of all classes tells whether the format is right before any is written
        cue.prepare(_spread(folder.left(), CHUNK), model)
        cue.check()
    cue.ready(folder.left(), model)
    own_kind = (images.mask_format or kind) if compare else None
    statistics = _fill(folder, cue, items, model, own_kind, preview=preview)
    cue.close()
    say(f"masks in {out}; use them with: dapt train {data} --dapt --masks {out}")
    return statistics


def _options_said(options: PartOptions) -> dict[str, Any]:
    """The options of a cue that decide its masks, for masks.json, where ``model`` is the backbone."""
    left_out = {"batch_size"} if isinstance(options, ModelOptions) else None  # it may be made smaller and go on
    said = options.model_dump(exclude=left_out)
    return {"cue_model" if key == "model" else key: value for key, value in said.items()}


def _check_places(out: Path, data: str, *, masks: Path | None, names: str | None, run: Path | None) -> None:
    """Refuse a folder for masks in or over anything that is read.

    Raises:
        ConfigError: naming the input; or there is no such run.
    """
    given = {
        "the data": path_of(data),
        "the masks": masks,
        "the run": run,
        "the names file": Path(names) if names else None,
    }
    check_apart(out, given if run is None else {**given, **places_read(find_run(run))})


def _made_with(model: PromptedClip | None, run: Path | None) -> dict[str, Any]:
    """The model that decides the masks, for masks.json; nothing where none does."""
    return {
        "model": None if model is None else model.clip.spec,
        "backbone": None if model is None else model.clip.fingerprint(),
        "run": str(run.resolve()) if run else None,
        "prompts": None if run is None else digest_of((run / PROMPTS).read_bytes()),
        "classes": None if model is None else list(model.names),
    }


def _reading() -> dict[str, Any]:
    """How images are read, as far as it is not by default."""
    now, default = current(), Reading()
    return {key: getattr(now, key) for key in ("matte", "bits") if getattr(now, key) != getattr(default, key)}


def _fill(
    folder: MaskFolder,
    cue: Cue,
    items: Sequence[Item],
    model: PromptedClip | None,
    own_kind: MaskFormat | None,
    *,
    preview: bool,
) -> dict[str, Any]:
    """Write the masks that are not there yet, and what there is to say about all of them."""
    with folder.lock:
        left = folder.begin()
        if len(left) < len(items):
            say(f"{len(items) - len(left)} of {len(items)} masks exist already and are kept")
        _write(cue, left, model, folder)
        statistics = {"settings": folder.settings, **_statistics(items, folder, own_kind)}
        write_json(folder.statistics_file, statistics, make_parents=False)
        if preview:
            _preview(items, folder)
    return statistics


def _statistics(items: Sequence[Item], folder: MaskFolder, own_kind: MaskFormat | None) -> dict[str, Any]:
    """Figures of the masks that were written, compared with the data set's own if their format is given."""
    report = CueReport()
    for item in items:
        report.add(item.name, torch.from_numpy(_grey(folder.target(item)) / 255.0))
    coverage = np.array(report.coverage)
    statistics: dict[str, Any] = {
        "images": report.total,
        "empty": report.empty,
        "full": report.full,
        "coverage_percent": {
            name: round(100 * float(value), 3)
            for name, value in (
                ("mean", coverage.mean() if len(coverage) else 0.0),
                ("p10", np.quantile(coverage, 0.1) if len(coverage) else 0.0),
                ("median", np.median(coverage) if len(coverage) else 0.0),
                ("p90", np.quantile(coverage, 0.9) if len(coverage) else 0.0),
            )
        },
    }
    say(report.summary())
    if own_kind is not None:
        quality = _compare(items, folder, own_kind)
        statistics["against_own_masks"] = quality.figures()
        say(quality.summary())
    return statistics


def _relabel(items: list[Item], before: Sequence[str], now: Sequence[str]) -> list[Item]:
    """Labels by class name among the model's classes; unknown ones become unlabelled."""
    place = {name: label for label, name in enumerate(now)}
    names = [*before, ""]  # index -1 is the unlabelled class
    return [replace(item, label=place.get(names[item.label], UNLABELLED)) for item in items]


def _model(run: Path | None, spec: str | None, names: list[str], device: str) -> PromptedClip:
    if run is not None:
        from dapt.runs.load_run import load_run

        model, _ = load_run(run, model_spec=spec, device=device)
        if names:
            model.set_classes(names)
        return model
    if not names:
        raise DataError(
            "The images have no classes to explain.",
            todo="Name some with --classes, or use a trained run with --run.",
        )
    config = make_config({"data": "-", "method": "zero_shot", **({"model": spec} if spec else {})})
    return build_model(config, load_clip(config.model, device=pick_device(device)), names)


def _write(cue: Cue, items: list[Item], model: PromptedClip | None, folder: MaskFolder) -> None:
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        for item, mask in zip(part, cue.prepare(part, model), strict=True):
            height, width = image_tensor(item.path).shape[-2:]
            if mask is None:
                full = item.name in cue.report.full
                mask = torch.full((height, width), float(full))
            fitted = resize_map(mask, (height, width), soft=cue.soft)
            _save(fitted, folder.target(item), folder.path)
        if len(items) > CHUNK:
            say(f"{min(start + CHUNK, len(items))} of {len(items)} masks written")


def _spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` items, evenly chosen."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)] if items else []


def _save(mask: Tensor, path: Path, folder: Path) -> None:
    picture = Image.fromarray((mask.clamp(0, 1) * 255).round().to(torch.uint8).numpy())
    write_with(path, lambda file: picture.save(file, format="PNG"), within=folder)


def _grey(path: Path) -> np.ndarray:
    """A mask that was written, possibly mended by hand since, uint8 ``[H, W]``.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with decoded(path) as picture:
            return np.array(picture.convert("L"))
    except (*DAMAGE, Refusal) as error:
        raise DataError(
            f"The mask {path} cannot be read ({error}).", todo="Remove it: it is made again then."
        ) from error


def _compare(items: Sequence[Item], folder: MaskFolder, kind: MaskFormat) -> MaskQuality:
    quality = MaskQuality()
    for item in items:
        if item.mask is None or not item.mask.is_file():
            continue
        height, width = image_tensor(item.path).shape[-2:]
        size = (height, width)
        true = fit_mask(mask_of_photo([item.mask], item.path, MaskRules(kind)).mask, size, item.mask, item.path)
        written = folder.target(item)
        ours = fit_mask(read_mask(written, "binary"), size, written, item.path)
        compare_masks(ours, true, quality)
    return quality


def _preview(items: Sequence[Item], folder: MaskFolder) -> None:
    """A contact sheet: photo and masked photo of evenly chosen images."""
    side, columns = 128, 6
    chosen = _spread(items, PREVIEW_IMAGES)
    rows = -(-len(chosen) // columns)
    sheet = Image.new("RGB", (columns * (2 * side + 8), rows * (side + 8)), "white")
    for index, item in enumerate(chosen):
        photo = image_tensor(item.path).permute(1, 2, 0).numpy()
        mask = _grey(folder.target(item))[..., None] / 255.0
        hidden = (photo * mask + 128 * (1 - mask)).astype(np.uint8)
        left, top = (index % columns) * (2 * side + 8), (index // columns) * (side + 8)
        for step, picture in enumerate((photo, hidden)):
            sheet.paste(Image.fromarray(picture).resize((side, side)), (left + step * side, top))
    write_with(
        folder.path / PREVIEW,
        lambda file: sheet.save(file, format="JPEG", quality=90, comment=COMMENT),
        make_parents=False,
    )
