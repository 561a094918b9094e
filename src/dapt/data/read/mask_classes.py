"""A last look before training: class folders that seem to hold masks of other photographs, whatever they are called.

Names make the suspicion (folders that mirror each other, names that begin with those of others), pictures prove it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from dapt.data.load.picture_files import DAMAGE, Refusal
from dapt.data.load.picture_files import opened as opened_picture
from dapt.data.masks.mask_look import look_like_masks
from dapt.errors import DataError

MIRRORED = 0.9  # of the names of a folder are those of another
HALF = 0.5  # of the pictures of a class, at least, have names that go on from others
MOST = 40  # classes, each of which may be compared with each
LONGEST = 24  # characters by which they go on
_TODO = "Move the masks out and name their folder with --masks; if they are photos, give their files other names."


def check_mask_classes(classes: Mapping[str, Sequence[str]], root: Path) -> None:
    """Refuse classes of masks, and classes half of which are masks.

    Args:
        classes: paths of pictures relative to `root`, by class.

    Raises:
        DataError: naming what seems to be masks, and of what.
    """
    for name, paths in classes.items():
        _check_within(name, paths, root)
    _check_mirrors(classes, root)


def _check_within(name: str, paths: Sequence[str], root: Path) -> None:
    ordered = sorted(paths, key=_stem)
    longer: list[str] = []
    shortest = ""
    for path in ordered:
        stem = _stem(path)
        begins = shortest and stem.startswith(shortest) and 0 < len(stem) - len(shortest) <= LONGEST
        if begins and not stem[len(shortest)].isdigit():
            longer.append(path)
        else:
            shortest = stem
    if len(longer) < HALF * len(paths) or len(longer) < 2:
        return
    rest = [path for path in paths if path not in set(longer)]
    groups: dict[str, list[str]] = {}
    for path in longer:
        groups.setdefault(_tail(path), []).append(path)
    for tail, names in groups.items():
        if len(names) > 1 and _masks_of(names, rest, root):
            raise DataError(
                f"In the class folder {name}, {len(names)} pictures look like masks of the others ({names[0]}, as all "
                f"names that end in '{tail}').",
                todo=_TODO,
            )


def _tail(path: str) -> str:
    stem = _stem(path)
    marks = [place for place, letter in enumerate(stem) if letter in "-_. "]
    return stem[marks[-1] :] if marks else ""


def _check_mirrors(classes: Mapping[str, Sequence[str]], root: Path) -> None:
    if len(classes) > MOST:
        return
    stems = {name: {_inside(path, name) for path in paths} for name, paths in classes.items() if len(paths) > 1}
    mirrored = [name for name in stems if any(_mirror(stems[name], stems[other]) for other in stems if other != name)]
    if len(mirrored) < 2:
        return
    # one picture each, and all of the sample only where that one looks like a mask
    likely = [name for name in mirrored if look_like_masks([root / classes[name][0]])]
    masks = [name for name in likely if look_like_masks([root / path for path in classes[name]])]
    photos = [name for name in mirrored if name not in masks]
    if not masks or len(masks) < len(photos):
        return  # among several classes, one of drawings
    for mask in masks:
        for photo in photos:
            if _mirror(stems[mask], stems[photo]) and _same_sizes(classes[mask], classes[photo], mask, photo, root):
                raise DataError(
                    f"The class folders {photo} and {mask} hold pictures of the same names and sizes, and those of "
                    f"{mask} look like masks.",
                    todo=_TODO,
                )


def _mirror(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= MIRRORED * max(len(one), len(other))


def _same_sizes(masks: Sequence[str], photos: Sequence[str], mask: str, photo: str, root: Path) -> bool:
    there = {_inside(path, photo): path for path in photos}
    pairs = [(path, there[inside]) for path in masks if (inside := _inside(path, mask)) in there][:4]
    return all(_size(root / first) == _size(root / second) for first, second in pairs)


def _size(path: Path) -> tuple[int, int] | None:
    try:
        with opened_picture(path) as image:
            picture: Image.Image = image
            return picture.size
    except (*DAMAGE, Refusal):
        return None


def _masks_of(names: Sequence[str], rest: Sequence[str], root: Path) -> bool:
    return look_like_masks([root / path for path in names]) and not look_like_masks([root / path for path in rest])


def _inside(path: str, name: str) -> str:
    """The path within the class folder, without its ending."""
    return _stem(path).rpartition(f"{name}/")[2]


def _stem(path: str) -> str:
    inside, slash, last = path.rpartition("/")
    return f"{inside}{slash}{last.rpartition('.')[0] or last}"
