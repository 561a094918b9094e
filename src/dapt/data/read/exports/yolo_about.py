"""What the YAML or text files of a YOLO export say of all its photographs: names of classes, splits, kind of lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dapt.data.read.decoding import decode
from dapt.data.read.split_names import split_of
from dapt.data.read.tree import Tree
from dapt.errors import DataError
from dapt.limits import MIB
from dapt.regular import read_bytes, reason

NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "labels.txt")
MOST_NAMES = 50_000  # of classes; ImageNet has 21,841


@dataclass
class About:
    """What is said of all photographs.

    Attributes:
        file: it stands in; empty if there is none. names: the classes by number, empty where a line is blank.
        places: the files and folders that hold the photographs of a split, as they are written there.
        keypoints: the lines are boxes with key points behind them.
    """

    file: str = ""
    names: list[str] = field(default_factory=list)
    places: dict[str, list[str]] = field(default_factory=dict)
    keypoints: bool = False


def about(tree: Tree) -> About:
    """The first file with class names: a YAML file, else a text file, with the splits of Darknet's ``obj.data``."""
    others = sorted((name for name, _ in tree.others()), key=lambda name: (name.count("/"), name))
    for name in others:
        if name.lower().endswith((".yaml", ".yml")):
            found = _of_yaml(tree.top / name, name)
            if found.names:
                return found
    for name in others:
        if name.rpartition("/")[2].lower() in NAME_FILES or name.lower().endswith(".names"):
            lines = [line.strip() for line in text_of(tree.top / name, name).splitlines()]
            while lines and not lines[-1]:
                lines.pop()
            if lines:
                _check_number(len(lines), name)
                return About(name, lines, _of_darknet(tree, others))
    return About()


def text_of(path: Path, name: str) -> str:
    """The text of a small file, also in the encodings of Windows.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return decode(read_bytes(path, MIB))[0]
    except (OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read: {reason(error)}.", todo="Save it as UTF-8.") from error


def _of_yaml(path: Path, name: str) -> About:
    """What a YAML file says, read as plain text: ``no`` and ``on`` are names; empty if it is none."""
    try:
        top = yaml.compose(decode(read_bytes(path, MIB))[0], Loader=yaml.BaseLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return About()
    if not isinstance(top, yaml.MappingNode):
        return About()
    parts = {key.value: value for key, value in top.value if isinstance(key, yaml.ScalarNode)}
    places = {split: _texts(parts[key]) for key in parts if (split := split_of(key))}
    return About(name, _names(parts.get("names"), name), places, "kpt_shape" in parts)


def _names(node: yaml.Node | None, file: str) -> list[str]:
    if isinstance(node, yaml.MappingNode):
        pairs = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
        numbers = [str(number) for number in range(len(node.value))]
        rows = [pairs.get(number) for number in numbers]
    elif isinstance(node, yaml.SequenceNode):
        rows = list(node.value)
    else:
        return []
    _check_number(len(rows), file)
    names = [row.value for row in rows if isinstance(row, yaml.ScalarNode)]
    return names if len(names) == len(rows) else []


def _check_number(number: int, file: str) -> None:
    if number > MOST_NAMES:
        raise DataError(f"{file} names {number} classes; up to {MOST_NAMES} are read.")


def _texts(node: yaml.Node) -> list[str]:
    rows: Iterable[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return [row.value for row in rows if isinstance(row, yaml.ScalarNode) and row.value.strip()]


def _of_darknet(tree: Tree, others: Iterable[str]) -> dict[str, list[str]]:
    """The lists that Darknet's ``obj.data`` names."""
    found: dict[str, list[str]] = {}
    for name in others:
        if name.lower().endswith(".data"):
            for line in text_of(tree.top / name, name).splitlines():
                key, equals, value = line.partition("=")
                split = split_of(key.strip()) if equals else None
                if split and value.strip():
                    found.setdefault(split, []).append(value.strip())
            if found:
                return found
    return found
