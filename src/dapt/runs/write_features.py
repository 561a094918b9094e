"""`dapt features`: the image features of a data set in one file, computed part by part."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.console import progress, say, warn
from dapt.data.items import ImageSet, Item
from dapt.data.load.check_images import check_images, tell_left_out
from dapt.data.load.draft import draft_side
from dapt.data.load.loader import EvalImages
from dapt.data.load.notes import say_notes
from dapt.data.load.read_batches import read_batches
from dapt.data.load.transforms import eval_transform
from dapt.data.resolve import load_photos, path_of
from dapt.environment import cores, version
from dapt.errors import ConfigError, DaptError, DataError, did_you_mean
from dapt.outputs import check_file, check_writable
from dapt.runs.apart import check_file_apart, places_read
from dapt.runs.feature_encoder import FeatureEncoder, open_encoder
from dapt.runs.feature_files import FeatureFile, FeatureTable
from dapt.runs.feature_kinds import feature_file
from dapt.runs.feature_parts import FeatureParts, Part, has_parts, list_digest
from dapt.runs.feature_rows import FeatureRow, feature_rows
from dapt.runs.run_folder import find_run
from dapt.training.feature_bank import fits_half
from dapt.wording import counted, some

BATCH = 100  # images at a time
PART = 1000  # images of a part, about: what a killed command loses
TYPES = {"float32": torch.float32, "float16": torch.float16}
MEGABYTE = 10**6


@dataclass(frozen=True)
class _Work:
    """What is to be computed.

    Attributes:
        items: the images. kind: of the numbers that are kept. threads: that read images.
    """

    items: Sequence[Item]
    encoder: FeatureEncoder
    kind: torch.dtype
    batch_size: int
    threads: int
    skip_bad: bool


def write_features(
    data: str,
    out: Path,
    *,
    model_spec: str | None = None,
    run: Path | None = None,
    split: str = "all",
    dtype: str = "float32",
    raw: bool = False,
    batch_size: int = BATCH,
    workers: int | None = None,
    names: str | None = None,
    root: str | None = None,
    own_split: bool = False,
    skip_bad: bool = False,
    device: str = "auto",
    precision: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> dict[str, Any]:
    """Write the features of all images into `out`, which is whole or not there.

    Args:
        data: as for training, or photos without classes. model_spec, run, precision: see `open_encoder`.
        dtype: ``float32`` or ``float16``. raw: not divided by their length. workers: threads that read images; None: as
            many as there are cores. overwrite: replace earlier features there. resume: go on with an interrupted
            command.

    Returns:
        what the file says of itself.

    Raises:
        DaptError: bad arguments or damaged data, or the file system refuses.
    """
    if resume and overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.")
    if dtype not in TYPES:
        raise ConfigError(f"There is no type '{dtype}'.", where="--dtype", todo=did_you_mean(dtype, TYPES))
    file = feature_file(out)
    _check_places(file, data, run=run, names=names)
    file.check(replace=overwrite or (resume and has_parts(out)))
    images = load_photos(data, names, root=root, own_split=own_split, skip_bad=skip_bad)
    for path in file.outputs:
        check_file_apart(path, "--out", images, data)
    for why, unused in images.unused.items():
        say(f"not used: {len(unused)} {why} ({some(unused)})")
    items = images.chosen(split)
    if not items:
        raise DataError(f"{images.name} has no image in its split '{split}'.")
    parts = FeatureParts(out, len(items), batch_size * -(-PART // batch_size))
    parts.check(overwrite=overwrite, resume=resume)
    encoder = open_encoder(model_spec, run, unit_length=not raw, precision=precision, device=device)
    rows = feature_rows(images, items, split)
    work = _Work(items, encoder, TYPES[dtype], batch_size, workers or cores(), skip_bad)
    made_with = {**encoder.made_with, "dtype": dtype}
    if resume and out.exists():  # beside parts there is no earlier one: that is removed before they are begun
        return _tidied(file, parts, made_with)
    dimensions = encoder.dimensions()
    _say_size(out, len(items), dimensions, dtype)
    about = {**made_with, "batch_size": batch_size, "images": len(items), "list": list_digest(items)}
    if resume:
        parts.check_same(about)
    _check_images(parts, work, resume=resume)
    if overwrite:
        file.remove()
    with parts.writing(about, overwrite=overwrite, resume=resume):
        file.sweep()
        _compute(parts, work)
        found = _assembled(parts, rows, dimensions, {**_told(images, encoder, split), **made_with})
        file.write(found)
        parts.clear()
    say(f"features of {counted(len(found.rows), 'image')} in {' and '.join(map(str, file.outputs))}")
    return dict(found.about)


def _tidied(file: FeatureFile, parts: FeatureParts, made_with: dict[str, Any]) -> dict[str, Any]:
    """What a file says of itself whose command was killed when all but its parts was done; those are removed.

    Raises:
        ConfigError: it was made otherwise.
    """
    found = file.about()
    if any(found.get(key) != value for key, value in made_with.items()):
        raise ConfigError(
            f"{file.path} exists, with features of other settings.",
            where="--out",
            todo="Pass --overwrite to make it again, or choose another file.",
        )
    parts.tidy()
    say(f"{file.path} was whole; what was left of its parts is removed")
    return found


def _check_places(file: FeatureFile, data: str, *, run: Path | None, names: str | None) -> None:
    """Refuse files in or over anything that is read, or where nothing can be written.

    Raises:
        ConfigError: naming what is in the way; or there is no such run.
    """
    given = {"the data": path_of(data), "the run": run, "the names file": Path(names) if names else None}
    read = given if run is None else {**given, **places_read(find_run(run))}
    for path in file.outputs:
        check_file(path, "--out", read)
    check_writable(file.path, "--out")


def _say_size(out: Path, count: int, dimensions: int, dtype: str) -> None:
    """Say how large the file becomes, and warn where the disk has no room for it and its parts."""
    size = count * dimensions * TYPES[dtype].itemsize
    each = f"{counted(count, 'image')} with {dimensions} numbers of {dtype}"
    say(f"{each}: {size / MEGABYTE:,.1f} MB, and as much beside it until it is whole")
    place = next(each for each in out.absolute().parents if each.is_dir())
    free = shutil.disk_usage(place).free
    if free < 2 * size:
        warn(f"{place} has {free / MEGABYTE:,.1f} MB left, and twice {size / MEGABYTE:,.1f} MB are needed.")


def _check_images(parts: FeatureParts, work: _Work, *, resume: bool) -> None:
    """Look whether the images that are still to be read are whole; with `skip_bad` they are left out as they are read.

    Raises:
        DataError: some are not.
    """
    if work.skip_bad:
        return
    left = parts.absent() if resume else range(len(parts.ranges))
    unread = [work.items[place] for number in left for place in parts.ranges[number]]
    check_images(unread, skip_bad=False, label="checking images")


def _compute(parts: FeatureParts, work: _Work) -> None:
    """Compute and keep the parts that are missing.

    Raises:
        DaptError: an image cannot be read, or the file system refuses.
    """
    left = parts.missing()
    count = sum(len(parts.ranges[number]) for number in left)
    if count < len(work.items):
        say(f"{len(work.items) - count:,} of {counted(len(work.items), 'image')} are done already")
    for _ in progress(_made(parts, left, work), count, "features", "images"):
        pass
    say_notes()


def _made(parts: FeatureParts, left: Sequence[int], work: _Work) -> Iterator[int]:
    """The places of images, one by one, as their features are computed; parts are kept on the way."""
    size, clip = work.batch_size, work.encoder.clip
    batches = {number: _cut(parts.ranges[number], size) for number in left}
    pixels = clip.image.image_size
    images = EvalImages(work.items, eval_transform(pixels, clip.preprocess), side=draft_side(pixels))
    every = [batch for number in left for batch in batches[number]]
    with closing(read_batches(images, every, threads=work.threads, skip_bad=work.skip_bad)) as reading:
        for number in left:
            found: list[Tensor] = []
            places: list[int] = []
            bad: list[DataError] = []
            for batch, read in zip(batches[number], reading, strict=False):
                if read.pixels is not None:
                    found.append(_typed(work.encoder(read.pixels), work.kind))
                places += read.places
                bad += read.bad.values()
                yield from batch
            features = torch.cat(found) if found else torch.empty(0, work.encoder.dimensions(), dtype=work.kind)
            parts.keep(number, Part(features, torch.tensor(places, dtype=torch.int64), tuple(bad)))


def _cut(places: range, size: int) -> list[range]:
    return [places[start : start + size] for start in range(0, len(places), size)]


def _typed(features: Tensor, kind: torch.dtype) -> Tensor:
    """Features in the type in which they are written.

    Raises:
        DaptError: a number does not fit.
    """
    if kind == torch.float16 and not fits_half(features):
        raise DaptError(
            "Some features are beyond what float16 can hold.", where="--dtype", todo="Take --dtype float32."
        )
    return features.to(kind)


def _told(images: ImageSet, encoder: FeatureEncoder, split: str) -> dict[str, Any]:
    """What a file says of the data and the model."""
    clip = encoder.clip
    return {
        "data": images.name,
        "split": split,
        "divided": images.divided,
        "classes": list(images.names),
        "fingerprint": clip.fingerprint(),
        "preprocess": {**asdict(clip.preprocess), "size": list(clip.image.image_size)},
        "dapt": version(),
    }


def _assembled(parts: FeatureParts, rows: Sequence[FeatureRow], dimensions: int, about: dict[str, Any]) -> FeatureTable:
    """All parts as one table; what was left out is said.

    Raises:
        DataError: no image could be read.
    """
    places: list[int] = []
    bad: list[DataError] = []
    for number in range(len(parts.ranges)):
        part = parts.read(number)
        places += part.places.tolist()
        bad += part.left_out
    tell_left_out(bad)
    if not places:
        raise DataError("None of the images can be read, so there are no features.")
    about = {**about, "images": len(places), "left_out": len(bad), "dimensions": dimensions}
    blocks = (parts.read(number).features for number in range(len(parts.ranges)))
    return FeatureTable([rows[place] for place in places], blocks, dimensions, about)
