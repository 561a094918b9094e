"""The page of `dapt data check`: what was found, with the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import ImageOps

from dapt.console import progress
from dapt.data.check.check_data import CheckReport
from dapt.data.check.finding import SEVERITIES, Finding, class_of, count, used_images
from dapt.data.check.look import Look
from dapt.data.items import Item
from dapt.data.load.small import small_image
from dapt.environment import version
from dapt.errors import DataError
from dapt.files import make_folder
from dapt.report.pages import data_uri, write_page

MARK = 'name="generator" content="dapt data check"'  # in the page, by which it is known
SIDE = 160  # pixels of a picture on the page
GROUPS, OF_GROUP, TILES, NAMES, CLASSES = 24, 6, 36, 60, 300  # how many of each are shown
EXTREMES = 8
CLASS_KINDS = frozenset(
    "same_tokens alike number id prefix joined no_letters split_name copy_name spelled too_long one_class "
    "no_train no_train_images no_test_images no_test balance".split()
)
TITLES = {
    "leak": "Test images that are trained on",
    "leak_val": "Validation images in other splits",
    "two_labels": "One picture, two classes",
    "listed_twice": "Files listed twice",
    "copies": "Copies within a class",
    "near_splits": "Look the same, across splits",
    "near_classes": "Look the same, in different classes",
    "near_copies": "Look the same, in one class",
    "unreadable": "Unreadable files",
    "refused": "Files that are not read",
    "flat": "Pictures of one colour",
    "tiny": "Tiny pictures",
    "long": "Long pictures",
    "turned": "Turned by a tag",
    "grey": "Without colour",
    "same_tokens": "Classes that are the same to the model",
    "alike": "Class names that are almost the same",
    "number": "Numbers for names",
    "id": "Ids for names",
    "prefix": "Numbers or ids before names",
    "joined": "Words written together",
    "no_letters": "Names without letters",
    "split_name": "Classes called like folders",
    "copy_name": "Classes called like copies",
    "blanks": "Blanks within names",
    "spelled": "Letters the model hardly knows",
    "too_long": "Names that are too long",
    "one_class": "A single class",
    "no_train_images": "Classes without training images",
    "no_train": "No training images",
    "no_test_images": "Classes without test images",
    "no_test": "No test images",
    "balance": "Classes of different size",
}


def write_check_page(path: Path, report: CheckReport) -> None:
    """Write the page, whole or not at all.

    At most `GROUPS` groups and `TILES` single pictures are shown of each finding, and what is left out is counted.

    Raises:
        DaptError: the file system refuses.
    """
    make_folder(path.parent)
    shown = _Pictures(report)
    data = report.data
    numbers = [count(report.number(each), each) for each in SEVERITIES if report.number(each)]
    images = sum(map(len, data.splits.values()))
    content = {
        "name": data.name,
        "root": str(data.root),
        "lead": f"{', '.join(numbers) or 'Nothing'} found in {count(images, 'image')} of "
        f"{count(len(data.names), 'class', 'classes')}.",
        "good": report.good,
        "official": report.official,
        "facts": _facts(report),
        "findings": [
            _finding(one, shown)
            for one in progress(report.findings, len(report.findings), "drawing the page", "findings")
        ],
        "balance": _balance(report),
        "extremes": _extremes(report.looks, shown),
        "version": version(),
    }
    write_page(path, "check.html.j2", content)


class _Pictures:
    """Small pictures of the images, by name."""

    def __init__(self, report: CheckReport) -> None:
        self._names = report.data.names
        self._looks = report.looks
        self._items: dict[str, Item] = {}
        self._splits: dict[str, list[str]] = {}
        for item, split in used_images(report.data):
            self._items.setdefault(item.name, item)
            self._splits.setdefault(item.name, []).append(split)
        self._made: dict[str, str] = {}

    def tile(self, name: str) -> dict[str, str]:
        """What the template shows of an image."""
        item, look = self._items[name], self._looks.get(name)
        size = f"{look.width} × {look.height}" if look is not None and look.width else ""
        return {
            "name": name,
            "src": self._source(name, item),
            "split": " + ".join(dict.fromkeys(self._splits[name])),
            "class": class_of(item, self._names),
            "size": size,
            "problem": look.problem.replace(str(item.path), "").strip() if look is not None else "",
        }

    def _source(self, name: str, item: Item) -> str:
        if name not in self._made:
            look = self._looks.get(name)
            self._made[name] = "" if look is None or look.problem else _drawn(item.path)
        return self._made[name]


def _drawn(path: Path) -> str:
    """A small picture as an address; empty where it is not there any more."""
    try:
        picture = small_image(path, SIDE).picture
    except DataError:
        return ""
    return data_uri(ImageOps.contain(picture, (SIDE, SIDE)) if max(picture.size) > SIDE else picture)


def _facts(report: CheckReport) -> list[tuple[str, str]]:
    data = report.data
    facts = [("layout", data.layout)] if data.layout else []
    facts += [(split, count(len(data.split(split)), "image")) for split in report.splits]
    if report.sizes:
        low, high = report.sizes["smallest"], report.sizes["largest"]
        facts.append(("smallest", f"{low[0]} × {low[1]} pixels"))
        facts.append(("median", f"{report.sizes['median_width']:g} × {report.sizes['median_height']:g} pixels"))
        facts.append(("largest", f"{high[0]} × {high[1]} pixels"))
        facts.append(("kinds", ", ".join(f"{kind} {number:,}" for kind, number in report.sizes["kinds"].items())))
    facts += [("guessed", sentence) for sentence in data.guessed]
    facts += [("unused", f"{count(len(names), 'file')}: {reason}") for reason, names in data.unused.items()]
    return facts


def _finding(finding: Finding, shown: _Pictures) -> dict[str, Any]:
    pictured = finding.kind not in CLASS_KINDS
    names = finding.names
    content: dict[str, Any] = {
        "kind": finding.kind,
        "severity": finding.severity,
        "title": TITLES.get(finding.kind, finding.kind.replace("_", " ")),
        "what": finding.what,
        "todo": finding.todo,
        "groups": [],
        "tiles": [],
        "names": [],
        "more": "",
    }
    if pictured and finding.groups:
        content["groups"] = [
            {
                "tiles": [shown.tile(name) for name in group[:OF_GROUP]],
                "more": f"and {len(group) - OF_GROUP:,} more" if len(group) > OF_GROUP else "",
            }
            for group in finding.groups[:GROUPS]
        ]
        content["more"] = _left_out(len(finding.groups), GROUPS, "group")
    elif pictured:
        content["tiles"] = [shown.tile(name) for name in names[:TILES]]
        content["more"] = _left_out(len(names), TILES, "image")
    elif finding.kind == "balance":
        pass  # the bars show it
    elif finding.groups:
        content["names"] = [" = ".join(group) for group in finding.groups[:NAMES]]
        content["more"] = _left_out(len(finding.groups), NAMES, "group")
    else:
        content["names"] = list(names[:NAMES])
        content["more"] = _left_out(len(names), NAMES, "class", "classes")
    return content


def _left_out(number: int, shown: int, what: str, several: str = "") -> str:
    if number <= shown:
        return ""
    return f"{count(number - shown, what, several)} more; all are in the JSON file of --json."


def _balance(report: CheckReport) -> dict[str, Any]:
    """Bars of images per class and split, the largest class first."""
    per_class = report.per_class
    rows: list[dict[str, Any]] = [
        {"name": name, "numbers": {split: row[label] for split, row in per_class.items()}}
        for label, name in enumerate(report.data.names)
    ]
    most = max((sum(row["numbers"].values()) for row in rows), default=0) or 1
    for row in rows:
        row["total"] = sum(row["numbers"].values())
        row["bars"] = [
            {"split": split, "number": number, "percent": round(100 * number / most, 3)}
            for split, number in row["numbers"].items()
            if number
        ]
    rows.sort(key=lambda row: -row["total"])
    half = CLASSES // 2
    shown = rows if len(rows) <= CLASSES else [*rows[:half], *rows[-half:]]
    more = f"The {half} largest and the {half} smallest of {len(rows):,} classes." if len(rows) > CLASSES else ""
    return {"rows": shown, "splits": list(per_class), "more": more}


def _extremes(looks: Mapping[str, Look], shown: _Pictures) -> list[dict[str, Any]]:
    good: Sequence[tuple[str, Look]] = [(name, look) for name, look in looks.items() if look.width]
    by_area = sorted(good, key=lambda pair: (pair[1].width * pair[1].height, pair[0]))
    aspect = {name: max(look.width / look.height, look.height / look.width) for name, look in good}
    by_aspect = sorted(good, key=lambda pair: (-aspect[pair[0]], pair[0]))
    return [
        {"title": title, "tiles": [shown.tile(name) for name, _ in chosen[:EXTREMES]]}
        for title, chosen in (("The smallest", by_area), ("The longest for their width or height", by_aspect))
        if chosen
    ]
