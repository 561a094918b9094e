"""Checking what is given against a declared type, with complaints that name the closest key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dapt.errors import ConfigError, did_you_mean
from dapt.strict import kinds_of, readable, shown

M = TypeVar("M", bound=BaseModel)
_CLASS = re.compile(r"a valid dictionary or (an )?instance of \w+")


def validated(model: type[M], tree: Mapping[str, Any], prefix: str = "") -> M:
    """`tree` as a `model`; `prefix` stands before the keys in messages.

    Raises:
        ConfigError: unknown key, or a value of the wrong kind.
    """
    try:
        return model.model_validate(dict(tree))
    except ValidationError as error:
        raise _explain(error, model, prefix) from None


def known_options(model: type[BaseModel], options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the saved options that `model` has; a newer version may have saved more."""
    return {key: value for key, value in options.items() if key in model.model_fields}


def _explain(error: ValidationError, model: type[BaseModel], prefix: str) -> ConfigError:
    """Turn pydantic's first complaint into one sentence with the closest key."""
    first = error.errors()[0]
    path = [readable(str(part)) for part in first["loc"]]
    key = brief((prefix + ".".join(path)).rstrip("."))
    if first["type"] == "extra_forbidden":
        head, dot, inner = path[-1].partition(".")
        if dot and inner and len(path) == 1 and _is_section(model, head):
            return ConfigError(
                f"There is no setting '{key}': what is in a section is nested in it.",
                todo=f"Write it nested, {brief(_nested(path[-1]))}, or give --set {key}=VALUE.",
            )
        return ConfigError(f"There is no setting '{key}'.", todo=did_you_mean(path[-1], _keys(model, path[:-1])))
    if first["type"] == "missing":
        return ConfigError(f"The setting '{key}' is missing.")
    reason = brief(in_words(first["msg"]), 300)
    got = f" (got {shown(first['input'])})" if not isinstance(first["input"], (dict, BaseModel)) else ""
    return ConfigError(f"{key or 'The configuration'}: {reason.removesuffix('.')}{got}.")


def _is_section(model: type[BaseModel], name: str) -> bool:
    """Whether a field of a model holds settings of its own."""
    kinds = kinds_of(model.model_fields[name].annotation) if name in model.model_fields else set()
    return any(issubclass(kind, (dict, BaseModel)) for kind in kinds)


def _nested(dotted: str) -> str:
    """``a.b`` as ``a: {b: VALUE}``."""
    *sections, last = dotted.split(".")
    return "".join(f"{name}: {{" for name in sections) + f"{last}: VALUE" + "}" * len(sections)


def _keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    for name in path:
        inner = model.model_fields[name].annotation if name in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)


def brief(text: str, longest: int = 100) -> str:
    """A key or setting in a message, cut where it is long."""
    return readable(text if len(text) <= longest else text[: longest - 3] + "...")


def in_words(message: str) -> str:
    """A complaint of pydantic without the names of its classes and of ours."""
    return _CLASS.sub("a section of keys and values", message.removeprefix("Value error, "))
