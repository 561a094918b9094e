"""The variants of DAPT by name: a schedule of its terms, and the settings that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Variant = Literal["phased", "joint", "ramp", "symmetric", "swap", "released"]
Schedule = Literal["phased", "joint", "ramp"]

# phased: L_v until the switch, then L_f and L_b. joint: all terms throughout. ramp: from L_v to L_f and L_b, gradually.
SCHEDULES: Mapping[Variant, Schedule] = {
    "phased": "phased",
    "joint": "joint",
    "ramp": "ramp",
    "symmetric": "joint",
    "swap": "joint",
    "released": "phased",
}

# What a variant sets unless it is given; all else is as in the released code.
_SYMMETRIC: Mapping[str, Any] = {"foreground_weight": 1.0, "foreground_gradient": True}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "symmetric": _SYMMETRIC,
    "swap": {**_SYMMETRIC, "fill": "exchange", "warmup": 0.3},
    "released": {"visual_scale": "raw"},
}


def with_preset(tree: Mapping[str, Any], default: Variant) -> dict[str, Any]:
    """DAPT's options as given, with what their variant sets where nothing is given.

    A variant that was not named gives way: views by attention hide no pixels, so the fill it would set is left out.

    Raises:
        ValueError: the variant that was named sets what other options rule out.
    """
    variant = tree.get("variant", default)
    preset = dict(PRESETS.get(variant, {})) if isinstance(variant, str) else {}
    if tree.get("views") == "attention" and "fill" in preset and "fill" not in tree:
        if "variant" in tree:
            raise ValueError(
                f"dapt.variant={variant} fills hidden pixels (it sets dapt.fill={preset['fill']}), and "
                "dapt.views=attention hides none: add dapt.fill=mean to have the rest of it, or leave dapt.views out"
            )
        del preset["fill"]
    return {**preset, **tree}
