"""A last look before training: class folders that seem to hold masks of other photographs, whatever they are called.

Names make the suspicion (folders that mirror each other, names that begin with those of others), pictures prove it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dapt.data.load.picture_files import DAMAGE, Refusal, opened
from dapt.data.masks.mask_look import SAMPLE, verdicts_of
from dapt.errors import DataError

MIRRORED = 0.9  # of the names of a folder are those of another
SURELY = 0.97  # of the pixels are black or white, which objects on white are not
LOOKED = 25  # classes, at most, with names of which some belong to others; data is of one kind
MOST = 40  # classes, each of which may be compared with each
_TAIL = re.compile(r"(?P<of>.+?)(?P<word>[-_. ][^-_. ]*[^-_. \d]|(?<=\d)[^-_. \d]+)")
_HEAD = re.compile(r"(?P<word>[^-_. \d]+[-_. ])(?P<of>.+)")
_TODO = "Move the masks out and name their folder with --masks; if they are photos, give their files other names."


def check_mask_classes(classes: Mapping[str, Sequence[str]], root: Path) -> None:
    """Refuse classes of masks (or of maps of depth), and classes in which some of the pictures are.

    Args:
        classes: paths of pictures relative to `root`, by class.

    Raises:
        DataError: naming what seems to be masks, and of what.
    """
    looked = 0
    for name, paths in classes.items():
        folders: dict[str, list[str]] = {}
        for path in paths:
            folders.setdefault(path.rpartition("/")[0], []).append(path)
        like = {folder: classes[last] for folder in folders if (last := folder.rpartition("/")[2]) in classes}
        for folder, others in like.items():
            if len(folders) > 1 and others is not paths:
                place = others[0].rpartition("/")[0]
                there = [path for path in others if path.startswith(f"{place}/")]
                _check_mirrors({place: there, folder: folders[folder]}, root)
                break
        if 1 < len(folders) <= LOOKED and looked < LOOKED:
            looked += 1
            _check_mirrors(folders, root)
        if looked < LOOKED:
            looked += _check_within(name, paths, root)
    _check_mirrors(classes, root)


def _check_within(name: str, paths: Sequence[str], root: Path) -> bool:
    """Refuse a class that holds pictures and their masks; whether it had to be looked at."""
    stems = {_stem(path): path for path in paths}
    looked = False
    for pattern in (_TAIL, _HEAD):
        groups: dict[str, dict[str, str]] = {}
        for stem, path in stems.items():
            inside, slash, last = stem.rpartition("/")
            match = pattern.fullmatch(last)
            if match:
                groups.setdefault(match["word"], {})[f"{inside}{slash}{match['of']}"] = path
        for word, masks in groups.items():
            photos = {of: stems[of] for of in masks if of in stems}
            for other, rest in groups.items():
                if other != word:
                    photos = {of: rest[of] for of in masks if of in rest} | photos
            if len(photos) < 2 or len(photos) < MIRRORED * len(masks):
                continue
            looked = True
            if _masks_of(list(masks.values()), list(photos.values()), root):
                raise DataError(
                    f"In the class folder {name}, {len(masks)} pictures look like masks or maps of others there "
                    f"({min(masks.values())}; all with '{word}' in their names).",
                    todo=_TODO,
                )
    return looked


def _check_mirrors(classes: Mapping[str, Sequence[str]], root: Path) -> None:
    if len(classes) > MOST:
        return
    stems = {name: {_inside(path, name) for path in paths} for name, paths in classes.items() if len(paths) > 1}
    mirrored = [name for name in stems if any(_mirror(stems[name], stems[other]) for other in stems if other != name)]
    if len(mirrored) < 2:
        return
    # one picture each, and all of the sample only where that one looks like a mask
    likely = [name for name in mirrored if _no_photos([root / classes[name][0]])]
    masks = [name for name in likely if _no_photos([root / path for path in classes[name]])]
    photos = [name for name in mirrored if name not in masks]
    if not masks or len(masks) < len(photos):
        return  # among several classes, one of drawings
    for mask in masks:
        for photo in photos:
            if _mirror(stems[mask], stems[photo]) and _same_sizes(classes[mask], classes[photo], mask, photo, root):
                raise DataError(
                    f"The folders {photo} and {mask} hold pictures of the same names and sizes, and those of "
                    f"{mask} look like masks or maps.",
                    todo=_TODO,
                )


def _mirror(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= MIRRORED * max(len(one), len(other))


def _same_sizes(masks: Sequence[str], photos: Sequence[str], mask: str, photo: str, root: Path) -> bool:
    there = {_inside(path, photo): path for path in photos}
    pairs = [(path, there[inside]) for path in masks if (inside := _inside(path, mask)) in there][:4]
    return all(_size(root / first) == _size(root / second) for first, second in pairs)


def _size(path: Path) -> tuple[int, int] | None:
    return _header(path)[0]


def _header(path: Path) -> tuple[tuple[int, int] | None, str]:
    try:
        with opened(path) as image:
            return image.size, image.mode
    except (*DAMAGE, Refusal):
        return None, ""


def _no_photos(paths: Sequence[Path]) -> bool:
    """Whether pictures look like masks, or all have numbers in place of colours, as maps of depth do."""
    modes = {_header(path)[1] for path in paths[:4]}
    if all(mode in ("I", "F") or mode.startswith("I;16") for mode in modes):
        return True
    verdicts = verdicts_of(paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE], most=SURELY)
    return bool(verdicts) and all(verdicts)


def _masks_of(names: Sequence[str], rest: Sequence[str], root: Path) -> bool:
    return _no_photos([root / path for path in names]) and not _no_photos([root / path for path in rest])


def _inside(path: str, name: str) -> str:
    """The path within the class folder, without its ending."""
    return _stem(path).rpartition(f"{name}/")[2]


def _stem(path: str) -> str:
    inside, slash, last = path.rpartition("/")
    return f"{inside}{slash}{last.rpartition('.')[0] or last}"
