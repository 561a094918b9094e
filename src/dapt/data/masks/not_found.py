"""Why no mask was found: what names were looked for, what the folder holds, and which names would fit."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dapt.data.items import Item
from dapt.data.masks.mask_files import MASK_TYPES, TABLES, tables_todo
from dapt.data.masks.mask_finder import COLLECTIONS, MaskFinder
from dapt.data.masks.rules import MaskRules
from dapt.data.masks.table_kinds import table_format
from dapt.errors import DaptError
from dapt.mask_pattern import filled

SAMPLE = 20
MOST_FILES = 50_000  # of a folder, to look for names that would fit
LABEL_STUDIO = re.compile(r"task-\d+-annotation-\d+-by-.*", re.DOTALL)
ARRAYS = (".npy", ".npz", ".mat", ".tfrecord", ".h5")
PYTHON = "from PIL import Image; Image.fromarray(array.astype('uint8')).save('0.png')"


def explain_not_found(items: Sequence[Item], folder: Path, rules: MaskRules) -> tuple[list[str], str]:
    """What to say where no image has a mask in a folder.

    Returns:
        lines on what was looked for and what is there, and what to do.
    """
    if not items:
        return [], "There are no images."
    files = _files_below(folder)
    return [f"{_looked_for(items[0], folder, rules)} {_holds(folder, files)}"], _way_out(items, folder, files, rules)


def _looked_for(item: Item, folder: Path, rules: MaskRules) -> str:
    if rules.name is not None:
        inside, parts = filled(rules.name, item.name)
        own = posixpath.dirname(item.name)
        places = dict.fromkeys((posixpath.join(own, inside, "*".join(parts)), posixpath.join(inside, "*".join(parts))))
        looked = " and ".join(places)
    elif rules.kind in COLLECTIONS:
        looked = f"{item.path.name}, or its name with another extension, at the longest end of its path"
    else:
        stem, _ = posixpath.splitext(item.name)
        looked = f"{stem}.png (or {', '.join(MASK_TYPES[1:])}) and {item.name}.png"
    return f"For the image {item.name} was looked for: {looked}."


def _files_below(folder: Path) -> list[str]:
    """Names of the files below a folder, relative to it; at most `MOST_FILES` of them."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        head = os.path.relpath(place, folder)
        found += [name if head == "." else posixpath.join(head, name) for name in sorted(names) if name[:1] != "."]
        if len(found) > MOST_FILES:
            break
    return found


def _holds(folder: Path, files: Sequence[str]) -> str:
    if not files:
        return f"{folder} holds no files."
    kinds = Counter(posixpath.splitext(name)[1].lower() or "no extension" for name in files)
    shown = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common(3))
    return f"{folder} holds {shown}; for example {', '.join(files[:2])}."


def _way_out(items: Sequence[Item], folder: Path, files: Sequence[str], rules: MaskRules) -> str:
    names = [posixpath.basename(name) for name in files]
    if pattern := fitting_pattern(items, folder, files, rules):
        share = _found(items, folder, replace(rules, name=pattern))
        return f"--mask-name '{pattern}' finds masks of {share} of {len(items)} images."
    if any(LABEL_STUDIO.fullmatch(name) for name in names):
        return (
            "These are names of Label Studio, with numbers of tasks in place of images: export as JSON, of which 'dapt "
            "masks import EXPORT.json --format label-studio --data PHOTOS --out FOLDER' makes mask files, or write a "
            "CSV index with the columns image, label and mask, which says whose mask each file is."
        )
    ends = Counter(posixpath.splitext(name)[1].lower() for name in names)
    most = ends.most_common(1)[0][0] if ends else ""
    if most in ARRAYS:
        return f"{most} files are not read: save each array as a PNG ({PYTHON})."
    tables = [folder / name for name in files if posixpath.splitext(name)[1].lower() in TABLES]
    known = next((table for table in tables[:SAMPLE] if table_format(table)), None)
    if known is not None or most in TABLES:
        return tables_todo(known or tables[0], folder)
    return (
        "Name the masks as their images, say how they are called with --mask-name (such as {stem}_mask.png), write a "
        "CSV index with a column mask, or use --cue border."
    )


def _found(items: Sequence[Item], folder: Path, rules: MaskRules) -> int:
    """How many of the images have a mask by these rules; 0 where two would share one."""
    try:
        finder = MaskFinder(folder, rules.kind, rules.name)
        finder.check(items)
        return sum(bool(finder.find(item)) for item in items)
    except DaptError:
        return 0


def fitting_pattern(items: Sequence[Item], folder: Path, files: Sequence[str], rules: MaskRules) -> str | None:
    """The ``--mask-name`` under which the masks of most images would be found, or None.

    Args:
        files: names of those in the folder, relative to it.
    """
    sample = items[:: max(1, len(items) // SAMPLE)][:SAMPLE]
    proposed: Counter[str] = Counter()
    for item in sample:
        proposed.update({pattern for file in files for pattern in _patterns(file, item)})
    often = [pattern for pattern, times in proposed.items() if 2 * times >= len(sample)]
    often.sort(key=lambda pattern: (-proposed[pattern], pattern.count("*"), len(pattern)))
    fitting = [each for each in often if 2 * _found(items, folder, replace(rules, name=each)) >= len(items)]
    if not fitting:
        return None
    several = [pattern for pattern in fitting if "*" in pattern]
    one_of_many = len(fitting) - len(several) > 1  # 1_obj0.png and 1_obj1.png of each image
    return several[0] if several and one_of_many else fitting[0]


def _patterns(file: str, item: Item) -> list[str]:
    """How a mask file could be called after an image: nothing, or a pattern and one with the rest of its name open."""
    head, name = posixpath.split(file)
    stem, suffix = posixpath.splitext(name)
    if suffix.lower() not in MASK_TYPES:
        return []
    own_head, own_name = posixpath.split(item.name)
    own_stem, parent = posixpath.splitext(own_name)[0], posixpath.basename(own_head)
    place = "name" if own_name in stem else "stem"
    whole = own_name if place == "name" else own_stem
    spot = _spot(stem, whole)
    if spot < 0:
        return []
    before, after = stem[:spot], stem[spot + len(whole) :]
    if parent and _spot(before, parent) >= 0:
        before = before.replace(parent, "{parent}", 1)
    elif parent and _spot(after, parent) >= 0:
        after = after.replace(parent, "{parent}", 1)
    folder = "" if head in ("", own_head) else head
    if parent and folder:
        folder = "/".join("{parent}" if part == parent else part for part in folder.split("/"))
    if not parent and "{" in before + after:
        return []
    patterns = [f"{before}{{{place}}}{after}{suffix}"]
    if any(letter.isdigit() for letter in after) or after.count("_") > 1:
        patterns.append(f"{before}{{{place}}}{after[:1]}*{suffix}")
    return [posixpath.join(folder, pattern) for pattern in patterns]


def _spot(text: str, part: str) -> int:
    """Where a part stands by itself in a text, not within a longer word or number; -1 if nowhere."""
    if not part:
        return -1
    found = re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", text)
    return found.start() if found else -1
