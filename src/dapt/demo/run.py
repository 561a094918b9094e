"""`dapt demo` from start to end: scenes, runs, figures, page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.clip.bundled import bundled_model
from dapt.config import RunConfig
from dapt.console import say
from dapt.demo.contents import DATA, PAGE, RESULTS, RUNS, demo_files, demo_runs, scene_files
from dapt.demo.demo_folder import DemoFolder
from dapt.demo.scene_data import write_scenes
from dapt.demo.setting import DemoSettings, check_runs, command, plan, run_name, scenes_command
from dapt.demo.subjects import subjects
from dapt.files import write_json
from dapt.results import RunResults


def run_demo(
    out: Path,
    settings: DemoSettings,
    *,
    jobs: int | None = None,
    device: str = "cpu",
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Draw the scenes, train host and host + DAPT for every seed, measure, and write the page.

    Args:
        out: folder for everything. jobs: runs at the same time; None: one per core.
        resume: go on with an interrupted demonstration. overwrite: start again in the folder of another one.

    Returns:
        the content of ``results.json``.

    Raises:
        DaptError: the folder is in use or cannot be written, or the bundled model is damaged.
    """
    from dapt.devices import pick_device

    bundled_model()
    device = pick_device(device)
    check_runs(settings)
    folder = DemoFolder(out, settings, demo_files(settings), demo_runs(settings))
    with folder.open(resume=resume, overwrite=overwrite):
        return _run(out, settings, jobs, device, resume)


def _run(out: Path, settings: DemoSettings, jobs: int | None, device: str, resume: bool) -> dict[str, Any]:
    from dapt.experiments.executors.local import side_by_side
    from dapt.experiments.run_all import run_all

    clock = {"drawing": time.perf_counter()}
    index = draw_scenes(out / DATA, settings, jobs, within=out)
    clock["drawing"] = time.perf_counter() - clock["drawing"]
    configs = plan(settings, index, out / RUNS, device)
    jobs = jobs or side_by_side(len(configs))
    say(f"training {len(configs)} runs, {jobs} at a time; every run is an ordinary folder of dapt train")
    started = time.perf_counter()
    runs = run_all(configs, jobs=jobs, label=f"training {len(configs)} runs", within=out).whole()
    clock["training and testing"] = time.perf_counter() - started
    return _finish(out, settings, configs, runs, clock, device, resume)


def draw_scenes(folder: Path, settings: DemoSettings, jobs: int | None = None, *, within: Path | None = None) -> Path:
    """The data set of the demonstration; returns its index. `within`: see `write_scenes`."""
    return write_scenes(
        folder,
        scenes=settings.scenes,
        seed=settings.scene_seed,
        train_per_class=settings.train_per_class,
        test_per_class=settings.test_per_class,
        size=settings.size,
        classes=settings.classes,
        jobs=jobs,
        within=within,
    )


def scenes_alone(
    folder: Path, settings: DemoSettings, *, jobs: int | None = None, resume: bool = False, overwrite: bool = False
) -> Path:
    """The scenes as a data set of their own, in a folder of their own; returns the index.

    Raises:
        DaptError: the folder is in use or cannot be written.
    """
    with DemoFolder(folder, settings, scene_files(settings)).open(resume=resume, overwrite=overwrite):
        return draw_scenes(folder, settings, jobs, within=folder)


def _finish(
    out: Path,
    settings: DemoSettings,
    configs: Mapping[str, RunConfig],
    runs: Mapping[str, RunResults],
    clock: dict[str, float],
    device: str,
    resumed: bool,
) -> dict[str, Any]:
    """Measure what the runs do not report themselves, and write results.json and the page."""
    from dapt.data.resolve import load_data
    from dapt.demo.figures import collect, curves, results_tree, taken_for_background, titles
    from dapt.demo.gallery import choose, exhibit
    from dapt.demo.page import write_demo_page
    from dapt.environment import describe
    from dapt.evaluation.evaluate import evaluate
    from dapt.runs.load_run import load_run

    started = time.perf_counter()
    say("measuring mistakes and drawing the page")
    data = load_data(configs["zero_shot"].data)
    exchanged = [item for item in data.labelled("test") if item.group == "exchanged"]
    labels = [item.label for item in exchanged]
    homes = [subject.home for subject in subjects(settings.scenes)]
    models = {}
    taken = {}
    for name in configs:
        model, _ = load_run(out / RUNS / name, device="cpu")
        found = evaluate(model, exchanged, labels, label=f"measuring {name}")
        taken[name] = taken_for_background(exchanged, labels, found.predicted.tolist(), homes)
        models[name] = model
    shown = {title: models[run_name(kind, 1)] for kind, title in titles(settings).items()}
    exhibits = [exhibit(shown, item) for item in choose(exchanged, "exchanged", 8)]
    figures = collect(runs, taken, settings)
    clock["measuring and pictures"] = time.perf_counter() - started
    environment = describe(device)
    write_demo_page(
        out / PAGE,
        settings=settings,
        figures=figures,
        curves=curves(out / RUNS, settings),
        exhibits=exhibits,
        train_items=data.labelled("train"),
        test_items=exchanged,
        commands=[scenes_command(settings, "data"), *(command(config, out) for config in configs.values())],
        environment=environment,
        seconds=clock,
        resumed=resumed,
    )
    about = {
        "settings": settings.model_dump(),
        "timing": {name: round(value, 3) for name, value in clock.items()},
        "environment": environment,
    }
    tree = results_tree(figures, about)
    write_json(out / RESULTS, tree, make_parents=False)
    return tree
