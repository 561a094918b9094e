"""The first line of a run: what is trained, on what, and by which steps."""

from __future__ import annotations

from dapt.config import RunConfig
from dapt.dapt_names import run_title
from dapt.model.prompted_clip import PromptedClip
from dapt.wording import counted


def headline(config: RunConfig, model: PromptedClip) -> str:
    """Method, backbone, size and device; epochs, batch and rate of methods that are trained in steps."""
    parts = [f"{model.prompts.count():,} trainable parameters", counted(len(model.names), "class", "classes")]
    if config.recipe.trains:
        parts += [counted(config.epochs, "epoch"), f"batch {config.batch_size}", f"lr {config.scaled_lr:g}"]
    else:
        parts.append("no training steps")
    return f"{run_title(config)} on {config.model}: {', '.join(parts)}, {model.clip.device}"
