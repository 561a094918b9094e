"""`dapt masks`: writing a cue as mask files, with statistics, contact sheets and a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from dapt.clusters import joined
from dapt.console import say, warn
from dapt.cues.build import AUTO, cue_options, source_of
from dapt.cues.common_things import COMMON_THINGS
from dapt.data.catalog.base import data_root
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.check_images import check_images
from dapt.data.load.reading import changed_reading
from dapt.data.masks.drawn import with_drawn_masks
from dapt.data.masks.mask_files import check_format, mask_folder
from dapt.data.resolve import load_photos, path_of
from dapt.errors import ConfigError, DataError
from dapt.evenly import from_first_to_last
from dapt.model.prompted_clip import PromptedClip
from dapt.model.saved import PROMPTS
from dapt.outputs import check_apart
from dapt.owned import digest_of
from dapt.paths import resolved
from dapt.runs.apart import check_files_apart, places_read
from dapt.runs.making_masks import CHUNK, make_masks
from dapt.runs.mask_comparison import OWN, TrueMasks, compare_with
from dapt.runs.mask_folder import MaskFolder
from dapt.runs.mask_order import MaskOrder
from dapt.runs.mask_preview import SHEET, sheet_names, worst_first, write_preview
from dapt.runs.mask_statistics import count_masks
from dapt.runs.mask_told import tell_missing, tell_preview, tell_use
from dapt.runs.ray_masks import make_masks_on
from dapt.runs.run_folder import find_run
from dapt.runs.seen_images import seen_images
from dapt.runs.shard import shard_from
from dapt.strict import PartOptions
from dapt.wording import listing, some

Make = Callable[..., None]  # of the folder and the items that have no mask yet


@dataclass(frozen=True)
class _Wishes:
    """What is wanted beside the masks.

    Attributes:
        true: masks to compare with. classes: their names, by label. previews: images on contact sheets.
    """

    true: TrueMasks | None
    classes: Sequence[str]
    previews: int
    skip_bad: bool


def write_masks(
    data: str,
    out: Path,
    *,
    source: str = AUTO,
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
    preview_images: int = SHEET,
    compare: bool = False,
    against: str | None = None,
    against_format: str | None = None,
    shard: str | None = None,
    names: str | None = None,
    skip_bad: bool = False,
    seed: int = 1,
    root: str | None = None,
    own_split: bool = False,
    device: str = "auto",
    ray: str | None = None,
    ray_workers: int | None = None,
) -> dict[str, Any]:
    """Write one PNG per image under `out`, at the image's relative path.

    Args:
        source: name of a cue; auto: `masks` where a folder of them is given, else the best that needs no files.
        options: of that cue. mask_name, mask_background: as in a configuration.
        preview: draw contact sheets of `preview_images` images, the worst first.
        against: true masks to measure these against: ``own`` (as `compare` asks for) or a folder of mask files, in
            `against_format`. shard: ``3/8``: only the third of eight parts of the images.
        ray: a Ray cluster that makes them, see `dapt.clusters.joined`; None: this process.
        ray_workers: processes of the cluster at most.

    Returns:
        the statistics, also written to ``masks.json`` in `out`.

    Raises:
        DaptError: bad arguments or damaged data, or the cluster cannot be reached.
    """
    if ray is None and ray_workers is not None:
        raise ConfigError("--ray-workers are processes of a cluster.", todo="Name it with --ray.")
    if source == AUTO:
        source = source_of(AUTO, masks=masks is not None)
        say(f"cue: {source}")
    kind = check_format(mask_format or "binary")
    part = shard_from(shard)
    against = _against(against, against_format, compare=compare)
    own = cue_options(source, options or {})
    _check_places(out, data, masks=masks, names=names, run=run, true=None if against in (None, OWN) else against)
    with nullcontext() if ray is None else joined(ray) as cluster:
        images = load_photos(data, names, root=root, own_split=own_split, skip_bad=skip_bad)
        for why, files in images.unused.items():
            say(f"not used: {len(files)} {why} ({some(files)})")
        if masks is None or against == OWN:
            images = with_drawn_masks(images, data_root(root))
        items = images.chosen(split)
        seen = seen_images(out, items)
        new = [item for item in items if item.name not in seen]
        readable = {*check_images(new, skip_bad=skip_bad, label="checking images").good}
        items = [item for item in items if item.name in seen or item in readable]
        true = None
        if against is not None:
            true = TrueMasks(against, items, images.name, own_kind=images.mask_format or kind, kind=against_format)
        order = MaskOrder(source, own, images, mask_folder(masks), kind, mask_name, mask_background, skip_bad, seed)
        order = replace(order, run=run, model_spec=model_spec, device=device, classes=tuple(classes or images.names))
        cue, model = order.cue(), None
        if cue.needs_model or cue.follows_prompts:
            if not order.classes and run is None and cue.takes_common_things:
                warn(
                    f"Neither the data nor --classes name a class: {source} compares with {len(COMMON_THINGS)} common "
                    f"things ({some(COMMON_THINGS)}). Name what the photos show with --classes for better masks."
                )
                order = replace(order, classes=tuple(COMMON_THINGS))
            model = order.model()
            if run is None or classes:
                items = _relabel(items, images.names, model.names)
        else:
            _warn_unread(source, {"--run": run, "--model": model_spec, "--classes": classes})
        if not items:
            raise DataError(f"{images.name} has no image that can be read in its split '{split}'.")
        check_files_apart(out, images, data)
        settings = {"data": images.name, "cue": source, **_options_said(own), "seed": seed}
        settings |= {f"cue_{key}": value for key, value in cue.made_with().items()}
        settings |= {"root": str(Path(images.root).resolve()), **_made_with(model, run)}
        settings |= {"masks": str(resolved(masks)) if masks else None}
        settings |= {"mask_format": None if cue.needs_model or cue.follows_prompts else kind}
        said = {"mask_name": mask_name, "mask_background": mask_background, **changed_reading()}
        settings |= {key: value for key, value in said.items() if value}  # earlier masks say none of these
        folder = MaskFolder(out, settings, items, part, seen=seen)
        folder.check()
        if preview:
            folder.check_preview(sheet_names(preview_images))
        if cue.reads_files:  # a sample of all classes tells whether the format is right before any is written
            cue.prepare(from_first_to_last(folder.left(), CHUNK), model)
            cue.check()
        make: Make
        if cluster is None:
            cue.ready(folder.left(), model)
            make = partial(make_masks, cue=cue, model=model, whole=True)
        else:
            make = partial(make_masks_on, cluster, order, cue, workers=ray_workers)
        wishes = _Wishes(true, images.names, preview_images if preview else 0, skip_bad)
        statistics = _fill(folder, make, items, wishes)
        cue.close()
    given = {"--names": names, "--root": root, "--own-split": own_split}
    tell_use(folder, statistics, data, trainable=bool(images.names) and split in ("all", "train"), given=given)
    return statistics


def _options_said(options: PartOptions) -> dict[str, Any]:
    """The options of a cue for masks.json, where ``model`` is the backbone."""
    return {"cue_model" if key == "model" else key: value for key, value in options.noted().items()}


def _against(against: str | None, kind: str | None, *, compare: bool) -> str | None:
    """What to compare with; None: nothing.

    Raises:
        ConfigError: two things were asked for, or a format of nothing.
    """
    if compare and against not in (None, OWN):
        raise ConfigError(
            f"--compare asks for the data set's own masks, --against for {against}.", todo="Give one of them."
        )
    chosen = OWN if compare else against
    if kind is not None and chosen in (None, OWN):
        raise ConfigError("--against-format concerns a folder of true masks.", todo="Give one with --against.")
    return chosen


def _check_places(
    out: Path, data: str, *, masks: Path | None, names: str | None, run: Path | None, true: str | None
) -> None:
    """Refuse a folder for masks in or over anything that is read.

    Raises:
        ConfigError: naming the input; or there is no such run.
    """
    given = {
        "the data": path_of(data),
        "the masks": masks,
        "the true masks": None if true is None else Path(true),
        "the run": run,
        "the names file": Path(names) if names else None,
    }
    check_apart(out, given if run is None else {**given, **places_read(find_run(run))})


def _warn_unread(source: str, given: Mapping[str, object]) -> None:
    """Say which options about a model are given to a cue without one."""
    unread = [name for name, value in given.items() if value]
    if unread:
        warn(f"The cue {source} needs no model, so {listing(unread)} {'is' if len(unread) == 1 else 'are'} not read.")


def _made_with(model: PromptedClip | None, run: Path | None) -> dict[str, Any]:
    """The model that decides the masks, for masks.json; nothing where none does."""
    return {
        "model": None if model is None else model.clip.spec,
        "backbone": None if model is None else model.clip.fingerprint(),
        "run": str(run.resolve()) if run else None,
        "prompts": None if run is None else digest_of((run / PROMPTS).read_bytes()),
        "classes": None if model is None else list(model.names),
    }


def _fill(folder: MaskFolder, make: Make, items: Sequence[Item], wishes: _Wishes) -> dict[str, Any]:
    """Write the masks that are not there yet, and what there is to say about all of them."""
    own = [item for item in items if folder.shard.holds(item.name)]
    with folder.writing() as left:
        if len(left) < len(own):
            kept = len(own) - len(left)
            say(f"{kept} of {len(own)} masks {'exists already and is' if kept == 1 else 'exist already and are'} kept")
        make(folder=folder, items=left)
        folder.gather()
        there = folder.there()
        present = [item for item in items if item.name in there]
        statistics: dict[str, Any] = count_masks(folder, present)
        iou = None
        if wishes.true is not None:
            found = compare_with(wishes.true, folder, present, wishes.classes, skip_bad=wishes.skip_bad)
            statistics["against"], iou = found.tree(wishes.true), found.iou
            if wishes.true.source == OWN:
                statistics["against_own_masks"] = found.quality.figures()
        statistics = folder.finish(statistics)
        if wishes.previews and not present:
            say("no preview: there is no mask to show yet")
        elif wishes.previews:
            chosen = worst_first(present, folder.entries, iou)[: wishes.previews]
            tell_preview(write_preview(folder, chosen), len(chosen), len(present))
        if not folder.shard.whole:
            tell_missing(folder, len(items))
    return statistics


def _relabel(items: list[Item], before: Sequence[str], now: Sequence[str]) -> list[Item]:
    """Labels by class name among the model's classes; unknown ones become unlabelled."""
    place = {name: label for label, name in enumerate(now)}
    names = [*before, ""]  # index -1 is the unlabelled class
    return [replace(item, label=place.get(names[item.label], UNLABELLED)) for item in items]
