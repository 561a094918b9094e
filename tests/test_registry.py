"""Registries: filled by the files of one package, the first time a name is looked up."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.registry import Registry, registered_in, registries

NUMBERS = itertools.count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a package with these files; its registry is `PARTS` in the package itself."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write(**files: str) -> str:
        name = f"registry_test_{next(NUMBERS)}"
        made.append(name)
        (tmp_path / name).mkdir()
        head = f"from dapt.registry import Registry\nPARTS = Registry('part', '{name}')\n"
        (tmp_path / name / "__init__.py").write_text(head)
        for file, text in files.items():
            (tmp_path / name / f"{file}.py").write_text(f"from {name} import PARTS\n{text}")
        return name

    yield write
    for name in [module for module in sys.modules if module.partition(".")[0] in made]:
        del sys.modules[name]


def parts_of(name: str) -> Registry[object]:
    return __import__(name).PARTS


def test_files_register_when_a_name_is_looked_up_first(package: Callable[..., str]) -> None:
    name = package(wheel="PARTS.add('wheel', 4)\n", door="@PARTS.register('door')\nclass Door: pass\n")
    parts = parts_of(name)
    assert f"{name}.wheel" not in sys.modules
    assert parts.names() == ["door", "wheel"]
    assert parts.get("wheel") == 4
    assert parts.get("door") is sys.modules[f"{name}.door"].Door
    assert parts in registries()


def test_unknown_names(package: Callable[..., str]) -> None:
    parts = parts_of(package(wheel="PARTS.add('wheel', 4)\n"))
    with pytest.raises(ConfigError, match=r"There is no part 'wheels'\.\nDid you mean 'wheel'\?"):
        parts.get("wheels")
    with pytest.raises(ConfigError, match="The name of a part is text, here it is"):
        parts.get(["wheel"])  # type: ignore[arg-type]


def test_a_name_is_taken_once(package: Callable[..., str]) -> None:
    parts = parts_of(package())
    parts.add("x", 1)
    with pytest.raises(ValueError, match="part 'x' is registered twice"):
        parts.add("x", 2)
    assert parts.get("x") == 1
    assert parts.add("x", 3, overwrite=True) == 3
    assert parts.get("x") == 3
    parts.check()


def test_an_extension_that_came_first_takes_no_name_of_the_package(package: Callable[..., str]) -> None:
    parts = parts_of(package(wheel="PARTS.add('wheel', 4)\n"))
    parts.add("wheel", "mine")
    parts.add("sail", "mine, too")
    with pytest.raises(ValueError, match="part 'wheel' is one of dapt's own"):
        parts.check()
    assert parts.get("wheel") == 4
    assert parts.names() == ["sail", "wheel"]


def test_a_file_that_fails_is_no_empty_registry(package: Callable[..., str]) -> None:
    parts = parts_of(package(bad="raise ImportError('broken file')\n"))
    with pytest.raises(ImportError, match="broken file"):
        parts.names()


def test_names_are_read_without_importing(package: Callable[..., str]) -> None:
    name = package(
        b="@PARTS.register('wheel')\nclass W: pass\nraise RuntimeError('imported')\n",
        a='@PARTS.register("door")\ndef d(): pass\n',
        c="PARTS.add('added', 1)\n# @PARTS.register('comment')\n"
        "def f():\n    @PARTS.register('inner')\n    class X: pass\n",
    )
    assert registered_in(name) == ["door", "wheel"]
    assert name not in sys.modules
    assert registered_in("no_such_package_at_all") == []
    assert registered_in("json.decoder") == []  # a module is no package


def test_what_is_read_is_what_is_registered() -> None:
    from dapt.cues.base import CUES
    from dapt.selection.base import SELECTORS

    for registry in (CUES, SELECTORS):
        own = {name for name in registry.names() if registry.get(name).__module__.startswith("dapt.")}
        assert own
        assert set(registered_in(registry.package)) == own
