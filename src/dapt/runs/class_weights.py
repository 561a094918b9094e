"""What the images of each class count in the classification loss, where classes have different numbers of them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.data.read.split_json import each_once
from dapt.errors import ConfigError, NotSupportedError, did_you_mean
from dapt.limits import LIST_BYTES
from dapt.regular import read_bytes, reason
from dapt.runs.run_data import RunData
from dapt.strict import nfc, shown
from dapt.wording import some
from dapt.yaml_text import parse_yaml

NONE, AUTO = "none", "auto"


def weights_file(config: RunConfig) -> Path | None:
    """The file that the weights of classes come from, if any."""
    return None if config.class_weights in (NONE, AUTO) else Path(config.class_weights)


def check_class_weights(config: RunConfig) -> None:
    """Refuse weights that no loss would read.

    Raises:
        NotSupportedError: the method learns without training steps, or without the cross-entropy of images.
    """
    if config.class_weights == NONE:
        return
    method = config.recipe
    if not method.trains or not any(kind.weighted for kind in method.load_objectives()):
        how = "has no training steps" if not method.trains else "learns without labels"
        raise NotSupportedError(
            f"{config.method} {how}, so weights of classes would change nothing.",
            todo="Leave --class-weights out, or use a method that learns by cross-entropy, such as maple or coop.",
        )


def with_class_weights(config: RunConfig, data: RunData) -> RunData:
    """The run's data with the weight of each class, of mean 1 over the training images.

    ``auto`` weighs a class by the inverse of its number of training images, as they are after sampling; classes of one
    size are not weighed.

    Raises:
        ConfigError: the file is damaged, or names a class that the data does not have.
        NotSupportedError: images may show several classes.
    """
    if config.class_weights == NONE:
        return data
    if data.source.multi_label:
        raise NotSupportedError(
            f"The images of {data.source.name} show several classes each, and weights are of one class per image.",
            todo="Leave --class-weights out.",
        )
    names, counts = data.train.names, Counter(data.train.labels)
    file = weights_file(config)
    if file is None:
        if len(set(counts.values())) == 1:
            say(f"class weights: none, as every class has {next(iter(counts.values()))} training images")
            return data
        raw = {name: 1 / counts[label] for label, name in enumerate(names) if counts[label]}
    else:
        given = read_weights(file, data.source.names)
        if absent := [name for name in names if name not in given]:
            say(f"{file} does not name {len(absent)} of {len(names)} classes ({some(absent)}), which count 1.")
        raw = {name: given.get(name, 1.0) for name in names}
    mean = sum(raw[names[label]] for label in data.train.labels) / len(data.train.labels)
    weights = {name: raw[name] / mean for name in names if name in raw}
    least, most = min(weights, key=lambda name: weights[name]), max(weights, key=lambda name: weights[name])
    say(f"class weights: from {weights[least]:.2f} ({least}) to {weights[most]:.2f} ({most})")
    return replace(data, class_weights=weights)


def read_weights(file: Path, names: tuple[str, ...]) -> dict[str, float]:
    """Weights by class name, from YAML or JSON.

    Args:
        names: of the classes that there are.

    Raises:
        ConfigError: there is no such file, it holds something else than positive numbers by class, or it names a class
            that there is not, or one twice.
    """
    found: dict[str, float] = {}
    for written, value in _tree(file).items():
        name = nfc(str(written)).replace("_", " ")
        if name not in names:
            raise ConfigError(f"{file} weighs '{name}', which is no class of the data.", todo=did_you_mean(name, names))
        if name in found:
            raise ConfigError(f"{file} weighs '{name}' twice.", todo="Name every class once.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
            raise ConfigError(
                f"{file}: the weight of '{name}' is {shown(value)}, not a positive number.",
                todo="To leave a class out, leave its images out.",
            )
        found[name] = float(value)
    if not found:
        warn(f"{file} names no class: all count the same.")
    return found


def _tree(file: Path) -> Mapping[Any, Any]:
    try:
        text = read_bytes(file, LIST_BYTES).decode()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The class weights {file} cannot be read: {reason(error)}.",
            todo="Give auto, none, or a YAML or JSON file with a number for each class name.",
        ) from error
    try:
        tree = json.loads(text, object_pairs_hook=each_once) if file.suffix == ".json" else parse_yaml(text, str(file))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The class weights {file} are not valid JSON: {error}.") from error
    tree = {} if tree is None else tree
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{file} must hold one weight for each class name, as in 'cat: 2'.")
    return tree
