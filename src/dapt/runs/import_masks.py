"""`dapt masks import`: annotations and masks as people have them, as a folder of mask files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dapt.colour import BLACK
from dapt.console import progress, say, warn
from dapt.data.items import ImageSet
from dapt.data.load.images import photo_shape
from dapt.data.load.notes import say_notes, several
from dapt.data.mask_imports.base import Asked, Found, Things
from dapt.data.mask_imports.categories import choose
from dapt.data.mask_imports.drawn_marks import check_shapes, draw_marks, place_marks
from dapt.data.mask_imports.guess import AUTO, format_of
from dapt.data.mask_imports.match_pictures import Job, MatchedPictures, match_pictures
from dapt.data.mask_imports.read_pictures import check_sample, read_pictures
from dapt.data.mask_imports.source import Source
from dapt.data.masks.drawn import Shape
from dapt.data.masks.mask_files import check_format
from dapt.data.masks.rules import MaskRules
from dapt.data.read.plain import plain_photographs
from dapt.data.resolve import load_data, path_of
from dapt.errors import ConfigError, DataError
from dapt.files import write_json, write_with
from dapt.mask_pattern import check_pattern
from dapt.outputs import check_apart
from dapt.runs.apart import check_files_apart
from dapt.runs.import_remarks import OVERLAPPING, UNKNOWN, Remarks, counted, left_out, listed, noted_overlaps
from dapt.runs.mask_folder import MaskFolder
from dapt.runs.mask_statistics import count_masks
from dapt.runs.mask_told import train_command
from dapt.split_rule import POSITIONS
from dapt.wording import some

IMPORTED = "import"  # what masks.json calls the source of these masks
UNCLEAR = Things("name of a picture is not clear", "names of pictures are not clear")
CLOSED = Things("annotated photo cannot be opened", "annotated photos cannot be opened")
OTHER_SHAPE = Things(
    "photo has another shape than the picture annotated", "photos have another shape than the pictures annotated"
)
UNUSABLE = Things("mask cannot be used", "masks cannot be used")


def import_masks(
    folder: Path,
    data: str,
    out: Path,
    *,
    format: str = AUTO,
    classes: Sequence[str] | None = None,
    mask_format: str | None = None,
    mask_name: str | None = None,
    mask_background: str | None = None,
    skip_bad: bool = False,
    root: str | None = None,
    own_split: bool = False,
) -> dict[str, Any]:
    """Write one PNG (0 and 255) per annotated photograph under `out`, at the photograph's relative path.

    Args:
        folder: of the annotations, or one file of them. data: the photographs. format: one of `IMPORTS`, or ``auto``.
        classes: categories that are foreground; None: all. mask_format, mask_name, mask_background: how mask pictures
            are read, as in a configuration. skip_bad: leave out, and count, what is damaged.

    Returns:
        the statistics, also written to ``masks.json`` in `out`.

    Raises:
        DaptError: bad arguments, damaged annotations or data; nothing was written then, unless it says so.
    """
    check_apart(out, {"the data": path_of(data), "the annotations": folder})
    images = _photographs(data, root=root, own_split=own_split, skip_bad=skip_bad)
    check_files_apart(out, images, data)
    items = images.chosen("all")
    source = Source(folder)
    rules = MaskRules(
        check_format(mask_format or "binary"),
        None if mask_name is None else check_pattern(mask_name),
        mask_background or BLACK,
    )
    asked = Asked(
        None if classes is None else tuple(classes),
        rules,
        mask_format is not None,
        tuple(item.name for item in items),
        images.root,
    )
    kind, importer = format_of(format, source, asked)
    given = {"mask_format": mask_format, "mask_name": mask_name, "mask_background": mask_background}
    for key in [key for key, value in given.items() if value is not None and key not in importer.options]:
        raise ConfigError(f"--{key.replace('_', '-')} has no effect on {importer.title}.", todo="Leave it out.")
    found = importer.read(source, asked)
    _check_classes(found, classes)
    found.check_classes(classes)
    remarks = Remarks()
    cannot = Things(f"thing in {folder} cannot be understood", f"things in {folder} cannot be understood")
    remarks.refuse_or_say(found.damaged, cannot, skip_bad, "not understood")
    matched = match_pictures(found.pictures, items)
    categories = choose(matched.jobs.values(), list(found.labels), classes)
    found.objects = {label: number for label, number in categories.used.items() if number is not None}
    for sentence in filter(None, (*found.guesses, categories.sentence())):
        say(sentence)
    jobs = _jobs(matched, found, images, folder, skip_bad, remarks, importer.options)
    shapes = _shapes(jobs, skip_bad, remarks)
    jobs = [job for job in jobs if job.item.name in shapes]
    if not jobs:
        remarks.say(found, images.name, loose=matched.loose)
        raise DataError(f"No photo of {images.name} has anything in {folder} that makes a mask.", where=found.title)
    if pictures := [job for job in jobs if job.files]:
        check_sample(pictures)
    settings: dict[str, Any] = {"data": images.name, "root": str(Path(images.root).resolve()), "cue": IMPORTED}
    settings |= {"format": kind, "classes": sorted(classes) if classes is not None else None}
    settings |= {"annotations": _digest(jobs)}
    target = MaskFolder(out, settings, [job.item for job in jobs])
    target.check()
    statistics = _fill(target, jobs, shapes, found, remarks, skip_bad)
    remarks.say(found, images.name, loose=matched.loose)
    say_notes()
    if not statistics["images"]:
        raise DataError(
            f"There is nothing of the objects in any photo, so {out} has no mask.",
            where=str(folder),
            todo=f"Look at what is said above; then remove {out}, or choose another --out.",
        )
    use = train_command(data, out, {"--root": root, "--own-split": own_split})
    say(f"masks in {out}{f'; use them with: {use}' if images.names else ''}")
    return statistics


def _photographs(data: str, *, root: str | None, own_split: bool, skip_bad: bool) -> ImageSet:
    try:
        return load_data(
            data, root=root, own_split=own_split, skip_bad=skip_bad, classless=True, rule=POSITIONS
        )  # which split is no matter
    except DataError as error:
        path = path_of(data)
        if path is None or not path.is_dir():
            raise
        return plain_photographs(path, error)


def _check_classes(found: Found, classes: Sequence[str] | None) -> None:
    if classes is not None and not found.labels:
        raise ConfigError(
            f"{found.title}: these files name no categories, so --classes cannot choose any.",
            todo="Leave it out; of mask pictures, --mask-name tells which files are meant.",
        )


def _jobs(
    matched: MatchedPictures,
    found: Found,
    images: ImageSet,
    folder: Path,
    skip_bad: bool,
    remarks: Remarks,
    options: Sequence[str],
) -> list[Job]:
    """The photographs of which there is something.

    Raises:
        DataError: there are none, or names are not clear.
    """
    todo = "Let the names tell the folders, or give folders of one part of the photos alone"
    remarks.refuse_or_say(matched.unclear, UNCLEAR, skip_bad, "not clear", todo)
    if not matched.jobs:
        named = [picture.names[0] for picture in found.pictures]
        raise DataError(
            f"{'None of the' if len(named) > 1 else 'The'} {several(named, 'picture', 'pictures')} that {folder} names "
            f"{'is' if len(named) > 1 else 'is not'} in {images.name}: it names {some(named)}; the photos are "
            f"{some([item.name for item in images.chosen('all')])}.",
            todo="Check --data, or rename one of them"
            + ("; --mask-name tells how mask files are called." if "mask_name" in options else "."),
        )
    unread = {name.rpartition("/")[2]: why for why, names in images.unused.items() for name in names}
    for name in matched.unknown:
        why = unread.get(name.rpartition("/")[2])
        remarks.add("not read" if why else UNKNOWN, f"{name} ({why})" if why else name)
    for sentence in matched.contrary:
        remarks.add("contrary", sentence)
    for name, job in matched.jobs.items():
        if not job.marks and not job.files:
            remarks.add("without objects", name)
        if len(job.told_in) > 1:
            remarks.add("several files", f"{name} ({some(sorted(job.told_in))})")
    annotated = set(matched.jobs)
    for item in images.chosen("all"):
        if item.name not in annotated:
            remarks.add("not annotated", item.name)
    return [job for job in matched.jobs.values() if job.marks or job.files]


def _shapes(jobs: Sequence[Job], skip_bad: bool, remarks: Remarks) -> dict[str, Shape]:
    """The shapes of the photographs, where the objects fit them.

    Raises:
        DataError: a photograph cannot be opened, or objects were marked in a picture of another shape.
    """
    shapes: dict[str, Shape] = {}
    closed: list[str] = []
    other: list[str] = []
    for job in progress(jobs, len(jobs), "looking at photos", "photos"):
        try:
            shape = Shape(*photo_shape(job.item.path))
        except DataError as error:
            closed.append(error.what)
            continue
        try:
            check_shapes(job.marks, shape, job.item)
        except DataError as error:
            other.append(error.what)
            continue
        shapes[job.item.name] = shape
        _note_places(job, shape, remarks)
    remarks.refuse_or_say(closed, CLOSED, skip_bad, "unreadable")
    remarks.refuse_or_say(other, OTHER_SHAPE, skip_bad, "other shape")
    return shapes


def _note_places(job: Job, shape: Shape, remarks: Remarks) -> None:
    """Note what is cut, left out and scaled, also of masks that exist already."""
    placed = place_marks(job.marks, shape)
    for number, what in ((placed.clipped, "cut off at the edge"), (placed.outside, "outside")):
        for _ in range(number):
            remarks.add(what, job.item.name)
    for so, what in ((placed.resized, "resized"), (placed.unsized, "size not told")):
        if so:
            remarks.add(what, job.item.name)


def _digest(jobs: Sequence[Job]) -> str:
    """What the masks are made of, whatever file it stood in."""
    digest = hashlib.sha256()
    for job in sorted(jobs, key=lambda job: job.item.name):
        files = [(path.name, path.stat().st_size) for path in job.files]
        wanted = job.wanted and (sorted(job.wanted.numbers), sorted(job.wanted.colours))
        digest.update(repr((job.item.name, job.marks, files, job.rules, wanted)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _fill(
    target: MaskFolder,
    jobs: Sequence[Job],
    shapes: dict[str, Shape],
    found: Found,
    remarks: Remarks,
    skip_bad: bool,
) -> dict[str, Any]:
    """Write the masks that are not there yet.

    Raises:
        DataError: mask pictures cannot be used; the others were written.
    """
    problems: list[str] = []
    with target.lock:
        left = {item.name for item in target.begin()}
        if len(left) < len(jobs):
            say(f"{len(jobs) - len(left)} of {len(jobs)} masks exist already and are kept")
        noted = noted_overlaps(target.statistics_file, [job.item.name for job in jobs])
        for job in progress(jobs, len(jobs), "importing masks", "masks"):
            kept = job.item.name not in left
            if kept and noted is not None:
                for sentence in noted.get(job.item.name, ()):
                    remarks.add(OVERLAPPING, sentence)
                continue
            if kept and len({mark.label for mark in job.marks}) < 2:
                continue  # of categories that overlap it is said again: the killed import had not noted it
            try:
                mask = _mask(job, shapes[job.item.name], remarks)
            except DataError as error:
                problems.append(error.what)
                continue
            if kept:
                continue
            if (job.marks or job.wanted) and not mask.any():
                remarks.add("nothing drawn", job.item.name)
                continue
            picture = Image.fromarray(mask.astype(np.uint8) * 255)
            write_with(target.target(job.item), _png(picture), within=target.path)
        for problem in problems:
            remarks.add("not usable", problem)
        if skip_bad or not problems:
            there = [job.item for job in jobs if target.target(job.item).is_file()]
            statistics = {"settings": target.settings, **count_masks(target, there), "import": remarks.noted(found)}
            write_json(target.statistics_file, statistics, make_parents=False)
    if problems and not skip_bad:
        raise DataError(
            f"{counted(problems, UNUSABLE)}; the others were written.",
            todo=f"Mend {'it' if len(problems) == 1 else 'them'}, or pass --skip-bad.",
            more=listed(problems),
        )
    if problems:
        warn(left_out(problems, UNUSABLE))
    return statistics


def _png(picture: Image.Image) -> Callable[[Any], None]:
    return lambda file: picture.save(file, format="PNG")


def _mask(job: Job, shape: Shape, remarks: Remarks) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The mask of a photograph; what deserves a word about it is noted."""
    name = job.item.name
    if job.files:
        return read_pictures(job)
    mask, overlap = draw_marks(job.marks, shape, job.item)
    if overlap:
        remarks.add(OVERLAPPING, f"{name} ({overlap})")
    return mask
