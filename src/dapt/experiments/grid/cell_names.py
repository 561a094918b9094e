"""Names of the cells of a grid, which are the names of their folders."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.errors import ConfigError
from dapt.runs.run_names import data_name

LONGEST = 150  # letters; what does not fit is told by a hash


def named(cells: Sequence[Mapping[str, Any]], fixed: Mapping[str, Any]) -> list[str]:
    """A name for each cell, all different: data, protocol, method and DAPT, then what else distinguishes it.

    Args:
        cells: values by setting, of those that distinguish cells. fixed: those that all share.

    Raises:
        ConfigError: the values of two cells are written alike.
    """
    names = [_name({**fixed, **cell}, set(cell)) for cell in cells]
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in first:
            one, other = cells[first[name]], cells[place]
            differ = [key for key in {**one, **other} if one.get(key) != other.get(key)]
            raise ConfigError(
                f"Two cells would have the same folder, {name}: they differ in {', '.join(differ) or 'nothing'} only"
                + (f" ({one.get(differ[0])} and {other.get(differ[0])})." if differ else "."),
                todo="Give them different names: rename the folder, or run two experiments.",
            )
        first[name] = place
    return names


def _name(values: Mapping[str, Any], varying: set[str]) -> str:
    method = str(values.get("method", "maple"))
    dapt = values.get("dapt", False)
    if dapt:
        method += "+dapt" + ("" if dapt is True else f"-{_short(dapt)}")
        if "cue" in values and (dapt is True or "cue" in varying):
            method += f"-{_short(values['cue'])}"
    parts = [data_name(str(values["data"])), str(values.get("protocol") or ""), method]
    if values.get("select"):
        share = float(values.get("fraction", 1))
        whole = share == 1 and values.get("protocol")  # the protocol goes over the shares itself
        parts.append(str(values["select"]) + ("" if whole else f"-{100 * share:g}pct"))
    if "shots" in varying or not values.get("protocol"):
        parts.append(f"{values.get('shots', 16)}shot")
    told = ("data", "protocol", "method", "dapt", "cue", "select", "fraction", "shots", "seed")
    parts += [f"{key}={_short(values[key])}" for key in values if key in varying and key not in told]
    parts.append(f"seed{values.get('seed', 1)}")
    name = re.sub(r"[^A-Za-z0-9_.+=-]+", "_", "-".join(part for part in parts if part))
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={_short(part)}" if key != "variant" else _short(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(_short, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
