"""A search: Optuna proposes settings, each is a run whose test images are not opened, the best is written down."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from dapt.config import make_config
from dapt.console import say, warn
from dapt.errors import ConfigError, DaptError
from dapt.experiments.run_all import told
from dapt.experiments.tuning.space import Choice, Range, Space
from dapt.files import read_json, write_bytes, write_json
from dapt.lock import FolderLock

STUDY, BEST = "study.json", "best.yaml"
OBJECTIVE = "val/accuracy"
SEEDS = 1_000_003  # apart from each other, one per trial


def search(tree: Mapping[str, Any], space: Space, out: Path, trials: int) -> dict[str, Any]:
    """Carry out trials until there are `trials` of them, one after the other; finished ones are kept.

    Proposals depend on the seed, the number of the trial and the figures before it, so a search that was stopped goes
    on as it would have.

    Args:
        tree: the settings that all trials share. space: what is searched. out: folder of the study.

    Returns:
        the content of study.json.

    Raises:
        DaptError: Optuna is not installed, the folder holds another search, or no trial has succeeded.
    """
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError(
            "dapt tune needs Optuna, which is not installed.", todo="Install it: pip install 'dapt[tune]'."
        )
    config = make_config(tree)
    if config.model_selection == "best_test":
        raise ConfigError("A search never looks at test images, which model_selection=best_test does.")
    if not config.recipe.trains:
        raise ConfigError(f"{config.method} trains nothing, so there is nothing to search.")
    about = {"settings": dict(tree), "space": {key: _plain(each) for key, each in space.items()}}
    with FolderLock(out):
        done = _done(out / STUDY, about)
        for number in range(len(done), trials):
            values = _proposed(space, done, config.seed, number)
            say(f"trial {number + 1}/{trials}: {', '.join(f'{key}={value}' for key, value in values.items())}")
            done.append({"number": number, "values": values, **_tried(tree, values, out / f"trial-{number:04d}")})
            write_json(out / STUDY, {**about, "trials": done})
        found = {**about, "trials": done}
        best = max(
            (trial for trial in done if trial["accuracy"] is not None), key=lambda each: each["accuracy"], default=None
        )
        if best is None:
            raise DaptError(f"None of the {len(done)} trials has succeeded.", where=str(out / STUDY))
        text = yaml.safe_dump(with_values(tree, best["values"]), sort_keys=False, allow_unicode=True)
        write_bytes(out / BEST, text.encode())
    failed = sum(trial["accuracy"] is None for trial in done)
    if failed:
        warn(f"{failed} of the {len(done)} trials failed; {STUDY} says why.")
    say(
        f"best of {len(done)} trials on the validation images: {best['accuracy']:.2f} (trial {best['number'] + 1}); no "
        f"test image was opened. Train and test it with: dapt train --config {out / BEST}"
    )
    return found


def with_values(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with some of them, by dotted keys, at other values."""
    found = deepcopy(dict(tree))
    for key, value in values.items():
        node = found
        *sections, last = key.split(".")
        for name in sections:
            inner = node.get(name)
            node[name] = {"enabled": inner} if isinstance(inner, bool) else dict(inner or {})
            node = node[name]
        node[last] = value
    return found


def _plain(each: Range | Choice) -> Any:
    return list(each.values) if isinstance(each, Choice) else {"low": each.low, "high": each.high, "log": each.log}


def _done(file: Path, about: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    before = read_json(file)
    if {key: before.get(key) for key in about} != about:
        raise ConfigError(f"{file} is of a search with other settings.", todo="Choose another --out.")
    return list(before["trials"])


def _proposed(space: Space, done: list[dict[str, Any]], seed: int, number: int) -> dict[str, Any]:
    """The values of a trial, by the tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011)."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kinds: dict[str, Any] = {
        key: optuna.distributions.CategoricalDistribution(each.values)
        if isinstance(each, Choice)
        else optuna.distributions.FloatDistribution(each.low, each.high, log=each.log)
        for key, each in space.items()
    }
    sampler = optuna.samplers.TPESampler(seed=(seed * SEEDS + number) % 2**32)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in done:
        if trial["accuracy"] is not None:
            past = optuna.trial.create_trial(params=trial["values"], distributions=kinds, value=trial["accuracy"])
            study.add_trial(past)
    return dict(study.ask(kinds).params)


def _tried(tree: Mapping[str, Any], values: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """What has become of a trial: its accuracy on the validation images, or why there is none."""
    from dapt.runs.train import run_training

    try:
        config = make_config({**with_values(tree, values), "out": str(out)})
        results = run_training(config, resume=True, validation_only=True)
    except DaptError as error:
        warn(f"this trial failed: {told(error)}")
        return {"accuracy": None, "error": told(error)}
    return {"accuracy": results.metrics[OBJECTIVE], "error": None}
