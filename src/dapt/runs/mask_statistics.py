"""What there is to say about all masks of a store: counted from its entries, which are checked against the files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dapt.console import progress, say, warn
from dapt.cues.base import CueReport
from dapt.data.items import Item
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded
from dapt.data.masks.mask_entries import DIGITS, MaskEntry, kind_of
from dapt.data.masks.mask_files import refuse_colours, same_shape
from dapt.environment import cores
from dapt.errors import DataError
from dapt.owned import digest_of
from dapt.regular import reason
from dapt.runs.making_masks import ROUNDED, size_of
from dapt.runs.mask_folder import MaskFolder
from dapt.wording import some


def count_masks(folder: MaskFolder, items: Sequence[Item]) -> dict[str, Any]:
    """Figures of the masks that are there, for ``masks.json``; `folder.entries` is brought up to date.

    Raises:
        DataError: a mask cannot be read.
    """
    _look_again(folder, items)
    entries = [(item.name, folder.entries[item.name]) for item in items]
    report = report_of(entries, unmasked="empty")
    coverage = np.array(report.coverage)
    not_found = [name for name, entry in entries if entry.kind == "not found"]
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
    if entries and not report.coverage:
        which = f"None of the {len(entries)} masks" if len(entries) > 1 else "The only mask there is"
        warn(f"{which} is of {'use: each' if len(entries) > 1 else 'no use: it'} is empty or covers the whole picture.")
    if not_found:
        statistics["not_found"] = not_found
        say(f"the cue found nothing in {len(not_found)} of the images: {some(not_found)}")
    return statistics


def report_of(entries: Sequence[tuple[str, MaskEntry]], *, unmasked: str = "missing") -> CueReport:
    """The report of masks by their entries, in the order given.

    Args:
        entries: names and entries. unmasked: the list of the report for images in which a source found nothing.
    """
    report = CueReport(total=len(entries))
    lists = {"empty": report.empty, "full": report.full, "unreadable": report.bad}
    for name, entry in entries:
        if entry.kind == "usable":
            report.coverage.append(entry.coverage)
        else:
            lists.get(entry.kind, getattr(report, unmasked)).append(name)
        if entry.score is not None:
            report.scores[name] = entry.score
        if entry.stuff:
            report.stuff[name] = list(entry.stuff)
    return report


def _look_again(folder: MaskFolder, items: Sequence[Item]) -> None:
    """Entries of the masks that were kept, which may have been mended by hand or are not known yet."""
    kept = [item for item in items if item.name not in folder.made]
    mended = []
    with ThreadPoolExecutor(max(4, cores())) as pool:
        looked = pool.map(lambda item: _present(folder, item), kept)
        for item, (entry, other) in zip(kept, progress(looked, len(kept), "reading masks", "masks"), strict=True):
            if other:
                mended.append(item.name)
            folder.entries[item.name] = entry
    if mended:
        are = "is another than was" if len(mended) == 1 else "are others than were"
        warn(
            f"{len(mended)} of the masks {are} made ({some(mended)}), which counts as mended by hand: what the cue "
            "said of its own is forgotten."
        )
    gone = sorted(folder.entries.keys() - folder.names)
    if gone:
        are = "is of an image that is" if len(gone) == 1 else "are of images that are"
        warn(f"{len(gone)} of the masks in {folder.path} {are} not among these ({some(gone)}); not counted here.")


def _present(folder: MaskFolder, item: Item) -> tuple[MaskEntry, bool]:
    """The entry of a mask as its file is now, and whether that is known to be another file than was made."""
    path, entry = folder.target(item), folder.entries.get(item.name)
    if entry is not None and entry.mask is None and entry.image is not None:
        return entry, False  # no file was written
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, reason(error)) from error
    if entry is not None and entry.mask == digest_of(content)[:DIGITS]:
        return entry, False
    grey = grey_of(path)
    if not same_shape(grey.shape, size := size_of(item)):
        raise DataError(
            f"The mask {path} ({grey.shape[1]} x {grey.shape[0]}) does not have the shape of its image {item.path} "
            f"({size[1]} x {size[0]}).",
            todo="Remove it: it is made again then.",
        )
    coverage = float(grey.mean() / 255)
    kind, share = kind_of(coverage), round(coverage, ROUNDED)
    if entry is None:
        return MaskEntry(kind, share), False
    if entry.kind in ("not found", "unreadable") and kind == "empty":
        kind = entry.kind
    return replace(entry, kind=kind, coverage=share, score=None), entry.mask is not None


def grey_of(path: Path) -> np.ndarray:
    """A mask that was written, possibly mended by hand since, uint8 ``[H, W]``.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with decoded(path) as picture:
            picture.load()
            refuse_colours(picture, path)
            return np.array(picture.convert("L"))
    except (*DAMAGE, Refusal) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(f"The mask {path} cannot be read ({why}).", todo="Remove it: it is made again then.")
