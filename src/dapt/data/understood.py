"""What was understood of the data: layout, classes with their images by split, and every file that is not used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dapt.console import say, warn
from dapt.data.items import UNLABELLED, ImageSet
from dapt.data.read.beside import ORPHANS
from dapt.data.read.divide import DIVIDED
from dapt.data.read.exports.find import READ
from dapt.data.read.layout import LOOSE, OUTSIDE
from dapt.data.read.tree import LINKS, UNREAD

SPLITS = ("train", "val", "test")
SHOWN_CLASSES = 30
TOTAL = "all images"  # the last row
FIRST = 10  # classes that are shown where there are more
SHOWN_NAMES = 2
PHOTOS = (*UNREAD, LOOSE, OUTSIDE, LINKS, ORPHANS)  # reasons not to use what may well be a photograph

_said: set[tuple[str, str, int, tuple[str, ...]]] = set()


def class_counts(data: ImageSet) -> dict[str, dict[str, int]]:
    """Images by class name and split, in the order of labels; those that show several classes count for each.

    Names that several classes share have their label behind them. Images of no class stand under ``(no class)``.
    """
    splits = [split for split in SPLITS if split in data.splits]
    counts = {split: Counter[int]() for split in splits}
    for split in splits:
        for item in data.split(split):
            counts[split].update(item.labels or (item.label,))
    shared = data.shared_names
    names = [f"{name} {label}" if name in shared else name for label, name in enumerate(data.names)]
    rows = {name: {split: counts[split][label] for split in splits} for label, name in enumerate(names)}
    if any(counts[split][UNLABELLED] for split in splits):
        rows["(no class)"] = {split: counts[split][UNLABELLED] for split in splits}
    return rows


def layout_words(data: ImageSet) -> str:
    """The layout in words, with the way in which the images were divided, if dapt did that."""
    return ", ".join(filter(None, (data.layout, data.division or DIVIDED if data.divided else "")))


def lines(data: ImageSet, *, every: bool = False) -> list[str]:
    """The table as lines of text.

    Args:
        every: show all classes, however many.
    """
    splits = [split for split in SPLITS if split in data.splits]
    found = [f"{data.root}: {layout_words(data)}".removesuffix(": ")]
    rows = list(class_counts(data).items())
    shown = rows if every or len(rows) <= SHOWN_CLASSES else rows[:FIRST]
    width = max([len(TOTAL), *(min(len(name), 40) for name, _ in shown)])
    found.append(f"  {'class':{width}}  " + "  ".join(f"{split:>6}" for split in splits))
    for name, counts in shown:
        short = name if len(name) <= 40 else f"{name[:37]}..."
        found.append(f"  {short:{width}}  " + "  ".join(f"{counts[split]:>6,}" for split in splits))
    if len(shown) < len(rows):
        sizes = {name: sum(counts.values()) for name, counts in rows}
        least, most = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
        each = "1 image" if sizes[least] == 1 else f"{sizes[least]:,} images"
        span = (
            f"of {each} each" if sizes[least] == sizes[most] else f"of {each}, '{least}', to {sizes[most]:,}, '{most}'"
        )
        found.append(f"  and {len(rows) - len(shown)} more classes ({span}); 'dapt data verify' shows all")
    total = {split: len(data.split(split)) for split in splits}
    found.append(f"  {TOTAL:{width}}  " + "  ".join(f"{total[split]:>6,}" for split in splits))
    return [*found, *(f"  {line}" for line in other_lines(data)), *(f"  {line}" for line in data.guessed)]


def other_lines(data: ImageSet) -> list[str]:
    """One line per reason for which files are no images in use."""
    return [
        f"{'read' if reason == READ else 'not used'}: {unused_line(reason, names)}"
        for reason, names in data.unused.items()
    ]


def unused_line(reason: str, names: Sequence[str]) -> str:
    """Files that are not used: their number, the reason, the first names."""
    more = f", and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"{len(names):,} {'file' if len(names) == 1 else 'files'}, {reason} ({', '.join(names[:SHOWN_NAMES])}{more})"


def say_understood(data: ImageSet) -> None:
    """Say the table, once in a process for the same data; warn of photographs that are not used."""
    key = (str(data.root), data.name, sum(map(len, data.splits.values())), data.guessed)
    if key in _said:
        return
    _said.add(key)
    for line in lines(data):
        say(line)
    for reason, names in data.unused.items():
        if reason in PHOTOS:
            warn(f"Not used: {unused_line(reason, names)}.")
