"""What DAPT's settings are called, wherever runs are named: the variant, and what was changed of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from dapt.dapt_options import DEFAULT_VARIANT, DaptOptions
from dapt.dapt_variants import PRESETS, SCHEDULES

if TYPE_CHECKING:
    from dapt.config import RunConfig

SET_BY_VARIANTS = tuple(dict.fromkeys(key for preset in PRESETS.values() for key in preset))
NOT_TOLD = ("enabled", "variant", "chosen_words", "diagnose")  # the last two follow from others, or change nothing
SWITCHING = tuple(name for name, schedule in SCHEDULES.items() if schedule == "phased")
LISTED = 3  # items of a list


def run_title(config: RunConfig) -> str:
    """What a run is called: ``maple``, ``maple + DAPT (swap)``, ``maple + DAPT (swap, fill=mean)``."""
    return config.method + (f" + {dapt_name(config.dapt)}" if config.dapt.enabled else "")


def dapt_name(options: DaptOptions) -> str:
    """``DAPT (swap)``, or ``DAPT (swap, fill=mean)`` where a setting is another than the variant's."""
    return f"DAPT ({settings_name(options.model_dump(mode='json'))})"


def settings_name(given: Mapping[str, Any], *, only: Collection[str] | None = None) -> str:
    """The variant and what was changed of it, see `departures`: ``swap, fill=mean``."""
    return ", ".join([variant_of(given), *departures(given, only=only)])


def variant_of(given: Mapping[str, Any]) -> str:
    """The variant that options name, else the default one."""
    named = given.get("variant")
    return str(named) if _there(named) and named else DEFAULT_VARIANT


def departures(given: Mapping[str, Any], *, only: Collection[str] | None = None) -> list[str]:
    """The options that have another value than the variant alone gives them, as ``fill=mean``.

    Args:
        given: options by name, as files and tables of runs have them: there lists are JSON texts, and older runs lack
            some options, which are passed over. only: look at these alone.

    Returns:
        in the order of the options; none where the variant is not known here. A switch of a variant that has none is
        not told: it changes nothing.
    """
    variant = variant_of(given)
    if variant not in SCHEDULES:
        return []
    usual = dict(_usual(variant))
    if variant not in SWITCHING:
        del usual["switch"]
    if given.get("views") == "attention":
        usual["fill"] = "mean"  # it hides no pixels
    told = []
    for name, value in usual.items():
        own = given.get(name)
        if name in NOT_TOLD or not _there(own) or (only is not None and name not in only):
            continue
        if isinstance(value, list) and isinstance(own, str) and own.startswith("["):
            own = json.loads(own)
        if own != value:
            told.append(f"{name}={_shown(own)}")
    return told


def _there(value: Any) -> bool:
    return value is not None and value == value  # tables have NaN for what is not there


@cache
def _usual(variant: str) -> Mapping[str, Any]:
    return DaptOptions.model_validate({"enabled": True, "variant": variant}).model_dump(mode="json")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return beginning(value, LISTED)
    return f"{value:g}" if isinstance(value, float) else str(value)


def beginning(values: Sequence[Any], most: int) -> str:
    """A list as it is told where it may be long: ``[ground, land, ... 32 in all]``."""
    more = f", ... {len(values)} in all" if len(values) > most else ""
    return f"[{', '.join(map(str, values[:most]))}{more}]"
