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
    "demo/run.py": "e2e/test_demo.py",
    "streams.py": "e2e/test_streams.py",
}

# Modules whose tests are still to be written. The list only gets shorter: a new module comes with its test.
LEFT = """
    api/models.py api/names.py api/runs.py
    cli/app.py cli/data.py cli/data_download.py cli/data_import.py cli/data_info.py cli/data_list.py
    cli/data_select.py cli/data_verify.py cli/demo.py cli/eval.py cli/masks.py cli/masks_verify.py cli/methods.py
    cli/options.py cli/predict.py cli/train.py
    cues/base.py cues/build.py cues/dataset.py cues/masks.py cues/none.py
    experiments/executors/base.py experiments/executors/local.py experiments/protocol_folder.py
    experiments/protocols/base.py experiments/protocols/base_to_novel.py experiments/protocols/cross_dataset.py
    experiments/protocols/data_efficient.py experiments/protocols/domain_generalisation.py
    experiments/protocols/few_shot.py experiments/run_protocol.py
    model/attention.py model/backbone.py model/build.py model/classifier.py model/grad_cam.py model/made_with.py
    model/model_folder.py model/needs.py model/plain.py model/pretrained.py model/prompted_clip.py
    model/prompted_towers.py model/prompts_file.py model/saved.py
    runs/absolute_paths.py runs/apart.py runs/checkpoint.py runs/evaluate_run.py runs/evaluation_files.py
    runs/evaluations.py runs/events.py runs/execute.py runs/features.py runs/load_inputs.py runs/load_run.py
    runs/mask_folder.py runs/predict.py runs/run_names.py runs/select_file.py runs/verify_masks.py runs/write_masks.py
    training/fit.py training/schedule.py training/step.py
""".split()


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
    """The modules that have no test file by their name, belong to no family and are not left."""
    return [
        module
        for module in modules
        if not present.intersection(files_for(module))
        and not any(fnmatch(module, pattern) for pattern in FAMILIES)
        and module not in LEFT
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


def test_the_list_of_what_is_left_is_in_order() -> None:
    assert len(LEFT) == len(set(LEFT))
    gone = [module for module in LEFT if not (SOURCE / module).is_file()]
    assert not gone, f"there are no modules {gone}: take them off the list"


def test_names_of_test_files_are_unique() -> None:
    counts = Counter(PurePosixPath(path).name for path in files())
    assert [name for name, count in counts.items() if count > 1] == []
