"""tests/ mirrors src/dapt: every module has a test file that a newcomer finds by its name.

The tests of ``src/dapt/ROOM/NAME.py`` are in ``tests/ROOM/test_NAME.py``, or, where that name is taken (pytest wants
it once in the whole tree), in ``tests/ROOM/test_ROOM_NAME.py``.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from helpers import REPOSITORY

SOURCE, TESTS = REPOSITORY / "src" / "dapt", REPOSITORY / "tests"
NO_MODULES = ("__init__", "__main__")

# Modules that are tested together: pattern of their paths to the file with tests of them all.
FAMILIES = {
    "methods/*.py": "methods/test_contract.py",
    "data/catalog/sets/*.py": "data/catalog/test_catalog_layouts.py",
    "selection/*.py": "selection/test_selectors.py",
    "objectives/clap.py": "objectives/test_terms_by_hand.py",
    "objectives/kgcoop.py": "objectives/test_terms_by_hand.py",
    "objectives/prograd.py": "objectives/test_terms_by_hand.py",
    "objectives/promptkd.py": "objectives/test_terms_by_hand.py",
    "objectives/promptsrc.py": "objectives/test_terms_by_hand.py",
    "demo/drawing/living.py": "demo/drawing/test_scenes.py",
    "demo/drawing/things.py": "demo/drawing/test_scenes.py",
    "experiments/protocols/*.py": "experiments/test_protocol_plans.py",
    "cues/base.py": "cues/test_cues.py",
    "demo/run.py": "e2e/test_demo.py",
    "streams.py": "e2e/test_streams.py",
}


def modules() -> list[str]:
    """All modules, by path under src/dapt."""
    paths = (path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*.py")) if path.stem not in NO_MODULES)
    return [path.as_posix() for path in paths]


def files() -> list[str]:
    """All test files, by path under tests."""
    return [path.relative_to(TESTS).as_posix() for path in sorted(TESTS.rglob("test_*.py"))]


def files_for(module: str) -> list[str]:
    """Where the tests of a module may be."""
    path = PurePosixPath(module)
    room = path.parent
    names = [f"test_{path.stem}.py", *([f"test_{room.name}_{path.stem}.py"] if room.name else [])]
    return [(room / name).as_posix() for name in names]


def untested(modules: list[str], present: set[str]) -> list[str]:
    """The modules that have no test file by their name and belong to no family."""
    return [
        module
        for module in modules
        if not present.intersection(files_for(module)) and not any(fnmatch(module, pattern) for pattern in FAMILIES)
    ]


def test_where_tests_are_looked_for() -> None:
    assert files_for("seeds.py") == ["test_seeds.py"]
    assert files_for("data/catalog/load.py") == ["data/catalog/test_load.py", "data/catalog/test_catalog_load.py"]
    assert untested(["clip/new.py", "methods/new.py"], set()) == ["clip/new.py"]
    assert untested(["clip/new.py"], {"clip/test_new.py"}) == untested(["clip/new.py"], {"clip/test_clip_new.py"}) == []
    assert untested(["clip/new.py"], {"data/test_new.py"}) == ["clip/new.py"]


def test_every_module_has_its_tests() -> None:
    lacking = untested(modules(), set(files()))
    hints = [f"{module}: write tests/{files_for(module)[0]} (or {files_for(module)[-1]})" for module in lacking]
    assert not lacking, "\n".join(hints)


@pytest.mark.parametrize("pattern", FAMILIES)
def test_families_have_members_and_a_test_file(pattern: str) -> None:
    assert any(fnmatch(module, pattern) for module in modules()), f"no module is called {pattern}"
    assert (TESTS / FAMILIES[pattern]).is_file(), f"there is no tests/{FAMILIES[pattern]}"


def test_names_of_test_files_are_unique() -> None:
    counts = Counter(PurePosixPath(path).name for path in files())
    assert [name for name, count in counts.items() if count > 1] == []
