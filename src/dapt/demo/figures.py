"""From the runs of the demonstration to its figures: means and spread over the seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.data.items import Item
from dapt.demo.setting import DemoSettings, run_name
from dapt.errors import DataError
from dapt.results import RunResults

KINDS = ("zero_shot", "host", "dapt")
# What results.json holds for each of the three, in percent, and what tables call it.
MEASURES = {
    "test/accuracy": "accuracy",
    "test/accuracy_own": "own background",
    "test/worst_group": "exchanged background",
    "cue/foreground_attention": "attention on the object",
    "test/taken_for_background": "taken for the background",
}


def display_name(method: str) -> str:
    """A method's name as papers write it."""
    stem, _, rest = method.partition(".")
    known = {"maple": "MaPLe", "coop": "CoOp", "vpt": "VPT", "ivlp": "IVLP"}
    return known.get(stem, stem) + (f" ({rest})" if rest else "")


def titles(settings: DemoSettings) -> dict[str, str]:
    """What tables and charts call each of `KINDS`."""
    host = display_name(settings.host)
    return {"zero_shot": "zero-shot", "host": host, "dapt": f"{host} + DAPT"}


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n - 1; 0 for one value) over the seeds."""

    mean: float
    std: float
    values: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """Mean, spread and the values themselves."""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)
    return Spread(mean, math.sqrt(variance), tuple(values))


def names_of(kind: str, settings: DemoSettings) -> list[str]:
    """The runs of a kind, one per seed."""
    seeds = [1] if kind == "zero_shot" else range(1, settings.seeds + 1)
    return [run_name(kind, seed) for seed in seeds]


def taken_for_background(
    items: Sequence[Item], labels: Sequence[int], predicted: Sequence[int], homes: Sequence[str]
) -> float:
    """Share in percent of exchanged scenes that are taken for a class at home on the background shown.

    That is the mistake a model makes that looks at the background instead of the object.

    Args:
        items: test scenes. labels, predicted: their classes. homes: background of every class, by label.
    """
    chosen = [
        homes[guess] == dict(item.meta)["background"]
        for item, label, guess in zip(items, labels, predicted, strict=True)
        if item.group == "exchanged" and guess != label
    ]
    total = sum(item.group == "exchanged" for item in items)
    return 100.0 * sum(chosen) / max(total, 1)


def collect(
    runs: Mapping[str, RunResults], taken: Mapping[str, float], settings: DemoSettings
) -> dict[str, dict[str, Spread]]:
    """Every measure of zero-shot, host and host + DAPT over the seeds.

    Args:
        runs: results.json of each run by name. taken: `taken_for_background` of each run.
    """
    found: dict[str, dict[str, Spread]] = {}
    for kind in KINDS:
        rows = []
        for name in names_of(kind, settings):
            metrics, groups = runs[name].metrics, runs[name].per_group
            rows.append(
                {
                    "test/accuracy": metrics["test/accuracy"],
                    "test/accuracy_own": groups["own"],
                    "test/worst_group": groups["exchanged"],
                    "cue/foreground_attention": metrics["cue/foreground_attention"],
                    "test/taken_for_background": taken[name],
                }
            )
        found[kind] = {measure: spread([_known(row[measure], measure) for row in rows]) for measure in MEASURES}
    return found


def _known(value: float | None, measure: str) -> float:
    """A figure that every run of the demonstration has.

    Raises:
        DataError: the results of one have not.
    """
    if value is None:
        raise DataError(f"The results of a run have no figure {measure}.", todo="Start again with --overwrite.")
    return value


def results_tree(figures: Mapping[str, Mapping[str, Spread]], about: dict[str, Any]) -> dict[str, Any]:
    """The demonstration's results.json: the means by name, their spread and values beside them."""
    tree: dict[str, Any] = {"schema": 1}
    for kind, measures in figures.items():
        tree[kind] = {name: value.mean for name, value in measures.items()}
        tree[kind]["std"] = {name: value.std for name, value in measures.items()}
        tree[kind]["seeds"] = {name: list(value.values) for name, value in measures.items()}
    return {**tree, **about}


def headline(figures: Mapping[str, Mapping[str, Spread]], host: str) -> str:
    """One sentence with the measured figures, whichever way they fall."""
    start, before, after = (figures[kind] for kind in KINDS)
    exchanged = after["test/worst_group"].mean - before["test/worst_group"].mean
    looks = after["cue/foreground_attention"].mean - before["cue/foreground_attention"].mean
    return (
        f"On exchanged backgrounds {host} with DAPT gets {after['test/worst_group'].mean:.1f}% right, "
        f"{host} alone {before['test/worst_group'].mean:.1f}% ({exchanged:+.1f}; "
        f"without any training {start['test/worst_group'].mean:.1f}%). "
        f"With DAPT {after['cue/foreground_attention'].mean:.1f}% of the attention lies on the object instead of "
        f"{before['cue/foreground_attention'].mean:.1f}% ({looks:+.1f})."
    )


def curves(out: Path, settings: DemoSettings) -> dict[str, dict[str, list[list[float | None]]]]:
    """Per-epoch values of every loss term and the training accuracy: kind, then name, then one list per seed."""
    from dapt.runs.run_folder import RunFolder

    found: dict[str, dict[str, list[list[float | None]]]] = {}
    for kind in KINDS[1:]:
        for name in names_of(kind, settings):
            lines = RunFolder(out / name).read_metrics()
            keys = {key for line in lines for key in line if key.startswith("L_") or key == "train/accuracy"}
            for key in sorted(keys):
                found.setdefault(kind, {}).setdefault(key, []).append([line.get(key) for line in lines])
    return found
