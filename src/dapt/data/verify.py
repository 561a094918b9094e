"""Checking data on disk: is everything there, and can it be read?"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.console import lines_of, progress
from dapt.data.catalog.base import CATALOG, Dataset, Place, Request, data_root
from dapt.data.catalog.listing import entries_of, unreadable
from dapt.data.catalog.load import read_place
from dapt.data.catalog.mask_folders import MASKS, collection_masks
from dapt.data.catalog.places import companions, find_beside, require_place
from dapt.data.catalog.readers.coop_split import is_published
from dapt.data.items import ImageSet, Item
from dapt.data.understood import class_counts, layout_words, other_lines
from dapt.errors import DataError
from dapt.wording import some

SPLITS = ("train", "val", "test")
NO_TRAINING = "No training image with a class is there: 'dapt train' refuses the data, 'dapt eval RUN DATA' takes it."


@dataclass
class Report:
    """What was found.

    Attributes:
        name: data set or path. folder, layout: where and how it lies, empty if it was not found.
        classes, images: what there is; images per split. expected_classes, expected_images: what there should be,
            None and empty where nothing is known. masked: images with a mask.
        missing, empty, damaged, refused, unmasked: names of images that are absent, have no bytes, cannot be decoded,
            are not decoded (too large, or another kind of file; the reason follows the name), or lack the mask that
            the others have. problems: sentences. notes: what is no problem.
        class_counts: images by class and split, empty for data sets of the catalog.
        unused: names of files that are not used, by reason.
    """

    name: str
    folder: str = ""
    layout: str = ""
    classes: int = 0
    expected_classes: int | None = None
    images: dict[str, int] = field(default_factory=dict)
    expected_images: dict[str, int] = field(default_factory=dict)
    masked: int = 0
    missing: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unmasked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    class_counts: dict[str, dict[str, int]] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether all is as it should be."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {"good": self.good, **self.__dict__}


def verify(data: str, root: str | None = None, *, decode: bool = False) -> Report:
    """Check a data set of the catalog, or a folder, CSV or hub data set by what it says of itself.

    Args:
        data: name or path. root: the data root. decode: open every image and mask.

    Raises:
        ConfigError: there is neither such a data set nor such a path.
        DataError: a path that cannot be read as data.
    """
    if _is_other(data):
        return _verify_other(data, root, decode)
    return _verify_catalog(CATALOG.get(data), data_root(root), decode)


def _is_other(data: str) -> bool:
    from dapt.data.resolve import HUB_PREFIX

    if data in CATALOG.names():
        return False
    return data.startswith(HUB_PREFIX) or os.sep in data or data.lower().endswith(".csv") or Path(data).exists()


def _verify_other(data: str, root: str | None, decode: bool) -> Report:
    from dapt.data.resolve import load_data

    found = load_data(data, root=root)
    report = Report(data, str(found.root), layout_words(found))
    report.class_counts = class_counts(found)
    report.unused = {reason: list(names) for reason, names in found.unused.items()}
    _look(report, found, decode)
    report.notes += other_lines(found)
    report.notes += found.guessed
    if not found.labelled("train"):
        report.notes.append(NO_TRAINING)
    if found.has_masks:
        report.notes.append(f"{count(report.masked, 'image')} {'has' if report.masked == 1 else 'have'} a mask.")
    return report


def _verify_catalog(dataset: Dataset, root: Path, decode: bool) -> Report:
    report = Report(dataset.name, expected_classes=dataset.classes, expected_images=dict(dataset.counts))
    request = Request(root, skip_bad=True, absent=report.missing)
    try:
        place = require_place(dataset, root)
        report.folder, report.layout = str(place.root), place.layout.name
        data = read_place(dataset, place, request)
        listed = dataset.reader.listed(dataset, place, request)
    except DataError as error:
        report.problems.append(error.message.replace("\n", " "))  # its lines are ours
        return report
    _look(report, data, decode)
    if len(data.names) != dataset.classes:
        there = "is 1 class" if len(data.names) == 1 else f"are {len(data.names)} classes"
        report.problems.append(f"There {there}, not {dataset.classes}.")
    for split, expected in dataset.counts.items():
        found = (listed or report.images).get(split, 0)
        if found != expected:
            report.problems.append(
                f"{split}: {count(found, 'image')} {'listed' if listed else 'there'}, not {expected}."
            )
    _look_at_masks(report, data, dataset, place, root)
    _look_at_split_file(report, dataset, place, root)
    return report


def _look(report: Report, data: ImageSet, decode: bool) -> None:
    """Count, and look for absent, empty and damaged files."""
    report.classes = len(data.names)
    report.images = {split: len(data.split(split)) for split in SPLITS if data.split(split)}
    items = list({item.path: item for split in SPLITS for item in data.split(split)}.values())
    report.masked = sum(item.mask is not None for item in items)
    files = [(item.path, item.name) for item in items]
    files += [(item.mask, f"mask of {item.name}") for item in items if item.mask is not None]
    sizes = _sizes(path for path, _ in files)
    report.missing += [name for path, name in files if path not in sizes]
    report.empty += [name for path, name in files if sizes.get(path) == 0]
    if decode:
        report.damaged, report.refused = _decode([item for item in items if sizes.get(item.path)], data)
    for names, what in (
        (report.missing, "Missing"),
        (report.empty, "Empty (0 bytes)"),
        (report.damaged, "Damaged"),
        (report.refused, "Not decoded"),
    ):
        if names:
            report.problems.append(f"{what}: {count(len(names), 'file')} ({some(names)}).")
    gone = {posixpath.dirname(name) for name in report.missing} - {posixpath.dirname(name) for _, name in files}
    if gone:
        report.problems.append(f"Missing entirely: {count(len(gone), 'folder')} ({some(sorted(gone))}).")


def _sizes(paths: Iterable[Path]) -> dict[Path, int]:
    """Bytes of the regular files that exist; every folder is listed once.

    Raises:
        DataError: a folder cannot be read.
    """
    inside: dict[Path, dict[str, Path]] = {}
    for path in paths:
        inside.setdefault(path.parent, {})[path.name] = path
    sizes: dict[Path, int] = {}
    for folder, wanted in progress(inside.items(), len(inside), "listing folders", "folders"):
        for entry in entries_of(folder):
            if entry.name in wanted:
                try:
                    if entry.is_file():
                        sizes[wanted[entry.name]] = entry.stat().st_size
                except OSError as error:
                    raise unreadable(folder, error) from error
    return sizes


def _decode(items: Sequence[Item], data: ImageSet) -> tuple[list[str], list[str]]:
    """Images and masks that are damaged, and those that are not decoded, tried in threads."""
    from dapt.data.load.images import RefusedImageError, open_image
    from dapt.data.load.notes import say_notes
    from dapt.data.load.pixels import decoding
    from dapt.data.masks.mask_files import read_mask

    def trouble(item: Item) -> list[tuple[str, DataError]]:
        found = []
        try:
            with decoding():  # until the picture is gone
                open_image(item.path)
        except DataError as error:
            found.append((item.name, error))
        if item.mask is not None:
            try:
                read_mask(item.mask, data.mask_format or "dapt")  # which takes any picture
            except DataError as error:
                found.append((f"mask of {item.name}", error))
        return found

    with ThreadPoolExecutor() as pool:
        parts = list(progress(pool.map(trouble, items), len(items), "decoding images", "images"))
    say_notes()
    found = [each for part in parts for each in part]
    refused = [f"{name}: {error.what}" for name, error in found if isinstance(error, RefusedImageError)]
    return [name for name, error in found if not isinstance(error, RefusedImageError)], refused


def _look_at_masks(report: Report, data: ImageSet, dataset: Dataset, place: Place, root: Path) -> None:
    if not data.has_masks:
        other = next((folder / MASKS for folder in companions(dataset, place, root) if (folder / MASKS).is_dir()), None)
        report.notes.append("No masks are there." if other is None else f"{other} does not mirror the images: --masks.")
        return
    items = {item.path: item for split in SPLITS for item in data.split(split)}.values()
    own = collection_masks(dataset, place, root) is None
    report.notes.append(
        f"{report.masked} of {len(items)} images have a mask ({'own' if own else 'masked collection'})."
    )
    if not (own and dataset.partly_masked):
        report.unmasked = [item.name for item in items if item.mask is None]
    if report.unmasked:
        report.problems.append(f"Without mask: {count(len(report.unmasked), 'image')} ({some(report.unmasked)}).")


def _look_at_split_file(report: Report, dataset: Dataset, place: Place, root: Path) -> None:
    """Whether the split file has the published rows: counts do not tell, if somebody divided the images anew."""
    path = find_beside(dataset.reader.file, companions(dataset, place, root)) if dataset.reader.file else None
    published = None if path is None else is_published(path, dataset)
    if path is None or published is None:
        return
    if published:
        report.notes.append(f"{path.name} is the published file.")
    else:
        again = f"dapt data download {dataset.name} --only split --force"
        report.problems.append(f"{path} is not the published split file; get it with '{again}'.")


def count(number: int, what: str) -> str:
    """A number with its noun."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def describe(report: Report) -> str:
    """The report as text, with the names in it as `dapt.console.visible` shows them."""
    lines = [f"{report.name}: {report.folder or 'not found'}" + (f" ({report.layout})" if report.layout else "")]
    rows = [("classes", report.classes, report.expected_classes)]
    splits = [split for split in SPLITS if split in report.images or split in report.expected_images]
    rows += [(split, report.images.get(split, 0), report.expected_images.get(split)) for split in splits]
    if report.folder and report.images:
        for name, number, expected in rows:
            lines.append(f"  {name:8} {number:>9,}" + (f"  expected {expected:,}" if expected is not None else ""))
    lines += [
        f"  class '{name}': " + ", ".join(f"{count:,} {split}" for split, count in counts.items())
        for name, counts in report.class_counts.items()
    ]
    lines += [f"  {note}" for note in report.notes]
    lines += [f"  problem: {problem}" for problem in report.problems]
    lines.append("  What the images and class names hold is looked at by 'dapt data check'.")
    good = "The files are as expected, but see above." if NO_TRAINING in report.notes else "All is as expected."
    lines.append(good if report.good else f"Problems: {len(report.problems)}.")
    return lines_of(lines)
