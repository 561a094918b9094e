"""What is wrong with the trackers of a run, before anything is trained."""

from __future__ import annotations

import importlib.util

from dapt.config import RunConfig
from dapt.errors import ConfigError, did_you_mean
from dapt.tracking.base import TRACKERS, Tracker
from dapt.validation import validated


def trackers_of(config: RunConfig) -> dict[str, Tracker]:
    """The trackers that a run asks for, by name, each with its options; none has begun.

    Raises:
        ConfigError: one is not known, not installed, named twice, or has an option that it does not know.
    """
    given = config.track_options.of_trackers
    for name, options in given.items():
        if name not in TRACKERS.names():
            known = [*type(config.track_options).model_fields, *TRACKERS.names()]
            raise ConfigError(f"There is no setting 'track_options.{name}'.", todo=did_you_mean(name, known))
        if not isinstance(options, dict):
            raise ConfigError(f"track_options.{name} is a section of keys and values.")
        validated(TRACKERS.get(name).options_type, options, f"track_options.{name}.")
    found: dict[str, Tracker] = {}
    for name in config.track:
        kind = TRACKERS.get(name)
        if name in found:
            raise ConfigError(f"The tracker {name} is named twice.", where="track", todo="Name it once.")
        if kind.package and not _is_there(kind.package):
            todo = f"Install it: pip install 'dapt[{kind.extra}]'." if kind.extra else f"Install {kind.package}."
            raise ConfigError(f"The tracker {name} needs {kind.package}, which is not installed.", todo=todo)
        found[name] = kind(validated(kind.options_type, given.get(name, {}), f"track_options.{name}."))
    return found


def _is_there(package: str) -> bool:
    """Whether a package can be imported; a folder of that name, as trackers leave them where they are called, is none.

    Packages without a file of their own are such folders.
    """
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None
