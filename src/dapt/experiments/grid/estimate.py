"""How long an experiment will take and how much it will write, from what was measured."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dapt.config import RunConfig, make_config
from dapt.console import is_quiet, progress, set_quiet, warn, warnings_to
from dapt.errors import DaptError
from dapt.experiments.grid.experiment_folder import CellRecord
from dapt.experiments.grid.prepared import Prepared
from dapt.experiments.run_all import told
from dapt.runs.train import run_training

EPOCHS = 4  # of a trial: L_f and L_b of the phased variant act in the last one
SHOTS = 1


@dataclass(frozen=True)
class Cost:
    """What one run of a kind costs on this machine.

    Attributes:
        fixed: seconds for loading, cues and evaluation. step: seconds of a training step. size: bytes of its folder.
    """

    fixed: float
    step: float
    size: int

    def seconds(self, config: RunConfig, images: Iterable[int]) -> float:
        """Of a run with these settings, with so many training images of each class to choose from."""
        return self.fixed + self.step * steps_of(config, images)


@dataclass(frozen=True)
class Estimate:
    """What is known of an experiment's cost.

    Attributes:
        seconds: on one worker, of the runs of known kinds. size: their bytes. known, unknown: numbers of those runs.
    """

    seconds: float = 0.0
    size: int = 0
    known: int = 0
    unknown: int = 0


def steps_of(config: RunConfig, images: Iterable[int]) -> int:
    """Training steps of a run.

    Args:
        images: training images of each class to choose from.
    """
    counts = [min(count, config.shots) if config.shots else count for count in images]
    if config.subset == "base":
        counts = counts[: (len(counts) + 1) // 2]
    total = max(round(sum(counts) * config.fraction), 1)
    whole, rest = divmod(total, config.batch_size)
    return config.epochs * max(whole + (rest > 0 and not (config.drop_last and whole)), 1)


def kind_of(config: RunConfig) -> str:
    """What runs have in common whose steps cost the same, as a text."""
    tree = config.model_dump(mode="json", include={"data", "model", "method", "prompt", "dapt", "cue", "batch_size"})
    same = {"precision": config.precision, "device": config.device, "subset": config.subset}
    return json.dumps({**tree, **same}, sort_keys=True)


def trial(config: RunConfig) -> Cost:
    """The cost of a kind, by a run with a few images in a folder that is removed afterwards.

    Raises:
        DaptError: the run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        shots = min(config.shots, SHOTS) or SHOTS
        changes = {"epochs": min(config.epochs, EPOCHS), "shots": shots, "out": str(out), "devices": 1, "track": []}
        small = make_config({**config.model_dump(exclude_none=True), **changes})
        begun = time.monotonic()
        results = run_training(small)
        whole = time.monotonic() - begun
        counts = [shots] * results.counts.get("classes_trained", 1)
        training = float(results.timing.get("training_seconds") or 0)
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Cost(max(whole - training, 0.0), training / max(steps_of(small, counts), 1), size)


def measured(todo: list[Prepared]) -> dict[str, Cost]:
    """The cost of each kind of run among the cells, by a trial each; kinds whose trial fails are told and left out."""
    kinds = {kind_of(run): run for each in todo for run in each.runs}
    found: dict[str, Cost] = {}
    was_quiet = is_quiet()
    for kind, config in progress(kinds.items(), len(kinds), "measuring", "kinds"):
        set_quiet(True)
        try:
            with warnings_to(lambda _: None):  # it is shorter than the run it stands for, which warns for itself
                found[kind] = trial(config)
        except DaptError as error:
            warn(f"{config.method} on {config.data} could not be measured: {told(error)}")
        finally:
            set_quiet(was_quiet)
    return found


def estimate(todo: list[Prepared], costs: dict[str, Cost]) -> Estimate:
    """The cost of all cells, as far as their kinds are known."""
    seconds, size, known, unknown = 0.0, 0, 0, 0
    for each in todo:
        for run in each.runs:
            cost = costs.get(kind_of(run))
            if cost is None:
                unknown += 1
                continue
            known += 1
            seconds += cost.seconds(run, each.train_images)
            size += cost.size
    return Estimate(seconds, size, known, unknown)


def from_before(records: Iterable[CellRecord]) -> float | None:
    """Mean seconds of the cells that are done, None where none is."""
    known = [record.seconds for record in records if record.status == "done" and record.seconds]
    return sum(known) / len(known) if known else None
