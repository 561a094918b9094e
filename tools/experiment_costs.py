"""What the ready experiments need at full size: GPU hours, disk and downloads, for the texts in experiments/*.yaml.

Usage: python tools/experiment_costs.py experiments/*.yaml

Steps are counted from the settings and the catalogue; the seconds of a step and images per second are those of
ViT-B/16 at 224 px in bf16 on one H100 (benchmarks/results/nvidia-h100-80gb-hbm3/graphs.md, docs/performance.md).
Reading pictures is assumed to keep up with READ images per second, and a run to begin within START seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dapt.config import RunConfig, make_config
from dapt.config_text import read_yaml
from dapt.data.catalog.base import CATALOG
from dapt.experiments.grid.estimate import steps_of
from dapt.experiments.grid.expand import expand
from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.protocols.base import get_protocol

STEP = {
    (4, False): 0.0097,
    (4, True): 0.0137,
    (32, False): 0.0171,
    (32, True): 0.0306,
}  # by batch, with DAPT: both phases
READ = 1000  # images per second
START = 15  # seconds
RUN_MB = 3


def seconds(run: RunConfig, others: Sequence[str]) -> float:
    """Of a run and its evaluations, on one GPU."""
    entry = CATALOG.get(run.data)
    per_class = entry.counts["train"] // entry.classes
    size = 4 if run.batch_size <= 8 else 32
    trained = steps_of(run, [per_class] * entry.classes) * STEP[size, run.dapt.enabled] if run.recipe.trains else 0.0
    passes = 3 if run.dapt.enabled else 1  # the cue's figures look at two more views
    tested = sum(CATALOG.get(name).counts["test"] for name in (run.data, *others)) * passes
    return START + trained + tested / READ


def main() -> None:
    """Print a line per experiment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", type=Path)
    for path in parser.parse_args().experiments:
        total, count, data = 0.0, 0, set()
        cells = expand(make_experiment(read_yaml(path), path.stem)).cells
        for cell in cells:
            plan = get_protocol(cell.protocol, cell.over).plan(cell.settings, cell.folder) if cell.protocol else None
            runs = list(plan.runs.values()) if plan else [make_config(cell.settings)]
            others = [step.data for step in plan.evaluations] if plan else []
            audited = 8 if plan and plan.audits else 0  # composites of each test image
            total += sum(seconds(run, [*others, *[run.data] * audited]) for run in runs)
            count += len(runs)
            lent = {audit.backgrounds for audit in plan.audits if audit.backgrounds} if plan else set()
            data |= {run.data for run in runs} | set(others) | lent
        sizes = [CATALOG.get(name).size_mb for name in data]
        unknown = sizes.count(None)
        print(
            f"{path.stem}: {len(cells)} cells, {count} runs, {total / 3600:.0f} GPU hours, "
            f"{count * RUN_MB / 1000:.1f} GB of runs, {sum(size or 0 for size in sizes) / 1000:.0f} GB of data in "
            f"{len(data)} sets, {unknown} of unknown size"
        )


if __name__ == "__main__":
    from ending import ending

    ending(main)
