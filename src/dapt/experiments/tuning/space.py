"""What a search goes over: ranges and choices by setting, as texts say them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dapt.config import RunConfig
from dapt.errors import ConfigError
from dapt.yaml_text import parse_yaml

AROUND = 10.0  # the learning rate is searched from a tenth to ten times the published one


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, evenly or, `log`, evenly in their logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]


Space = dict[str, Range | Choice]


def own_space(config: RunConfig) -> Space:
    """What is searched where nothing is said: the learning rate, and the weights and the margin of DAPT where it is on."""
    found: Space = {"lr": Range(config.lr / AROUND, config.lr * AROUND, log=True)}
    if config.dapt.enabled:
        found |= {
            "dapt.visual_weight": Range(0.1, 2.0),
            "dapt.foreground_weight": Range(0.01, 1.0, log=True),
            "dapt.background_weight": Range(0.05, 2.0, log=True),
            "dapt.margin": Range(0.5, 2.0),
            "dapt.variant": Choice(("phased", "joint")),
        }
    return found


def space_from(texts: Sequence[str]) -> Space:
    """What ``lr=1e-4..1e-1:log`` and ``prompt.n_ctx=2,4,8`` mean.

    Raises:
        ConfigError: a text means nothing of the kind, or a key is named twice.
    """
    found: Space = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not key or not value:
            raise _unclear(text)
        if key in found:
            raise ConfigError(f"--space names {key} twice.", todo="Keep one of them.")
        found[key] = _range(text, value) if ".." in value else _choice(text, value)
    return found


def _range(text: str, value: str) -> Range:
    bounds, colon, scale = value.partition(":")
    low, _, high = bounds.partition("..")
    try:
        found = Range(float(low), float(high), log=scale == "log")
    except ValueError:
        raise _unclear(text) from None
    if (colon and scale != "log") or not math.isfinite(found.low) or not math.isfinite(found.high):
        raise _unclear(text)
    if found.low >= found.high or (found.log and found.low <= 0):
        raise ConfigError(
            f"--space {text}: the lower end comes first, and above 0 where it goes by logarithm.",
            todo="Write, for example, lr=1e-4..1e-1:log.",
        )
    return found


def _choice(text: str, value: str) -> Choice:
    values = tuple(parse_yaml(each, f"The value in --space {text}") for each in value.split(","))
    if any(isinstance(each, list | dict) or each is None for each in values):
        raise _unclear(text)
    return Choice(values)


def _unclear(text: str) -> ConfigError:
    return ConfigError(
        f"--space {text} is neither KEY=LOW..HIGH nor KEY=a,b,c.",
        todo="Write, for example, lr=1e-4..1e-1:log or prompt.n_ctx=2,4,8.",
    )
