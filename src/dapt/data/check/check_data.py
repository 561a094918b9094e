"""`dapt data check`: all checks of a data set, and what they found as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.clip.tokens import Tokenizer
from dapt.console import lines_of
from dapt.data.check.class_names import name_findings
from dapt.data.check.classes import class_findings, images_per_class
from dapt.data.check.copies import copies_of, copy_findings, equal
from dapt.data.check.finding import SEVERITIES, SPLITS, Finding, Severity, Used, count, used_images
from dapt.data.check.look import Look
from dapt.data.check.near import near_findings, near_groups
from dapt.data.check.pictures import picture_findings, size_summary
from dapt.data.check.scan import scan
from dapt.data.items import ImageSet, Item
from dapt.wording import some

SCHEMA = 1
KEYS = {"schema", "data", "findings", "per_class"}  # of the JSON file, by which it is known


@dataclass(frozen=True)
class CheckReport:
    """What was found.

    Attributes:
        data: the data set. official: its split is a published one. findings: the worst first.
        looks: at the images that are there, by name. sizes: see `size_summary`.
        per_class: images of each class, by split, in the order of the labels.
    """

    data: ImageSet
    official: bool
    findings: tuple[Finding, ...]
    looks: Mapping[str, Look] = field(default_factory=dict)
    sizes: Mapping[str, Any] = field(default_factory=dict)
    per_class: Mapping[str, list[int]] = field(default_factory=dict)

    def number(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def splits(self) -> list[str]:
        """The splits that have images, in their usual order."""
        order = dict.fromkeys((*SPLITS, *self.data.splits))
        return [split for split in order if self.data.split(split)]

    @property
    def good(self) -> bool:
        """Whether nothing is an error."""
        return not self.number("error")

    def as_json(self) -> dict[str, Any]:
        """The report as plain values, with all names."""
        return {
            "schema": SCHEMA,
            "good": self.good,
            "data": self.data.name,
            "root": str(self.data.root),
            "official_split": self.official,
            "layout": self.data.layout,
            "guessed": list(self.data.guessed),
            "unused": {reason: list(names) for reason, names in self.data.unused.items()},
            "classes": list(self.data.names),
            "per_class": {split: list(row) for split, row in self.per_class.items()},
            "sizes": dict(self.sizes),
            "findings": [finding.as_json() for finding in self.findings],
        }


def check_data(
    data: ImageSet, tokenizer: Tokenizer | None = None, *, official: bool = False, cache: Path | None = None
) -> CheckReport:
    """Look at everything: class names, splits, copies, near copies, every picture.

    Args:
        tokenizer: of the model that is to read the class names; None: only what their letters tell.
        official: the split is the published one of a data set of the catalog: its copies are no error.
        cache: file in which looks at images are kept; None: nothing is kept.
    """
    images = used_images(data)
    paths = list(dict.fromkeys(image.item.path for image in images))
    looked = dict(zip(paths, scan(paths, cache), strict=True))
    looks = [looked[image.item.path] for image in images]
    once = {image.item.path: image.item.name for image in images}
    groups = equal(range(len(images)), [None if look.problem else look.digest for look in looks])
    found = [
        *copy_findings(images, copies_of(images, groups), data.names, official=official),
        *name_findings(data.names, tokenizer, official=official),
        *class_findings(data.splits, data.names, official=official),
        *_near(images, looks, official),
        *picture_findings([once[path] for path in paths], [looked[path] for path in paths]),
    ]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckReport(
        data,
        official,
        tuple(found),
        {image.item.name: look for image, look in zip(images, looks, strict=True)},
        size_summary(list(looked.values())),
        images_per_class(_in_order(data), len(data.names)),
    )


def _in_order(data: ImageSet) -> dict[str, tuple[Item, ...]]:
    """The splits in their usual order."""
    return {split: data.split(split) for split in dict.fromkeys((*SPLITS, *data.splits))}


def _near(images: Sequence[Used], looks: Sequence[Look], official: bool) -> list[Finding]:
    """Pictures that look the same; of those with the same bytes, which are told of already, one stands for all."""
    first: dict[str, int] = {}
    for place, look in enumerate(looks):
        if not look.problem:
            first.setdefault(look.digest, place)
    chosen = list(first.values())
    groups = near_groups([looks[place] for place in chosen])
    return near_findings(images, [tuple(chosen[place] for place in group) for group in groups], official=official)


def describe(report: CheckReport) -> str:
    """The report as text, with the names in it as `dapt.console.visible` shows them."""
    data = report.data
    lines = [f"{data.name}: {data.root}"]
    if data.layout:
        lines.append(f"  layout   {data.layout}")
    shown = [f"{split} {len(data.split(split)):,}" for split in report.splits]
    lines.append(f"  classes  {len(data.names):,}")
    lines.append(f"  images   {', '.join(shown) or 'none'}")
    if report.sizes:
        low, high = report.sizes["smallest"], report.sizes["largest"]
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in report.sizes["kinds"].items())
        lines.append(f"  sizes    {low[0]} x {low[1]} to {high[0]} x {high[1]} pixels; {kinds}")
    lines += [
        f"  unused   {count(len(names), 'file')}: {reason} ({some(names)})" for reason, names in data.unused.items()
    ]
    lines += [f"  guessed  {sentence}" for sentence in data.guessed]
    for finding in report.findings:
        lines.append(f"  {finding.severity}: {finding.what}")
        if finding.todo and finding.severity != "note":
            lines.append(f"    {finding.todo}")
    numbers = [count(report.number(each), each) for each in SEVERITIES if report.number(each)]
    remarks = bool(data.guessed or data.unused)
    nothing = "No errors and no warnings; see the remarks above." if remarks else "Nothing was found."
    lines.append(f"Found: {', '.join(numbers)}." if numbers else nothing)
    return lines_of(lines)
