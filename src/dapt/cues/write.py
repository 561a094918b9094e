"""`dapt masks`: writing a cue as mask files, with statistics, a contact sheet and a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dapt.clip.load import load_clip
from dapt.config import CueOptions, MaskFormat, make_config
from dapt.console import say, warn
from dapt.cues.base import CUES, Cue, CueContext, CueReport
from dapt.cues.files import FileCue
from dapt.cues.quality import MaskQuality, compare_masks
from dapt.data.images import check_images, image_tensor
from dapt.data.items import UNLABELLED, Item
from dapt.data.loader import ImageCache
from dapt.data.mask_files import check_format, fit_mask, mask_folder, mirrored, read_mask, resize_map
from dapt.data.sources import is_path, load_data
from dapt.errors import ConfigError, DataError
from dapt.files import read_json, write_json, write_with
from dapt.training.build import build_model, pick_device
from dapt.training.model import PromptedClip

CHUNK = 50
PREVIEW_IMAGES = 24
STATISTICS = "masks.json"


def write_masks(
    data: str,
    out: Path,
    *,
    source: str = "gradcam",
    run: Path | None = None,
    model_spec: str | None = None,
    masks: Path | None = None,
    mask_format: str | None = None,
    classes: Sequence[str] | None = None,
    split: str = "all",
    threshold: float = 0.5,
    soft: bool = False,
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

    Returns:
        the statistics, also written to ``masks.json`` in `out`.

    Raises:
        DaptError: bad arguments or damaged data.
    """
    kind = check_format(mask_format or "binary")
    images = load_data(data, names, root=root, own_split=own_split, skip_bad=skip_bad)
    items = images.chosen(split)
    items = list(check_images(items, skip_bad=skip_bad, label="checking images").good)
    options = CueOptions(source=source, threshold=threshold, soft=soft, batch_size=CHUNK)
    cue_type = CUES.get(source)
    model = None
    if cue_type.follows_prompts:
        model = _model(run, model_spec, list(classes or images.names), device)
        if run is None or classes:
            items = _relabel(items, images.names, model.names)
    settings = {
        "data": images.name,
        "cue": source,
        "threshold": threshold,
        "soft": soft,
        "seed": seed,
        "model": None if model is None else model.clip.spec,
        "run": str(run) if run else None,
        "masks": str(masks) if masks else None,
        "mask_format": None if cue_type.follows_prompts else kind,
    }
    _check_out(Path(data) if is_path(data) else None, out, items)
    _check_settings(out, settings)
    context = CueContext(options, mask_folder(masks), kind, skip_bad, ImageCache(0), seed, images)
    left = [item for item in items if not _target(out, item).is_file()]
    if len(left) < len(items):
        say(f"{len(items) - len(left)} of {len(items)} masks exist already and are kept")
    write_json(out / STATISTICS, {"settings": settings})
    _write(cue_type(context), left, model, out)
    report = CueReport()
    for item in items:
        with Image.open(_target(out, item)) as written:
            report.add(item.name, torch.from_numpy(np.array(written.convert("L")) / 255.0))
    coverage = np.array(report.coverage)
    statistics: dict[str, Any] = {
        "settings": settings,
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
    if compare:
        quality = _compare(items, out, images.mask_format or kind)
        statistics["against_own_masks"] = quality.figures()
        say(quality.summary())
    write_json(out / STATISTICS, statistics)
    if preview:
        _preview(items, out)
    say(f"masks in {out}; use them with: dapt train {data} --dapt --masks {out}")
    return statistics


def _check_out(data: Path | None, out: Path, items: Sequence[Item]) -> None:
    """`data`: None for a name."""
    folder = data is not None and data.is_dir() and not (data / "index.csv").is_file()
    if data is not None and folder and out.resolve().is_relative_to(data.resolve()):
        raise ConfigError(
            f"{out} lies inside the data folder, where it would become a class.", todo="Choose another --out."
        )
    seen: dict[Path, str] = {}
    for item in items:
        target = _target(out, item)
        if target in seen:
            raise DataError(
                f"The images {seen[target]} and {item.name} would share the mask file {target}.",
                todo="Give them different names.",
            )
        seen[target] = item.name


def _check_settings(out: Path, settings: dict[str, Any]) -> None:
    """Masks made with other settings are not passed off as these."""
    before = read_json(out / STATISTICS).get("settings", {}) if (out / STATISTICS).is_file() else settings
    changed = [key for key in settings if before.get(key) != settings[key]]
    if changed:
        key = changed[0]
        raise ConfigError(
            f"The masks in {out} were made with {key} {before.get(key)}, not {settings[key]}.",
            todo="Choose another --out, or remove that folder.",
        )


def _relabel(items: list[Item], before: Sequence[str], now: Sequence[str]) -> list[Item]:
    """Labels by class name among the model's classes; unknown ones become unlabelled."""
    place = {name: label for label, name in enumerate(now)}
    names = [*before, ""]  # index -1 is the unlabelled class
    return [replace(item, label=place.get(names[item.label], UNLABELLED)) for item in items]


def _model(run: Path | None, spec: str | None, names: list[str], device: str) -> PromptedClip:
    if run is not None:
        from dapt.evaluation.on_run import load_run

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


def _target(out: Path, item: Item) -> Path:
    return (out / item.name).with_suffix(".png")


def _write(cue: Cue, items: list[Item], model: PromptedClip | None, out: Path) -> None:
    if isinstance(cue, FileCue):  # a sample of all classes tells whether the format is right before any is written
        cue.prepare(_spread(items, CHUNK), model)
        cue.check_convention()
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        for item, mask in zip(part, cue.prepare(part, model), strict=True):
            height, width = image_tensor(item.path).shape[-2:]
            if mask is None:
                full = item.name in cue.report.full
                mask = torch.full((height, width), float(full))
            fitted = resize_map(mask, (height, width), soft=cue.context.options.soft)
            _save(fitted, _target(out, item))
        if len(items) > CHUNK:
            say(f"{min(start + CHUNK, len(items))} of {len(items)} masks written")


def _spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` items, evenly chosen."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)] if items else []


def _save(mask: Tensor, path: Path) -> None:
    picture = Image.fromarray((mask.clamp(0, 1) * 255).round().to(torch.uint8).numpy())
    write_with(path, lambda temporary: picture.save(temporary, format="PNG"))


def _compare(items: Sequence[Item], out: Path, kind: MaskFormat) -> MaskQuality:
    quality = MaskQuality()
    for item in items:
        if item.mask is None or not item.mask.is_file():
            continue
        height, width = image_tensor(item.path).shape[-2:]
        size = (height, width)
        true = fit_mask(read_mask(item.mask, kind), size, item.mask, item.path)
        ours = fit_mask(read_mask(_target(out, item), "binary"), size, _target(out, item), item.path)
        compare_masks(ours, true, quality)
    if not quality.iou:
        warn("the data set has no masks of its own to compare with")
    return quality


def _preview(items: Sequence[Item], out: Path) -> None:
    """A contact sheet: photo and masked photo of evenly chosen images."""
    side, columns = 128, 6
    chosen = _spread(items, PREVIEW_IMAGES)
    rows = -(-len(chosen) // columns)
    sheet = Image.new("RGB", (columns * (2 * side + 8), rows * (side + 8)), "white")
    for index, item in enumerate(chosen):
        path = mirrored(out, item.name)
        assert path is not None
        photo = image_tensor(item.path).permute(1, 2, 0).numpy()
        with Image.open(path) as file:
            mask = np.array(file.convert("L"))[..., None] / 255.0
        hidden = (photo * mask + 128 * (1 - mask)).astype(np.uint8)
        left, top = (index % columns) * (2 * side + 8), (index // columns) * (side + 8)
        for step, picture in enumerate((photo, hidden)):
            sheet.paste(Image.fromarray(picture).resize((side, side)), (left + step * side, top))
    write_with(out / "preview.jpg", lambda temporary: sheet.save(temporary, format="JPEG", quality=90))
