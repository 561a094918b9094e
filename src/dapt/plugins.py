"""Extensions: modules of others that register methods, objectives, cues, selectors, data sets or executors.

A file is loaded because somebody named it (``--plugin FILE``, the ``plugins`` of a configuration, `load_plugin`); the
module of an installed package because it declares an entry point in the group ``dapt.plugins``. Nothing is looked for
anywhere else. A module names its own classes as ``f"{__name__}:Class"``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dapt.console import warn
from dapt.errors import ConfigError, DaptError
from dapt.paths import with_home
from dapt.registry import registries

PREFIX = "dapt_plugin_"
GROUP = "dapt.plugins"


_copies: dict[Path, Path] = {}


def use_copy(file: Path | str, copy: Path) -> None:
    """Let `copy` be read wherever a plugin is named: on machines that do not have the file itself."""
    _copies[Path(with_home(str(file))).absolute()] = copy


def plugin_file(file: Path | str) -> Path:
    """Where the text of a plugin is: its file, or the copy that `use_copy` named."""
    path = Path(with_home(str(file))).absolute()
    return _copies.get(path, path)


def load_plugins(files: Iterable[str]) -> None:
    """Load those of installed packages and some files, see `load_installed` and `load_plugin`."""
    load_installed()
    for file in files:
        load_plugin(file)


def load_plugin(file: Path | str) -> None:
    """Import a Python file, once in a process, so that what it registers can be used.

    Raises:
        ConfigError: there is no such file, it cannot be imported, or it takes a name that is taken.
    """
    path = Path(with_home(str(file))).absolute()
    source = plugin_file(path)
    if not source.is_file():
        raise ConfigError(f"There is no plugin {path}.", where="--plugin or plugins", todo="Give a Python file.")
    name = module_name(path)
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, source)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file.", where="--plugin", todo="Give a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        _check_names()
    except BaseException as error:
        del sys.modules[name]
        for registry in registries():
            registry.withdraw(name)
        if isinstance(error, DaptError | KeyboardInterrupt):
            raise
        raise ConfigError(f"The plugin {path} cannot be loaded: {type(error).__name__}: {error}.") from error


def loaded_files() -> list[Path]:
    """The files that `load_plugin` has imported in this process, in that order."""
    return [
        Path(module.__file__) for name, module in sys.modules.items() if name.startswith(PREFIX) and module.__file__
    ]


@cache
def load_installed() -> None:
    """Import the modules that installed packages declare, once in a process; one that cannot be imported is told."""
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            point.load()
            _check_names()
        except Exception as error:  # of somebody else's package
            warn(f"The extension {point.name} ({_origin(point)}) cannot be loaded: {type(error).__name__}: {error}.")


def installed_plugins() -> dict[str, str]:
    """The extensions of installed packages, by name: the package and its version."""
    return {point.name: _origin(point) for point in importlib.metadata.entry_points(group=GROUP)}


def _origin(point: importlib.metadata.EntryPoint) -> str:
    return point.value if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _check_names() -> None:
    """Refuse names of dapt's own; registries that nobody has used yet are looked through for it."""
    for registry in registries():
        registry.check()


def module_name(path: Path) -> str:
    """Under which a file is imported: the same in every process."""
    path = path.resolve()
    place = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"{PREFIX}{path.stem}_{place}"
