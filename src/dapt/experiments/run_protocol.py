"""Running a protocol: its runs, its evaluations, and one file with the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dapt.config import RunConfig, make_config
from dapt.console import say, warn
from dapt.dapt_names import run_title
from dapt.data.resolve import load_data
from dapt.errors import DaptError, DataError
from dapt.evaluation.averages import over_data_sets
from dapt.experiments.protocol_audit import (
    SHOWN,
    audited,
    check_images_of,
    check_lists,
    guesses_of,
    question_of,
)
from dapt.experiments.protocol_folder import RESULT, ProtocolFolder
from dapt.experiments.protocol_targets import targets_of
from dapt.experiments.protocols.base import AuditOf, OtherData, Over, Plan, Protocol, Settings, get_protocol
from dapt.experiments.run_all import Outcome, run_all, told
from dapt.files import write_json
from dapt.methods.base import METHODS
from dapt.results import Figures, ProtocolResults, Row
from dapt.runs.absolute_paths import with_absolute_paths
from dapt.runs.apart import advice, check_files_apart
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.run_names import data_name, run_name
from dapt.runs.torchrun import refuse_torchrun

MAIN = (
    "test/accuracy",
    "test/mean_average_precision",
    "test/per_class_mean",
    "test/worst_group",
    "test/calibration_error",
)
Metrics = Figures


class IncompleteError(DaptError):
    """Some runs or evaluations of a protocol failed; `result` has the figures of the others."""

    def __init__(self, error: DaptError, result: ProtocolResults) -> None:
        super().__init__(error.what, where=error.where, todo=error.todo, more=error.more)
        self.result = result

    def __reduce__(self) -> tuple[Any, ...]:
        """Across processes it is made of its parts again."""
        parts = {"what": self.what, "where": self.where, "todo": self.todo, "more": self.more}
        return _incomplete, (parts, self.result)


def _incomplete(parts: dict[str, Any], result: ProtocolResults) -> IncompleteError:
    return IncompleteError(DaptError(**parts), result)


def run_protocol(
    name: str,
    settings: Settings,
    *,
    over: Over = (),
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
) -> ProtocolResults:
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
    refuse_torchrun("a protocol")
    protocol = get_protocol(name, over)
    config = make_config(settings)
    out = Path(config.out) if config.out else default_folder(config, protocol)
    plan = protocol.plan(settings, out)
    plan = replace(plan, runs={key: with_absolute_paths(run) for key, run in plan.runs.items()})
    folder = ProtocolFolder(out, protocol.name, plan, advice(config))
    folder.check(resume=resume, overwrite=overwrite)
    _check_data(plan, config, out)
    better = published_recipe(config, protocol)
    if better:
        say(f"The published settings for {protocol.title} are those of --method {better}.")
    with folder.lock:
        left = folder.begin(resume=resume, overwrite=overwrite)
        outcome = run_all(plan.runs, jobs=jobs, label=protocol.title, overwrite=overwrite, within=out)
        if not outcome.results:
            outcome.whole()
        result = _result(protocol, config, plan, outcome)
        write_json(out / RESULT, result.tree(), make_parents=False)
        say(f"results in {out / RESULT}")
        try:
            outcome.whole()
        except DaptError as error:
            raise IncompleteError(error, result) from error
        folder.complete(left)
    return result


def _result(protocol: Protocol, config: RunConfig, plan: Plan, outcome: Outcome) -> ProtocolResults:
    """The content of protocol.json; makes the evaluations on other data and the audits."""
    rows: dict[str, Metrics] = {key: outcome.results[key].metrics for key in plan.runs if key in outcome.results}
    details = {key: Path(run.out or "").name for key, run in plan.runs.items()}
    asked: dict[str, dict[str, Any]] = {}
    steps: list[OtherData | AuditOf] = [*plan.evaluations, *plan.audits]
    for step in steps:
        run = plan.runs[step.run]
        folder = Path(run.out or "")
        try:
            if isinstance(step, AuditOf):
                rows[step.point], asked[step.point] = audited(run, step.backgrounds, step.point)
            else:
                rows[step.point], asked[step.point] = _evaluated(folder, step, config)
        except DaptError as error:
            warn(f"{step.point} failed: {told(error)}")
            outcome.failed[step.point] = error
        details[step.point] = folder.name
    averaged = [key for key in plan.averaged if key in rows]
    return ProtocolResults(
        protocol=protocol.name,
        source=protocol.paper,
        title=run_title(config),
        method=config.method,
        dapt=config.dapt.enabled,
        backbone=config.model,
        data=config.data,
        seed=config.seed,
        rows=[
            Row(point=key, run=details[key], metrics=metrics, asked=asked.get(key, {})) for key, metrics in rows.items()
        ],
        average=_average({key: rows[key] for key in averaged}) if averaged else None,
        averaged=averaged,
        failed={key: told(error) for key, error in outcome.failed.items()},
    )


def _average(rows: Mapping[str, Metrics]) -> dict[str, float]:
    """Mean over data sets of every figure that all of them have."""
    known = {
        data: {key: value for key, value in metrics.items() if value is not None} for data, metrics in rows.items()
    }
    return over_data_sets(known)


def default_folder(config: RunConfig, protocol: Protocol) -> Path:
    """``runs/<data>-<protocol>-<method>[+dapt]-...-seed<seed>``."""
    return Path("runs") / f"{data_name(config.data)}-{protocol.name}-{run_name(config)}-seed{config.seed}"


def published_recipe(config: RunConfig, protocol: Protocol) -> str | None:
    """Another name of the method that has the published settings of this protocol, or None."""
    kinds = {"few_shot": "few_shot", "cross_dataset": "cross", "domain_generalisation": "cross"}
    better = f"{config.method}.{kinds.get(protocol.name, '')}"
    return better if better in METHODS.names() else None


def print_protocol(result: ProtocolResults) -> None:
    """Print the figures of `run_protocol`: all of them for a single row, else the main ones, a row each.

    Audits have a table of their own.
    """
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell

    audits = [row for row in result.rows if any(key in row.metrics for key in SHOWN)]
    lines = [(row.point, row.metrics) for row in result.rows if row not in audits]
    if result.average:
        lines.append((f"average of {len(result.averaged)}", dict(result.average)))
    title = f"{result.protocol}: {result.called}, seed {result.seed}, %"
    if len(lines) == 1:
        point, metrics = lines[0]
        table = Table("", title=cell(title))
        table.add_column(cell(point), justify="right")
        for key, value in metrics.items():
            if value is not None:
                table.add_row(key, f"{value:.2f}")
        Console().print(table)
    elif lines:
        keys = [key for key in lines[0][1] if key in MAIN and any(row.get(key) is not None for _, row in lines)]
        _print_lines(title, lines, {key: key.split("/")[-1].replace("_", " ") for key in keys})
    if audits:
        notes = dict.fromkeys(filter(None, (guesses_of(row.asked) for row in audits)))
        points = [(row.point, row.metrics) for row in audits]
        _print_lines(f"{result.called}: how much hangs on the background, %", points, SHOWN, " ".join(notes))


def _print_lines(title: str, lines: Sequence[tuple[str, Metrics]], names: Mapping[str, str], caption: str = "") -> None:
    """Print a table with a line each.

    Args:
        names: of columns, by figure; those that no line has are left out, those that it cannot have are "–".
    """
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell

    keys = [key for key in names if any(key in metrics for _, metrics in lines)]
    table = Table("", title=cell(title), caption=cell(caption) if caption else None)
    for key in keys:
        table.add_column(names[key], justify="right")
    for point, metrics in lines:
        values = [metrics.get(key) for key in keys]
        table.add_row(cell(point), *("–" if value is None else f"{value:.2f}" for value in values))
    Console().print(table)


def _evaluated(folder: Path, step: OtherData, config: RunConfig) -> tuple[Metrics, dict[str, Any]]:
    """The figures of a run on the test images of other data, among its own classes, as such protocols are published.

    And where that data is, and how much of it there is. Made anew when a protocol is resumed, because that data may
    have changed.
    """
    found, _ = evaluate_saved(
        folder,
        data=step.data,
        split="test",
        classes="data",
        name=f"{step.point}-test",
        root=config.root,
        own_split=config.own_split,
        skip_bad=config.skip_bad,
        allow_leaks=config.allow_leaks,
        device=config.device,
    )
    asked = {"place": found.asked.get("place"), **{key: found.counts[key] for key in ("images", "classes")}}
    return dict(found.metrics), asked


def _check_data(plan: Plan, config: RunConfig, out: Path) -> None:
    """Whether all data sets are there, apart from `out`, and can be tested on, before hours are spent on training."""
    load = partial(load_data, root=config.root, own_split=config.own_split, skip_bad=config.skip_bad)
    source = load(config.data, split_file=config.split_file)
    check_files_apart(out, source, config.data, todo=advice(config))
    if not source.labelled("test"):
        raise DataError(f"{source.name} has no labelled test images, so a protocol has nothing to report.")
    for audit in plan.audits:
        question = question_of(plan.runs[audit.run], audit.backgrounds)
        lent = check_lists(question, source)
        if lent is not None:
            check_files_apart(out, lent, audit.backgrounds, todo=advice(config))
        check_images_of(question, source, lent)
    for name, found in targets_of(plan, load).items():
        check_files_apart(out, found, name, todo=advice(config))
