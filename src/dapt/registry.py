"""A registry of named things, filled by the files of one package.

A new method, cue or prompt architecture is one new file in its package: the file registers itself when it
is imported, and every module of the package is imported the first time a name is looked up.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from dapt.errors import ConfigError, did_you_mean
from dapt.strict import shown

T = TypeVar("T")

_REGISTRIES: list[Registry[Any]] = []


def registries() -> list[Registry[Any]]:
    """All registries that there are in this process so far."""
    return list(_REGISTRIES)


_REGISTERS = re.compile(r"""^@[A-Z]+\.register\(["']([^"']+)["']\)""", re.MULTILINE)


def _module_in_import() -> str:
    """The module whose top-level code is running, innermost; empty outside of imports."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__", ""))


def registered_in(package: str) -> list[str]:
    """The names that the files of a package register by decorator, sorted; read from their text, nothing is imported.

    For packages that import torch, where only the names are wanted (in the help of a command, say). The files are read
    once in a process.
    """
    return list(_registered_in(package))


@cache
def _registered_in(package: str) -> tuple[str, ...]:
    spec = importlib.util.find_spec(package)
    folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec is not None else []
    texts = (path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.py"))
    return tuple(sorted(name for text in texts for name in _REGISTERS.findall(text)))


class Registry(Generic[T]):
    """Names to values of type `T`.

    Args:
        kind: what the values are called in messages, for example ``"method"``.
        package: dotted name of the package whose modules register themselves.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._values: dict[str, T] = {}
        self._discovered = self._discovering = False
        self._taken: list[str] = []
        self._origins: dict[str, str] = {}
        _REGISTRIES.append(self)

    def add(self, name: str, value: T, *, overwrite: bool = False) -> T:
        """Register `value` under `name`.

        Raises:
            ValueError: the name is taken and `overwrite` is false.
        """
        if name in self._values and not overwrite:
            if not self._discovering:
                raise ValueError(f"{self.kind} '{name}' is registered twice")
            self._taken.append(name)  # by an extension, before this package was looked through: its own value stays
        self._values[name] = value
        self._origins[name] = _module_in_import()
        return value

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator form of `add`."""
        return lambda value: self.add(name, value)

    def get(self, name: str) -> T:
        """The value called `name`.

        Raises:
            ConfigError: there is none; the message names the closest one.
        """
        self._discover()
        if not isinstance(name, str):  # read from a file
            raise ConfigError(f"The name of a {self.kind} is text, here it is {shown(name)}.")
        if name not in self._values:
            known = did_you_mean(name, self._values)
            raise ConfigError(f"There is no {self.kind} {shown(name)}.", todo=known)
        return self._values[name]

    def names(self) -> list[str]:
        """All registered names, sorted."""
        self._discover()
        return sorted(self._values)

    def withdraw(self, module: str) -> None:
        """Forget what a module has registered."""
        for name in [name for name, origin in self._origins.items() if origin == module]:
            del self._origins[name]
            self._values.pop(name, None)

    def check(self) -> None:
        """Refuse extensions that have taken names of the package's own.

        Raises:
            ValueError: naming the first.
        """
        self._discover()
        if self._taken:
            raise ValueError(f"{self.kind} '{self._taken.pop()}' is one of dapt's own")

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = self._discovering = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        self._discovering = False
