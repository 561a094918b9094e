"""`dapt data select`: what a selector chooses, as a split file to look at or to train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.console import say
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import open_image
from dapt.data.load.picture_files import comment_of
from dapt.devices import pick_device
from dapt.errors import ConfigError
from dapt.files import write_json, write_with
from dapt.outputs import check_file, check_replaceable
from dapt.paths import same
from dapt.runs.apart import check_file_apart, named_inputs
from dapt.runs.run_data import RunData, load_run_data
from dapt.runs.selecting import check_selection, select_images

SIDE, CAPTION, GAP = 96, 16, 4
COLUMNS, ROWS = 8, 40
COMMENT = b"made by dapt data select"  # in the picture, by which it is known again
SELECTION_KEYS = {"train", "val", "test", "selection", "settings"}


def write_selection(config: RunConfig, out: Path, *, preview: Path | None = None, overwrite: bool = False) -> RunData:
    """Choose training images as a run with this configuration would, and write them down.

    The file has the form of the field's split files: ``train``, ``val`` and ``test``, each a list of ``[image, label,
    class name]`` with the labels of the whole data set, training images in the order in which they were chosen; beside
    them ``selection`` and ``settings`` (how) and, for methods that weigh images, ``weights``.

    Args:
        preview: picture of the chosen images, one row per class. overwrite: replace files that exist.

    Raises:
        ConfigError: no selector, a file exists, or with `overwrite` one that is no selection; or it is read, or lies
            where the data or a folder that dapt fills is.
        DaptError: anything a run would refuse.
    """
    selector = check_selection(config)
    if selector is None:
        raise ConfigError("It was not said how to choose.", todo="Pass --select NAME and --fraction F.")
    if preview is not None and same(preview, out):
        raise ConfigError(f"--out and --preview are both {out}.", todo="Name two files.")
    targets = {"--out": out, "--preview": preview}
    for option, path in targets.items():
        check_file(path, option, named_inputs(config))
        if path is not None and path.exists() and not overwrite:
            raise ConfigError(f"{path} exists.", todo="Choose another file, or pass --overwrite.")
    check_replaceable(out, SELECTION_KEYS, "--out")
    if preview is not None and preview.exists() and comment_of(preview) != COMMENT:
        raise ConfigError(f"{preview} exists, and dapt did not make it.", todo="Choose another --preview.")
    cache = ImageCache(0)
    data = load_run_data(config.model_copy(update={"epochs": 0, "allow_leaks": True}), cache)
    for option, path in targets.items():
        check_file_apart(path, option, data.source, config.data)

    def load() -> FrozenClip:
        return load_clip(config.model, device=pick_device(config.device), precision=config.precision)

    chosen = select_images(config, selector, data, load, cache)
    write_json(out, {**split_rows(chosen, few=config.shots > 0), "settings": _settings(config)})
    if preview is not None:
        sheet = contact_sheet(chosen.train.items, chosen.train.names)
        write_with(preview, lambda file: sheet.save(file, format="JPEG", quality=90, comment=COMMENT))
        say(f"picture in {preview}")
    say(f"split file in {out}; train on it with: {_command(config, out)}")
    if chosen.weights is not None:
        say("The weights in it are for your eyes: only a run that chooses for itself (--select) trains with weights.")
    return chosen


def _command(config: RunConfig, out: Path) -> str:
    words = f"dapt train {config.data} --split-file {out} --shots 0"
    for key in ("root", "names"):
        if getattr(config, key):
            words += f" --{key} {getattr(config, key)}"
    return words + (" --subset base" if config.subset == "base" else "")


def _settings(config: RunConfig) -> dict[str, Any]:
    """What the choice depended on beside `selection`."""
    return {key: getattr(config, key) for key in ("data", "model", "method", "prompt", "shots", "seed", "subset")}


def split_rows(data: RunData, *, few: bool) -> dict[str, Any]:
    """The images of a run as rows of a split file; see `write_selection`.

    Args:
        few: the validation images are those of the few-shot sample, otherwise all of the data set.
    """
    source = data.source
    label_of = {item.name: item.label for items in source.splits.values() for item in items}  # a run numbers its own

    def rows(items: Sequence[Item]) -> list[list[object]]:
        return [[item.name, label_of[item.name], source.names[label_of[item.name]]] for item in items]

    found: dict[str, Any] = {
        "train": rows(data.train.items),
        "val": rows(data.val.items if few else source.labelled("val")),
        "test": rows(source.labelled("test")),
        "selection": data.chosen,
    }
    if data.weights is not None:
        found["weights"] = list(data.weights)
    return found


def contact_sheet(items: Sequence[Item], names: Sequence[str]) -> Image.Image:
    """The first images of each class in the order in which they were chosen, one row per class.

    Args:
        names: class names by the labels of the items.
    """
    by_class: dict[int, list[Item]] = {}
    for item in items:
        by_class.setdefault(item.label, []).append(item)
    shown = sorted(by_class)[:ROWS]
    columns = min(COLUMNS, max(len(found) for found in by_class.values()))
    height = SIDE + CAPTION + GAP
    sheet = Image.new("RGB", (columns * (SIDE + GAP), len(shown) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, label in enumerate(shown):
        count = len(by_class[label])
        draw.text((2, row * height + 2), f"{names[label]} ({count})", fill="black")
        for column, item in enumerate(by_class[label][:columns]):
            photo = open_image(item.path).resize((SIDE, SIDE))
            sheet.paste(photo, (column * (SIDE + GAP), row * height + CAPTION))
    return sheet
