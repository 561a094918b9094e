"""Reading YAML that may hold anything: plain values only, of a bounded size and depth."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from typing import Any, ClassVar

import yaml

from dapt.errors import ConfigError
from dapt.strict import readable

LONGEST = 2**18  # characters: a configuration has a few thousand
MOST = 100_000  # values, those that aliases repeat included
DEEPEST = 50  # levels
_TAG = "tag:yaml.org,2002:"


class _Refusing:
    """What makes a safe loader, which builds no objects, refuse what it would pass over in silence."""

    yaml_constructors: ClassVar = {
        tag: build
        for tag, build in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in ("null", "bool", "int", "float", "str", "seq", "map")
    }
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in known if tag != f"{_TAG}timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def get_single_node(self) -> Any:
        node = super().get_single_node()  # type: ignore[misc]
        if node is not None:
            _measure(node, 0, 0)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == f"{_TAG}merge":
                continue
            if key.tag != f"{_TAG}str":
                raise yaml.MarkedYAMLError(None, None, "keys must be text; put it in quotes", key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key '{key.value}' is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)  # type: ignore[misc,no-any-return]


class _Loader(_Refusing, yaml.SafeLoader):
    """It tells what is wrong, and where."""


_Quick: Any = type("_Quick", (_Refusing, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), {})
"""Ten times as fast where PyYAML was built with libyaml, but it says less of what is wrong."""


def _measure(node: Any, depth: int, count: int) -> int:
    """How many values there are under `node` and before it, an alias counted as what it stands for."""
    count += 1
    if depth > DEEPEST:
        raise yaml.MarkedYAMLError(None, None, f"nested more than {DEEPEST} levels deep", node.start_mark)
    if count > MOST:
        raise yaml.MarkedYAMLError(None, None, f"more than {MOST} values", node.start_mark)
    parts = node.value if isinstance(node.value, list) else ()
    for part in parts:
        for inner in part if isinstance(part, tuple) else (part,):
            count = _measure(inner, depth + 1, count)
    return count


def parse_yaml(text: str, where: str) -> Any:
    """The value that `text` holds: text, numbers, truth values, lists, and mappings whose keys are text.

    Args:
        where: what it is, for messages: "The value in --set ...", the name of a file.

    Raises:
        ConfigError: it is no YAML, too long or too deep, has too many values, names a key twice or one that is no text,
            or asks for objects.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"{where} is longer than {LONGEST} characters, so it is no configuration.")
    if "\t" not in text:  # which libyaml takes in more places
        with suppress(Exception):  # the other loader says what is wrong
            return yaml.load(text, _Quick)
    try:
        return yaml.load(text, _Loader)
    except RecursionError:
        raise ConfigError(f"{where} is not valid YAML: nested too deeply.") from None
    except Exception as error:  # numbers and tags that make no sense fail in many ways
        raise ConfigError(f"{where} is not valid YAML: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    """The problem and its place in one line."""
    problem = getattr(error, "problem", None) or next(iter(str(error).splitlines()), "") or type(error).__name__
    return readable(problem[:200]).rstrip(".") + _place(error)


def _place(error: Exception) -> str:
    """Where the mistake is: the parser may notice it lines later than it begins."""
    mark, begins = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return ""
    place = f"line {mark.line + 1}, column {mark.column + 1}"
    if begins is None or begins.line >= mark.line:
        return f" ({place})"
    begun = f"line {begins.line + 1}, column {begins.column + 1}"
    if getattr(error, "context", None) == "while scanning a simple key":  # noticed where the next line begins
        return f" ({begun})"
    return f" ({place}, in what begins at {begun})"
