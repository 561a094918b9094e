"""The background audit of a protocol's run: what is asked, and what is kept of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.config import RunConfig
from dapt.console import warn
from dapt.evaluation.audit.variants import MIXED, ORIGINAL, OTHER, RAND
from dapt.results import Figures
from dapt.runs.audit_images import Question
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
