"""What a run looks at before it trains: equal files among its images, its classes and their names.

Test images that are equal to training images stop it, unless that is allowed or the split is a published one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dapt.clip.tokens import Tokenizer
from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.data.catalog.base import CATALOG
from dapt.data.check.class_names import name_findings
from dapt.data.check.classes import class_findings
from dapt.data.check.finding import Finding
from dapt.data.check.quick import quick_check
from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages
from dapt.errors import DataError

KEPT_NAMES = 100  # of leaks, in results.json
CLASS_KINDS = frozenset(("one_class", "no_test_images", "balance"))  # the others are said or refused anyway


def look_at_images(config: RunConfig, data: ImageSet, parts: Mapping[str, LabelledImages]) -> dict[str, Any] | None:
    """Compare the images of a run byte for byte and count its classes; no image is decoded.

    Args:
        parts: ``train``, ``val``, ``test`` and, where classes are held back, ``novel``.

    Returns:
        what results.json says of test images that are equal to training images, None where there are none.

    Raises:
        DataError: there are some, neither `allow_leaks` is set nor is the data set one of the catalog.
    """
    official = config.data in CATALOG.names()
    splits = _as_listed(data, parts)
    found = quick_check(splits, data.names, official=official)
    _tell(finding for finding in found.findings if finding.kind != "leak")
    if not official:
        same_names = {name: part.items for name, part in parts.items() if part.names == parts["train"].names}
        _tell(each for each in class_findings(same_names, parts["train"].names) if each.kind in CLASS_KINDS)
    if not found.leaks:
        if not found.findings:
            say(f"quick check: no image is there twice among the {sum(map(len, splits.values()))} of this run")
        return None
    leak = next(finding for finding in found.findings if finding.kind == "leak")
    if not official and not config.allow_leaks:
        raise DataError(
            leak.what,
            todo=f"Remove them ('dapt data check {config.data}' lists all), or pass --allow-leaks to go on, which "
            "results.json will say.",
        )
    warn(f"{leak.what} {leak.todo if official else 'They are tested on, because leaks are allowed.'}")
    return {
        "test_images": len(found.leaks),
        "allowed_by": "published split" if official else "allow_leaks",
        "first_names": list(found.leaks[:KEPT_NAMES]),
    }


def look_at_names(config: RunConfig, data: ImageSet, tokenizer: Tokenizer) -> None:
    """Warn of class names that the backbone cannot tell apart or does not know; those too long are refused later."""
    found = name_findings(data.names, tokenizer, official=config.data in CATALOG.names())
    _tell(finding for finding in found if finding.severity == "warning")


def _as_listed(data: ImageSet, parts: Mapping[str, LabelledImages]) -> dict[str, list[Item]]:
    """The images of the parts with the labels of the data set: parts have labels of their own."""
    used: dict[str, set[str]] = {}
    for name, part in parts.items():
        used.setdefault("test" if name == "novel" else name, set()).update(item.name for item in part.items)
    return {split: [item for item in data.split(split) if item.name in names] for split, names in used.items()}


def _tell(findings: Iterable[Finding]) -> None:
    for finding in findings:
        warn(f"{finding.what} {finding.todo}".strip())
