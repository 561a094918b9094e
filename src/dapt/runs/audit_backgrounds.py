"""Backgrounds of other data for an audit: of photographs that have nothing to do with the classes asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dapt.console import say, warn, warnings_of
from dapt.cues.build import AUTO
from dapt.data.check.finding import count
from dapt.data.items import ImageSet, Item
from dapt.data.load.check_images import check_images
from dapt.data.load.images import image_size
from dapt.errors import DataError
from dapt.evaluation.audit.cutouts import Cutout, all_background, find_objects, working_size
from dapt.evaluation.audit.donors import drawn
from dapt.paths import resolved
from dapt.runs.audit_cue import audit_cue
from dapt.runs.audit_images import Question

MOST = 1000  # photographs of the other data that are looked at


@dataclass(frozen=True)
class Strangers:
    """Photographs of other data.

    Attributes:
        items: those with a background to lend, of the other data. cutouts: the object of each, which is not lent.
        about: for the record: their data, how many there are, and whether they are lent whole, having no masks.
    """

    items: tuple[Item, ...] = ()
    cutouts: tuple[Cutout, ...] = ()
    about: Mapping[str, Any] | None = None


def find_strangers(question: Question, data: ImageSet | None, shorter: int, own: int = 0) -> Strangers:
    """At most `MOST` photographs of the other data, drawn by the seed, that have a background to lend.

    Where the other data has masks, photographs without one of use are left out, and what the masks show is not lent;
    where it has none, its photographs are lent whole.

    Args:
        data: the other data, see `load_backgrounds`; None: there is none. shorter: pixels of the shorter side of
            composites, at most. own: how many were left out as images of the data that is asked about, for the record.

    Raises:
        DataError: none of them can lend a background, or some are damaged.
    """
    if data is None:
        return Strangers()
    items = may_lend(data, question.seed)
    if len(items) > MOST:
        say(f"{data.name}: {MOST:,} of {count(len(items), 'photo')} may lend backgrounds, drawn by the seed.")
    with warnings_of(data.name):
        checked = check_images(items[:MOST], skip_bad=question.skip_bad, label="checking backgrounds")
    if not data.has_masks:
        say(f"{data.name} has no masks: its photographs are lent as backgrounds whole, with what is in them.")
        cutouts = [all_background(working_size(image_size(item.path), shorter)) for item in checked.good]
        kept = list(checked.good)
    else:
        kept, cutouts = _without_objects(question, data, checked.good, shorter)
    if not kept:
        raise DataError(
            f"None of the {count(len(checked.good), 'photo')} of {data.name} has a background to lend.",
            todo="Name other data with --backgrounds.",
        )
    about = {
        "data": data.name,
        "place": str(resolved(data.root)),
        "images": len(kept),
        "lent_whole": not data.has_masks,
        "of": len(items),
        "damaged": len(checked.bad),
        "own": own,
    }
    return Strangers(tuple(kept), tuple(cutouts), about)


def may_lend(data: ImageSet, seed: int) -> list[Item]:
    """All photographs of other data in the order in which they are drawn: the first `MOST` may lend backgrounds."""
    return sorted(data.chosen("all"), key=lambda item: drawn(seed, f"background|{item.name}", 2**63))


def _without_objects(
    question: Question, data: ImageSet, items: tuple[Item, ...], shorter: int
) -> tuple[list[Item], list[Cutout]]:
    """The photographs whose masks leave a background, and their cutouts; how many others there are is said.

    Raises:
        DataError: masks cannot be read, or not in their format; names the data.
    """
    asked = Question(question.backgrounds or "", cue=AUTO, skip_bad=question.skip_bad, seed=question.seed)
    try:
        with warnings_of(data.name):
            found = find_objects(audit_cue(asked, data), items, None, shorter)
    except DataError as error:
        raise DataError(
            f"The masks of {data.name}, which is to lend backgrounds, cannot be used: {error.what}",
            where="--backgrounds",
            more=error.more,
            todo="Mend those masks (--skip-bad passes over damaged ones), or name other data.",
        ) from error
    lends = [place for place, cutout in enumerate(found.found) if cutout.lends]
    masked, close = sum(map(len, found.left_out.values())), len(found.kept) - len(lends)
    if masked:
        warn(f"{data.name}: {count(masked, 'photo')} without a mask of use cannot lend a background.")
    if close:
        warn(f"{data.name}: {count(close, 'photo')} show too little beside the object to lend a background.")
    return [items[found.kept[place]] for place in lends], [found.found[place] for place in lends]
