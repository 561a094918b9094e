"""Running a protocol: its runs, its evaluations, and one file with the figures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.config import RunConfig, make_config
from dapt.console import say
from dapt.data.sources import load_data
from dapt.errors import ConfigError, DataError
from dapt.evaluation.on_run import evaluate_saved
from dapt.experiments.parallel import run_all
from dapt.experiments.protocols import Plan, Settings, default_folder, get_protocol, published_recipe
from dapt.files import read_json, write_json
from dapt.training.run import with_absolute_paths
from dapt.training.run_folder import RunFolder

SCHEMA = 1
RESULT = "protocol.json"
MAIN = (
    "test/accuracy",
    "test/mean_average_precision",
    "test/per_class_mean",
    "test/worst_group",
    "test/calibration_error",
)
Metrics = dict[str, "float | None"]


def run_protocol(
    name: str,
    settings: Settings,
    *,
    over: Sequence[str] = (),
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Run the whole of a protocol for one method, data set and seed.

    Every run is a folder of its own inside the protocol's folder (``out``, by default
    ``runs/<data>-<protocol>-<method>-...``), so finished ones are kept when an interrupted protocol is resumed. Data
    sets that are evaluated on are looked up before anything is trained.

    Args:
        name: of the protocol. settings: nested mapping as in run.yaml. over: see `Protocol`.
        jobs: runs at the same time. resume, overwrite: what to do with an existing folder.

    Returns:
        the content of protocol.json.

    Raises:
        DaptError: anything the user can mend.
    """
    protocol = get_protocol(name, over)
    config = make_config(settings)
    out = Path(config.out) if config.out else default_folder(config, protocol)
    plan = protocol.plan(settings, out)
    plan = Plan({key: with_absolute_paths(run) for key, run in plan.runs.items()}, plan.evaluations, plan.averaged)
    _check_folder(out, resume=resume, overwrite=overwrite)
    _check_targets(plan, config)
    if not overwrite:
        _check_same_runs(plan)
    better = published_recipe(config, protocol)
    if better:
        say(f"The published settings for {protocol.title} are those of --method {better}.")
    if overwrite and out.exists():
        shutil.rmtree(out)
    runs = run_all(plan.runs, jobs=jobs, label=protocol.title)
    rows: dict[str, Metrics] = {key: found["metrics"] for key, found in runs.items()}
    details = {key: {"run": Path(run.out or "").name} for key, run in plan.runs.items()}
    for step in plan.evaluations:
        folder = Path(plan.runs[step.run].out or "")
        found = _evaluated(folder, step.data, step.point, config)
        rows[step.point] = found["metrics"]
        details[step.point] = {"run": folder.name}
    result = {
        "schema": SCHEMA,
        "protocol": protocol.name,
        "method": config.method,
        "dapt": config.dapt.enabled,
        "backbone": config.model,
        "data": config.data,
        "seed": config.seed,
        "rows": [{"point": key, **details[key], "metrics": metrics} for key, metrics in rows.items()],
        "average": average([rows[key] for key in plan.averaged]) if plan.averaged else None,
        "averaged": list(plan.averaged),
    }
    write_json(out / RESULT, result)
    say(f"results in {out / RESULT}")
    return result


def average(rows: Sequence[Mapping[str, float | None]]) -> Metrics:
    """Mean of every figure that all rows have."""
    keys = [key for key in rows[0] if all(row.get(key) is not None for row in rows)]
    return {key: sum(float(row[key] or 0.0) for row in rows) / len(rows) for key in keys}


def print_protocol(result: Mapping[str, Any]) -> None:
    """Print the figures of `run_protocol`: all of them for a single row, else the main ones, a row each."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    lines = [(row["point"], row["metrics"]) for row in result["rows"]]
    if result["average"]:
        lines.append((f"average of {len(result['averaged'])}", result["average"]))
    keys = [key for key in lines[0][1] if any(metrics.get(key) is not None for _, metrics in lines)]
    method = result["method"] + (" + DAPT" if result["dapt"] else "")
    table = Table(title=escape(f"{result['protocol']}: {method}, seed {result['seed']}, %"))
    table.add_column("")
    if len(lines) == 1:
        point, metrics = lines[0]
        table.add_column(escape(point), justify="right")
        for key in keys:
            table.add_row(key, f"{metrics[key]:.2f}")
    else:
        keys = [key for key in keys if key in MAIN]
        for key in keys:
            table.add_column(key.split("/")[-1].replace("_", " "), justify="right")
        for point, metrics in lines:
            values = [metrics.get(key) for key in keys]
            table.add_row(escape(point), *("–" if value is None else f"{value:.2f}" for value in values))
    Console().print(table)


def _evaluated(folder: Path, data: str, point: str, config: RunConfig) -> dict[str, Any]:
    """The evaluation of a run on other data, kept from an earlier start if it is newer than the run."""
    path = folder / "eval" / f"{point}-test.json"
    finished = RunFolder(folder).results_file
    if path.is_file() and path.stat().st_mtime >= finished.stat().st_mtime:
        return dict(read_json(path))
    return evaluate_saved(
        folder,
        data=data,
        json_file=path,
        root=config.root,
        skip_bad=config.skip_bad,
        device=config.device,
    )[0]


def _check_folder(out: Path, *, resume: bool, overwrite: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise ConfigError(f"{out} is a file, not a folder.", todo="Choose another --out.")
    inside = [path for path in out.iterdir() if path.name != RESULT]
    ours = all((path / "run.yaml").is_file() for path in inside)
    if overwrite and not ours:
        raise ConfigError(
            f"{out} holds other things than runs, so --overwrite leaves it alone.", todo="Choose another --out."
        )
    if not resume and not overwrite:
        raise ConfigError(
            f"The output folder {out} exists.",
            todo="Pass --resume to go on with it, --overwrite to start again, or another --out.",
        )


def _check_targets(plan: Plan, config: RunConfig) -> None:
    """Whether all data sets are there, before hours are spent on training."""
    missing: list[str] = []
    for step in plan.evaluations:
        try:
            found = load_data(step.data, root=config.root, skip_bad=config.skip_bad)
        except DataError as error:
            missing.append(f"{step.data}: {error.what}")
            continue
        if not found.labelled("test"):
            missing.append(f"{step.data}: there are no labelled test images.")
    if missing:
        share = f"{len(missing)} of {len(plan.evaluations)}"
        raise DataError(
            f"{share} data sets to evaluate on cannot be used:\n" + "\n".join(missing),
            todo="Get them (dapt data download NAME), or name others with --over A,B.",
        )


def _check_same_runs(plan: Plan) -> None:
    """Refuse to mix earlier runs with other settings into this protocol."""
    for run in plan.runs.values():
        folder = RunFolder(Path(run.out or ""))
        if folder.path.exists() and any(folder.path.iterdir()):
            folder.check(run, resume=True, overwrite=False)
