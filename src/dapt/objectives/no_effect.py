"""Settings of DAPT that are taken, and change nothing in a run: what is to be said of them."""

from __future__ import annotations

from dapt.config import DaptOptions
from dapt.objectives.disentangle import Disentangle

FARTHEST = 2.0  # that two features of unit length can be apart


def without_effect(dapt: Disentangle, epochs: int) -> list[str]:
    """One sentence for each setting that changes nothing in a training of so many epochs.

    Args:
        dapt: the terms of the run, whose background words are chosen where ``dapt.words=auto`` chooses them.
    """
    options = dapt.options
    active = {name for epoch in range(epochs) for name in dapt.active(epoch, epochs)}
    told = []
    if options.schedule != "phased" and options.switch != DaptOptions.model_fields["switch"].default:
        told.append(
            f"dapt.switch={options.switch:g} changes nothing: dapt.variant={options.variant} has no switch; phased and "
            "released have."
        )
    if "L_b" in active and not options.chooses_words and len(options.used_words) == 1:
        told.append(
            f"L_b teaches nothing: there is one background word ({options.used_words[0]}), so that every background is "
            "right. Give two or more with dapt.words, or dapt.background_weight=0."
        )
    if "L_v" in active and options.margin_kind == "absolute" and options.margin > FARTHEST:
        told.append(
            f"dapt.margin={options.margin:g} is more than two features of unit length can be apart ({FARTHEST:g}): "
            f"L_v never lets go, as with any margin above {FARTHEST:g}. Choose a smaller one."
        )
    return told
