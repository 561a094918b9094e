"""Two finished runs side by side: settings, inputs and figures that differ, from the files of their folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dapt.errors import ConfigError, DaptError
from dapt.files import read_json
from dapt.results import RunResults
from dapt.results.result_rows import flat
from dapt.runs.run_folder import RunFolder, find_run, read_results
from dapt.runs.run_settings import FREE_KEYS
from dapt.wording import counted, some

# Figures that are better when lower.
LOWER = ("test/calibration_error",)
COSTS = ("timing/", "counts/trainable_parameters")
SHOWN = ("epoch", "loss", "train/accuracy", "val/accuracy")  # of the last epoch, beside the terms of the loss
NOT_CHOSEN = {*FREE_KEYS, "seed"} - {"device"}


@dataclass(frozen=True)
class Pair:
    """A value of both runs; None where one has none."""

    name: str
    first: Any
    second: Any

    @property
    def difference(self) -> float | None:
        """Of the second to the first, of numbers."""
        values = (self.first, self.second)
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            return None
        return float(self.second) - float(self.first)


@dataclass
class Comparison:
    """What two runs differ in.

    Attributes:
        runs: their folders. settings: that differ and decide results; free: the seed, and those that decide nothing.
        inputs: sentences on images, masks and weights. figures, classes: all, of both. ends: the loss, its terms and
            accuracies in the last epoch. costs: time, memory, parameters. environment: versions that differ.
        apart: why the same images were not tested; empty where they were.
    """

    runs: tuple[str, str]
    settings: list[Pair] = field(default_factory=list)
    free: list[Pair] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    figures: list[Pair] = field(default_factory=list)
    classes: list[Pair] = field(default_factory=list)
    ends: list[Pair] = field(default_factory=list)
    costs: list[Pair] = field(default_factory=list)
    environment: list[Pair] = field(default_factory=list)
    apart: str = ""


def compare_runs(first: str, second: str) -> Comparison:
    """Read two runs; nothing is computed.

    Raises:
        ConfigError: one of them is no finished run, or both are the same. DaptError: files are damaged.
    """
    one, two = find_run(first), find_run(second)
    if one.path.resolve() == two.path.resolve():
        raise ConfigError(f"Both are the run {one.path}.", todo="Name two runs.")
    results = read_results(one), read_results(two)
    settings = _pairs(*(flat(folder.config().model_dump(mode="json")) for folder in (one, two)))
    told = [pair for pair in settings if pair.first != pair.second]
    figures = _pairs(results[0].metrics, results[1].metrics)
    environment = _pairs(*(flat(dict(each.environment)) for each in results))
    costs = _pairs(*({**_prefixed(each.timing, "timing/"), **_prefixed(each.counts, "counts/")} for each in results))
    return Comparison(
        (str(one.path), str(two.path)),
        settings=[pair for pair in told if _top(pair.name) not in NOT_CHOSEN],
        free=[pair for pair in told if _top(pair.name) in NOT_CHOSEN and pair.name != "out"],
        inputs=_inputs(one, two),
        figures=[pair for pair in figures if (pair.first, pair.second) != (None, None)],
        classes=_classes(*results),
        ends=_pairs(_last_epoch(one), _last_epoch(two)),
        costs=[pair for pair in costs if pair.name.startswith(COSTS)],
        environment=[pair for pair in environment if pair.first != pair.second],
        apart=_apart(*results),
    )


def _top(name: str) -> str:
    return name.partition(".")[0]


def _prefixed(figures: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{key}": value for key, value in figures.items()}


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Pair]:
    return [Pair(key, first.get(key), second.get(key)) for key in dict.fromkeys([*first, *second])]


def _classes(first: RunResults, second: RunResults) -> list[Pair]:
    """Classes that both have, those that changed most first."""
    pairs = [pair for pair in _pairs(first.per_class, second.per_class) if pair.difference is not None]
    return sorted(pairs, key=lambda pair: -abs(pair.difference or 0.0))


def _apart(first: RunResults, second: RunResults) -> str:
    """Why two runs were not tested on the same images; empty where they may have been."""
    for what, one, two in (
        ("data", first.data, second.data),
        ("classes", first.subset, second.subset),
    ):
        if one != two:
            return f"their {what} differ ({one} and {two}), so figures and images cannot be compared one by one"
    return ""


def _last_epoch(folder: RunFolder) -> dict[str, Any]:
    """What metrics.jsonl holds of the last epoch; nothing where there were none."""
    try:
        lines = folder.metrics_file.read_text(encoding="utf-8").splitlines()
        last = json.loads(lines[-1]) if lines else {}
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in last.items() if key in SHOWN or key.startswith("L_")}


def _inputs(one: RunFolder, two: RunFolder) -> list[str]:
    """What is said of inputs.json: images, masks, weights and files by their content."""
    trees = []
    for folder in (one, two):
        try:
            tree = read_json(folder.inputs_file)
        except DaptError:
            return [f"{folder.path} does not hold what its inputs were."]
        trees.append(tree if isinstance(tree, dict) else {})
    said = []
    for key, word in (("images", "image"), ("masks", "mask file"), ("files", "file")):
        first, second = (tree[key] if isinstance(tree.get(key), dict) else {} for tree in trees)
        said += _named(word, first, second)
    if trees[0].get("weights") != trees[1].get("weights"):
        said.append("The weights of the backbones differ.")
    if trees[0].get("names") != trees[1].get("names"):
        said.append("The class names differ.")
    return said or ["The same images, masks and weights."]


def _named(word: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    said = []
    for where, only in (
        ("first", [name for name in first if name not in second]),
        ("second", [name for name in second if name not in first]),
    ):
        if only:
            said.append(f"{counted(len(only), word)} only in the {where} run ({some(sorted(only))}).")
    changed = sorted(name for name in first if name in second and json.dumps(first[name]) != json.dumps(second[name]))
    if changed:
        said.append(f"{counted(len(changed), word)} with other content ({some(changed)}).")
    return said
