"""The background audit of a protocol's run: what is asked, and what is kept of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dapt.config import RunConfig
from dapt.console import warn
from dapt.data.items import ImageSet
from dapt.data.load.check_images import check_images
from dapt.errors import DataError
from dapt.evaluation.audit.cutouts import SAMPLE, find_objects
from dapt.evaluation.audit.variants import MIXED, ORIGINAL, OTHER, RAND
from dapt.evenly import from_first_to_last
from dapt.results import Figures
from dapt.runs.audit_backgrounds import find_strangers
from dapt.runs.audit_cue import audit_cue
from dapt.runs.audit_images import Question, load_backgrounds
from dapt.runs.audit_run import SIDE
from dapt.wording import listing

GAP = "bg_gap"
SINGLE = (GAP, "changed", "lost")  # figures beside the accuracies
SHOWN = {f"audit/{ORIGINAL}": ORIGINAL, f"audit/{RAND}": RAND, f"audit/{OTHER}": OTHER, f"audit/{GAP}": "BG-gap"}


def question_of(run: RunConfig, backgrounds: str) -> Question:
    """What an audit asks of a run; its masks are read as the run reads them."""
    return Question(
        data=run.data,
        split="test",
        names=run.names,
        root=run.root,
        own_split=run.own_split,
        skip_bad=run.skip_bad,
        allow_leaks=run.allow_leaks,
        seed=run.seed,
        backgrounds=backgrounds or None,
        masks=run.masks,
        mask_format=run.mask_format,
        mask_name=run.mask_name,
        mask_background=run.mask_background,
    )


def check_lists(question: Question, data: ImageSet) -> ImageSet | None:
    """Whether there are masks at all, and other data if that was named; no image and no mask is read.

    Args:
        data: that is asked about.

    Returns:
        the other data; None where none is named.

    Raises:
        DaptError: see `audit_cue` and `load_backgrounds`.
    """
    lent = load_backgrounds(question)
    if question.masks is not None or not data.outlines:  # masks are drawn of outlines once they are needed
        audit_cue(question, data)
    return lent


def check_images_of(question: Question, data: ImageSet, lent: ImageSet | None) -> None:
    """Whether masks leave an object to ask about, and other data has a background to lend.

    A sample of the images is looked at, and all where it has less than two with one, since a background is exchanged
    between two; of the other data all are looked at that may lend, as one may be damaged.

    Args:
        data: that is asked about. lent: of `check_lists`.

    Raises:
        DataError: there is nothing to ask, or an image or mask is damaged.
    """
    find_strangers(question, lent, SIDE)
    if question.masks is None and data.outlines:
        return
    items = data.labelled("test")
    for part in (from_first_to_last(items, SAMPLE), items):  # all of them only where a sample does not tell
        good = check_images(part, skip_bad=question.skip_bad, label="checking images").good
        if question.masks is not None:  # a folder that was named goes before the data's own masks
            good = tuple(replace(item, mask=None) for item in good)
        found = len(find_objects(audit_cue(question, data), good, None, SIDE).kept) if good else 0
        if found > 1:
            return
    if not found or lent is None:
        raise DataError(
            f"{'One' if found else 'None'} of the {len(items)} test images of {data.name} has a mask of use, and a "
            "background audit exchanges backgrounds between images.",
            todo="Name other masks with --masks DIR, or data with more of them.",
        )


def audited(run: RunConfig, backgrounds: str, point: str) -> tuple[Figures, dict[str, Any]]:
    """How a run answers about its test images with other backgrounds. Made anew when a protocol is resumed.

    Args:
        backgrounds: see `AuditOf`. point: what the row is called.

    Returns:
        ``audit/<variant>``, in percent, and the gaps, None where no image serves for a figure, which is said; and what
        was asked, see `asked_of`.
    """
    from dapt.report.audit import audit_and_write

    question = question_of(run, backgrounds)
    record = audit_and_write([run.out or ""], question, device=run.device).record
    found = record["models"][0]
    values = {**found["accuracy"], **{key: found[key] for key in SINGLE if key in found}}
    figures = {f"audit/{key}": value["value"] for key, value in values.items()}
    wanted = [f"audit/{key}" for key in (*MIXED, *([OTHER] if backgrounds else []), *SINGLE)]
    figures |= {key: None for key in wanted if key not in figures}
    empty = [key.removeprefix("audit/") for key, value in figures.items() if value is None]
    if empty:
        warn(f"{point}: no image serves for {listing(empty)}, which {'is' if len(empty) == 1 else 'are'} left empty.")
    return {**figures, "audit/images": float(record["images"])}, asked_of(record)


def asked_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, of the record of an audit: split, seed of the mixtures, masks and other data that lent."""
    return {key: record[key] for key in ("split", "seed", "masks", "backgrounds")}


def guesses_of(asked: Mapping[str, Any]) -> str:
    """What stands beside the figures where masks are guesses; empty where they are not."""
    masks = asked.get("masks") or {}
    return f"Masks are guesses {masks['words']}." if masks.get("guessed") else ""
