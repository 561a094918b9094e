"""Putting what an import found together with the photographs that it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dapt.data.items import Item
from dapt.data.mask_imports.base import Annotated, Mark, Wanted
from dapt.data.mask_imports.photo_names import PhotoNames, may_be_one, path_key
from dapt.data.masks.rules import MaskRules
from dapt.wording import some


@dataclass
class Job:
    """A photograph and all that was found of it.

    Attributes:
        item: the photograph. marks: objects in it. files: its mask pictures. rules, wanted: of `Annotated`.
        called: names under which it was annotated. told_in: the files that have objects in it.
    """

    item: Item
    marks: list[Mark] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    rules: MaskRules = field(default_factory=MaskRules)
    wanted: Wanted | None = None
    called: list[str] = field(default_factory=list)
    told_in: set[str] = field(default_factory=set)


@dataclass
class MatchedPictures:
    """What belongs together.

    Attributes:
        jobs: by name of the photograph. unknown: names in the annotations that no photograph has.
        unclear: sentences on names that may be of several photographs, or photographs of several names.
        contrary: annotations with two names that are those of two photographs; the first name counts.
        loose: no folder of the annotations is one of the photographs, so file names alone decided.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    contrary: list[str] = field(default_factory=list)
    loose: bool = False


def match_pictures(pictures: Sequence[Annotated], items: Sequence[Item]) -> MatchedPictures:
    """Find the photograph of each picture; where folders contradict all along, by file names alone."""
    found = _matched(pictures, PhotoNames(items))
    if found.jobs or found.unclear:
        return found
    loose = _matched(pictures, PhotoNames(items, strict=False))
    loose.loose = bool(loose.jobs)
    return loose


def _matched(pictures: Sequence[Annotated], names: PhotoNames) -> MatchedPictures:
    found = MatchedPictures()
    for picture in pictures:
        items = names.match(picture.names, picture.near)
        name = picture.names[0]
        if not items:
            found.unknown.append(name)
        elif len(items) > 1:
            found.unclear.append(f"{name} may be {some([item.name for item in items])}")
        else:
            _add(found, items[0], picture)
            second = [] if picture.files else names.match(picture.names[1:], picture.near)
            if second and items[0] not in second:
                found.contrary.append(f"{picture.near}: taken for {items[0].name}, may be of {second[0].name}")
    for job in list(found.jobs.values()):
        keys = {path_key(name): name for name in job.called}
        first, *others = keys
        other = next((key for key in others if not may_be_one(first, key)), None)
        if other is not None:
            found.unclear.append(f"both {keys[first]} and {keys[other]} may be {job.item.name}")
            del found.jobs[job.item.name]
    return found


def _add(found: MatchedPictures, item: Item, picture: Annotated) -> None:
    job = found.jobs.setdefault(item.name, Job(item, rules=picture.rules, wanted=picture.wanted))
    job.marks.extend(picture.marks)
    job.files.extend(picture.files)
    if picture.marks:
        job.told_in.add(picture.near)
    if picture.names[0] not in job.called:
        job.called.append(picture.names[0])
