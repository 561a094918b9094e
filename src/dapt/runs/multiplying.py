"""Which library multiplies in a run, by frozen weights on a CPU: settled once, noted, and kept on resume.

The libraries round differently, so all processes of a run, its resumes and what is later done with its model keep to
one of them, whatever a clock would say by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.clip.frozen import FrozenClip
from dapt.clip.linear_choice import Choice, choose, from_record
from dapt.config import RunConfig
from dapt.console import say
from dapt.runs.run_folder import RunFolder

NOTED = "linear"  # in inputs.json; not an input itself
AS_EVER = Choice(True, "default")  # of runs from before there was a choice


def settle(config: RunConfig, clip: FrozenClip, noted: Mapping[str, Any] | None = None) -> Choice | None:
    """Let one library multiply from here on; the log of a run says which, where a clock has decided.

    Args:
        noted: content of inputs.json of a run that goes on; None: it begins.

    Returns:
        None: there is no choice on this device, in this precision or for this model.
    """
    if not clip.has_a_choice:
        return None
    if noted is not None:
        choice = _as_noted(noted)
    elif config.onednn != "auto":
        choice = Choice(config.onednn == "on", "asked")
    else:
        choice = choose(clip.savings.products)
    if text := choice.sentence():
        say(text)
    clip.savings.choice = choice
    return choice


def settle_as(folder: RunFolder, clip: FrozenClip) -> None:
    """Let the library multiply with which a finished run was trained."""
    if clip.has_a_choice:
        clip.savings.choice = _as_noted(folder.earlier_inputs() if folder.inputs_file.is_file() else None)


def _as_noted(inputs: Any) -> Choice:
    """The choice in the content of inputs.json; runs from before there was one have none there."""
    return (from_record(inputs.get(NOTED)) if isinstance(inputs, Mapping) else None) or AS_EVER


def with_note(inputs: dict[str, Any], choice: Choice | None) -> dict[str, Any]:
    """The content of inputs.json with the choice in it."""
    return inputs if choice is None else {**inputs, NOTED: choice.record()}
