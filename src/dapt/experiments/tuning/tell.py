"""What a search has found: the best trials, what mattered, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.console import cell, say, show, warn
from dapt.experiments.tuning.proposals import FOR_IMPORTANCE, importances
from dapt.experiments.tuning.search import BEST, short
from dapt.experiments.tuning.study import DONE, FAILED, PRUNED, STUDY, Study
from dapt.wording import counted

SHOWN = 10


def print_study(study: Study, out: Path, *, trained: bool = False) -> None:
    """Print the best trials as a table, how much each setting mattered, and the command that trains the best one.

    Args:
        trained: that command is not needed, as it is done at once.
    """
    from rich.console import Console
    from rich.table import Table

    ranked = study.ranked()
    keys = list(study.space)
    table = Table(title=cell(f"The best of {counted(len(study.trials), 'trial')}"), title_justify="left")
    heads: list[Any] = ["trial", "validation %", *map(cell, keys)]
    for head in heads:
        table.add_column(head, justify="right", overflow="fold")
    for trial in ranked[:SHOWN]:
        values = [cell(short(trial.values[key])) for key in keys]
        table.add_row(str(trial.number + 1), f"{trial.accuracy:.2f}", *values)
    Console().print(table)
    mattered = importances(study.space, study.trials)
    if mattered:
        show("What mattered (PED-ANOVA): " + ", ".join(f"{key} {share:.0%}" for key, share in mattered.items()))
    elif len(ranked) < FOR_IMPORTANCE:
        show(f"What mattered is told from {FOR_IMPORTANCE} finished trials on.")
    show(
        f"{study.count(DONE)} done, {study.count(PRUNED)} given up early, {study.count(FAILED)} failed. No test image "
        "was opened."
    )
    if study.count(FAILED):
        warn(f"{counted(study.count(FAILED), 'trial')} failed; {out / STUDY} says why. The same command tries again.")
    if not trained:
        show("Train the best one and test it once:", "  " + command(study, out))


def best_folder(study: Study, out: Path) -> Path:
    """Where the best settings are trained to be tested."""
    return out / f"best-{study.ranked()[0].number + 1:04d}"


def command(study: Study, out: Path) -> str:
    """The command that trains the best settings and tests them."""
    return shlex.join(["dapt", "train", "--config", str(out / BEST), "--out", str(best_folder(study, out))])


def train_best(study: Study, out: Path, tree: Mapping[str, Any]) -> None:
    """Train the best settings, if that is not done yet, and evaluate them on the test images.

    Raises:
        DaptError: as `dapt.runs.train.run_training`.
    """
    from dapt.config import make_config
    from dapt.experiments.tuning.space import with_values
    from dapt.runs.train import run_training

    settings = with_values(tree, study.ranked()[0].values)
    results = run_training(make_config({**settings, "out": str(best_folder(study, out))}), resume=True)
    accuracy = results.metrics.get("test/accuracy")
    if accuracy is None:
        warn("There are no test images, so the best settings were trained and not tested.")
    else:
        say(f"the best settings, tested once: {accuracy:.2f} % on the test images")
