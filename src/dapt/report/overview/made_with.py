"""Where runs were made, and the commands that make them again."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Any

from dapt.config import RunSettings
from dapt.report.overview.material import Material, Run
from dapt.report.overview.part import Part, PlainTable, cut
from dapt.report.tables.labels import there

COMMANDS = 100
# Settings with an option of their own; the others are given with --set.
OPTIONS = ("model", "method", "shots", "subset", "masks", "seed")
# What a command need not say: chosen by the machine, told otherwise, or changing no result.
PASSED_OVER = ("data", "out", "device", "workers", "cache_mb", "plugins", "dapt.enabled", "cue.source", *OPTIONS)


def environment(material: Material) -> Part:
    """Versions and machines, with how many runs had them."""
    part = Part("environment", "Where it was run")
    found: dict[str, Counter[str]] = {}
    for run in material.runs:
        for key, value in run.row.items():
            if key.startswith("environment/") and there(value):
                text = f"{value:g}" if isinstance(value, float) else str(value)
                found.setdefault(key.removeprefix("environment/"), Counter())[text] += 1
    total = len(material.runs)
    rows = [
        (
            key,
            ", ".join(text if number == total else f"{text} ({number} runs)" for text, number in values.most_common(8)),
        )
        for key, values in found.items()
    ]
    if not rows:
        part.missing = "no run says where it was made"
        return part
    part.tables.append(PlainTable("Environment", ("part", "of the runs"), rows))
    return part


def commands(material: Material) -> Part:
    """Commands that make the runs again, seeds of one setting together."""
    part = Part("commands", "Commands")
    groups = [runs for runs in material.by_setting.values() if any(there(run.row.get("set/method")) for run in runs)]
    if not groups:
        part.missing = "the runs do not hold their settings (run.yaml)"
        return part
    part.says.append(
        "Made from the settings in run.yaml; what is not named is the default of this version. "
        "dapt train --config RUN/run.yaml --out NEW repeats a single run exactly."
    )
    for runs in groups[:COMMANDS]:
        seeds = sorted({run.seed for run in runs})
        whole = {_without_seed(run) for run in runs}
        if len(whole) == 1 and len(seeds) > 1:
            command = shlex.join(command_of(settings_of(runs[0]), seed="SEED")).replace("SEED", '"$seed"')
            part.code.append(f"for seed in {' '.join(map(str, seeds))}; do {command}; done")
        else:
            part.code += [shlex.join(command_of(settings_of(run))) for run in runs]
    part.notes += cut(min(COMMANDS, len(groups)), len(groups), "settings")
    return part


def settings_of(run: Run) -> dict[str, Any]:
    """The settings of run.yaml with dots between sections; lists as JSON texts, see `dapt.results.result_rows`."""
    found = {
        key.removeprefix("set/"): value for key, value in run.row.items() if key.startswith("set/") and there(value)
    }
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in found.items()
    }


def command_of(settings: Mapping[str, Any], seed: str | None = None) -> list[str]:
    """The words of a command that trains with these settings.

    Args:
        seed: instead of that of the settings.
    """
    words = ["dapt", "train", str(settings.get("data", "DATA"))]
    for file in json.loads(settings["plugins"]) if isinstance(settings.get("plugins"), str) else ():
        words += ["--plugin", str(file)]
    for key in OPTIONS:
        value = seed if key == "seed" and seed is not None else settings.get(key)
        if value is not None and (key in ("method", "seed") or not _same(key, value)):
            words += [f"--{key}", str(value)]
    enabled = bool(settings.get("dapt.enabled"))
    if enabled:
        words += ["--dapt"]
        source = settings.get("cue.source")
        words += ["--cue", str(source)] if source and not _same("cue.source", source) else []
    for key, value in settings.items():
        of_dapt = key.startswith(("dapt.", "cue."))
        if key in PASSED_OVER or (of_dapt and not enabled) or _same(key, value):
            continue
        words += ["--set", f"{key}={value if not isinstance(value, bool) else str(value).lower()}"]
    return words


def _without_seed(run: Run) -> str:
    settings = {key: value for key, value in settings_of(run).items() if key not in ("seed", "out")}
    return json.dumps(settings, sort_keys=True, default=str)


def _same(key: str, value: Any) -> bool:
    """Whether a setting is its default; one that a method fills in itself is told."""
    default = _default(key)
    if default is None:
        return False
    if isinstance(default, int | float) and isinstance(value, int | float):
        return default == value  # 30 is 30.0
    return str(value) == (json.dumps(default) if isinstance(default, list) else str(default))


def _default(key: str) -> Any:
    """The default of a setting; None where it has none of its own."""
    tree: Any = _DEFAULTS
    for part in key.split("."):
        if not isinstance(tree, Mapping) or part not in tree:
            return None
        tree = tree[part]
    return tree


_DEFAULTS: dict[str, Any] = RunSettings(data="-").model_dump(mode="json")
