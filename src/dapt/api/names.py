"""What there is, by name: methods, cues, selectors, data sets; those of plugins that are installed or loaded, too."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from dapt.plugins import load_installed
from dapt.registry import Registry


def list_methods(pattern: str | None = None) -> list[str]:
    """The names of all methods, sorted; `pattern` is shell-style, such as ``"*src*"`` or ``"maple*"``."""
    from dapt.methods.base import METHODS

    return _matching(METHODS, pattern)


def list_cues(pattern: str | None = None) -> list[str]:
    """The names of all sources of foreground masks, sorted; `pattern` as for `list_methods`."""
    from dapt.cues.base import CUES

    return _matching(CUES, pattern)


def list_selectors(pattern: str | None = None) -> list[str]:
    """The names of all coreset selectors, sorted; `pattern` as for `list_methods`."""
    from dapt.selection.base import SELECTORS

    return _matching(SELECTORS, pattern)


def list_data(pattern: str | None = None) -> list[str]:
    """The names of all data sets of the catalog, sorted; `pattern` as for `list_methods`."""
    from dapt.data.catalog.base import CATALOG

    return _matching(CATALOG, pattern)


def _matching(registry: Registry[Any], pattern: str | None) -> list[str]:
    load_installed()
    return [name for name in registry.names() if pattern is None or fnmatchcase(name, pattern)]
