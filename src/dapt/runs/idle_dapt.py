"""Runs with DAPT that equal their host, because none of its terms acts."""

from __future__ import annotations

from dapt.config import RunConfig
from dapt.cues.base import Cue
from dapt.objectives.disentangle import Disentangle
from dapt.training.step import TrainStep
from dapt.wording import listing

FLAG = "dapt_idle"  # of such runs, in results.json


def why_idle(config: RunConfig, step: TrainStep, cue: Cue | None) -> str | None:
    """One sentence if no term of DAPT acts in a run that has it; None where one does, or nothing is trained.

    Args:
        cue: of the run, once it has counted its masks.
    """
    dapt = next((part for part in step.objectives if isinstance(part, Disentangle)), None)
    if dapt is None or not config.epochs:
        return None
    if not dapt.acts(config.epochs):
        why = _why_not(dapt)
    elif cue is not None and cue.may_be_without and cue.report.without == cue.report.total:
        why = f"the cue {cue.name} gives no image a foreground mask"
    else:
        return None
    return f"No term of DAPT acts, so this run equals {config.method} without --dapt: {why}."


def _why_not(dapt: Disentangle) -> str:
    if dapt.weightless:
        several = len(dapt.weightless) > 1
        return f"the weight{'s' if several else ''} of {listing(dapt.weightless)} {'are' if several else 'is'} 0"
    return "all of them are left out" if len(dapt.left_out) == 3 else "its schedule gives them no epoch"
