"""The quick check at the start of training: equal files among the images that a run uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dapt.data.check.copies import copies_of, copy_findings, equal_files, leaked
from dapt.data.check.finding import Finding, Used
from dapt.data.items import Item


@dataclass(frozen=True)
class QuickCheck:
    """What was found in the images of a run.

    Attributes:
        findings: errors and warnings. leaks: names of the test images that are equal to training images.
    """

    findings: tuple[Finding, ...]
    leaks: tuple[str, ...]


def quick_check(splits: Mapping[str, Sequence[Item]], names: Sequence[str], *, official: bool) -> QuickCheck:
    """Compare the images that a run uses byte for byte; no image is decoded.

    Args:
        splits: items under ``train``, ``val`` and ``test``, with labels within `names`, all class names.
        official: see `dapt.data.check.check_data`.
    """
    images = [Used(item, split) for split, items in splits.items() for item in items]
    copies = copies_of(images, equal_files([image.item.path for image in images]))
    found = copy_findings(images, copies, names, official=official)
    return QuickCheck(tuple(finding for finding in found if finding.severity != "note"), tuple(leaked(images, copies)))
