"""Data without splits, divided by the content of its images or as an earlier run divided it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dapt.data.contents import content_digests
from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.data.read.sides import TEST, TRAIN, VAL, Known, decide
from dapt.errors import DataError
from dapt.wording import counted, some

DIVIDED = "divided by the content of each image into about 50% train, 20% val and 30% test"
AS_BEFORE = "divided as in {run}; images that it does not know fill up 50% train, 20% val and 30% test of each class"
OLDER = "divided as in {run}; images that it does not know by their content"


@dataclass(frozen=True)
class Earlier:
    """How an earlier run divided its images.

    Attributes:
        run: as it is called in messages. by_content, by_name: the side of each image, by its checksum as far as it is
            noted, and by its name. deal: see `Known`.
    """

    run: str
    by_content: Mapping[str, str]
    by_name: Mapping[str, str]
    deal: bool = True


def divide_by_content(data: ImageSet, earlier: Earlier | None = None) -> ImageSet:
    """The data with each image on the side that its content decides, equal files on one side.

    Args:
        data: whose images were divided otherwise. earlier: decides for the images that it knows, by content, else by
            name.

    Raises:
        DataError: the earlier run knows none of the images.
    """
    items = sorted((item for part in data.splits.values() for item in part), key=lambda item: (item.label, item.name))
    digests = content_digests([item.path for item in items])
    contents = [digest or f"unread {item.name}" for digest, item in zip(digests, items, strict=True)]
    known = None if earlier is None else Known(_known_sides(earlier, items, contents, data), earlier.deal)
    sides = decide(_shown(items, contents, data.names), known)
    splits = {
        side: tuple(item for item, content in zip(items, contents, strict=True) if sides.of[content] == side)
        for side in (TRAIN, VAL, TEST)
    }
    by_name = {item.name: content for item, content in zip(items, contents, strict=True)}
    said = []
    if earlier is not None and earlier.deal:
        dealt = Counter(sides.of[content] for content in by_name.values() if content in set(sides.dealt))
        said.append(_said_of(earlier, len(items), dealt))
    if sides.moved:
        said.append(_said_of_moved([name for name, content in by_name.items() if content in set(sides.moved)]))
    words = DIVIDED if earlier is None else (AS_BEFORE if earlier.deal else OLDER).format(run=earlier.run)
    return replace(data, splits=splits, contents=by_name, division=words, guessed=(*data.guessed, *said))


def _shown(items: Sequence[Item], contents: Sequence[str], names: Sequence[str]) -> dict[str, frozenset[str]]:
    """The classes of each content."""
    found: dict[str, frozenset[str]] = {}
    for item, content in zip(items, contents, strict=True):
        labels = item.labels or ((item.label,) if item.label != UNLABELLED else ())
        found[content] = found.get(content, frozenset()) | {names[label] for label in labels}
    return found


def _known_sides(earlier: Earlier, items: Sequence[Item], contents: Sequence[str], data: ImageSet) -> dict[str, str]:
    """The sides of contents that the earlier run knows; of equal files under several names, training comes first."""
    found: dict[str, str] = {}
    for item, content in zip(items, contents, strict=True):
        sides = {earlier.by_content.get(content) or earlier.by_name.get(item.name), found.get(content)}
        side = next((each for each in (TRAIN, VAL, TEST) if each in sides), None)
        if side is not None:
            found[content] = side
    if not found and (earlier.by_content or earlier.by_name):
        raise DataError(
            f"The run in {earlier.run} knows none of the {counted(len(items), 'image')} of {data.name}.",
            todo="Name a run that was trained on this data.",
        )
    return found


def _said_of(earlier: Earlier, images: int, dealt: Counter[str]) -> str:
    new = sum(dealt.values())
    told = ", ".join(f"{dealt[side]} {side}" for side in (TRAIN, VAL, TEST))
    return f"{images - new:,} of {counted(images, 'image')} stay on the sides of {earlier.run}; {new:,} new: {told}"


def _said_of_moved(names: Sequence[str]) -> str:
    return (
        f"{counted(len(names), 'image')} of small classes changed sides, so that each class has one to train on and, "
        f"from two images on, one to test on ({some(names)}): these may change sides again when images come; "
        "--keep-split RUN keeps them where they are"
    )
