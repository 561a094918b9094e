"""The quick check at the start of training: equal files among the images that a run uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dapt.data.check.copies import copies_of, copy_findings, equal_files, leaked
from dapt.data.check.finding import Finding, Used
from dapt.data.items import Item
from dapt.data.load.check_images import looks_whole
from dapt.data.load.images import open_image
from dapt.data.load.pixels import decoding
from dapt.errors import DataError


@dataclass(frozen=True)
class QuickCheck:
    """What was found in the images of a run.

    Attributes:
        findings: errors and warnings. leaks: names of the test images that are equal to training images.
    """

    findings: tuple[Finding, ...]
    leaks: tuple[str, ...]


def quick_check(splits: Mapping[str, Sequence[Item]], names: Sequence[str], *, official: bool) -> QuickCheck:
    """Compare the images that a run uses byte for byte.

    Equal files that are no images are left out: they are damaged, which is told elsewhere.

    Args:
        splits: items under ``train``, ``val`` and ``test``, with labels within `names`, all class names.
        official: see `dapt.data.check.check_data`.
    """
    images = [Used(item, split) for split, items in splits.items() for item in items]
    groups = equal_files([image.item.path for image in images])
    copies = copies_of(images, [group for group in groups if _is_picture(images[group[0]].item.path)])
    found = copy_findings(images, copies, names, official=official)
    return QuickCheck(tuple(finding for finding in found if finding.severity != "note"), tuple(leaked(images, copies)))


def _is_picture(path: Path) -> bool:
    if looks_whole(path):
        return True
    try:
        with decoding():
            open_image(path)
    except DataError:
        return False
    return True
