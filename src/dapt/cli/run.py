"""`dapt run`: an experiment, which is many runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import QuietOption, at_home, silence

EXAMPLES = """Examples:

  dapt run experiment.yaml --dry-run

  dapt run experiment.yaml --dry-run --measure --jobs 2

  dapt run experiment.yaml --jobs 2

  dapt run experiments/base-to-novel.yaml --smoke --jobs 2

  dapt run experiments/few-shot.yaml --set model=ViT-B-32/openai --set "data=[photos/]"

  dapt run experiment.yaml --ray auto

  dapt run experiment.yaml --slurm partition=gpu --slurm timeout_min=120

An experiment file has the keys of run.yaml, each with one value or with a list to go over, and the lists methods,
cues and seeds:

  methods: [coop, maple]
  dapt: [false, phased]
  data: [photos/, flowers/index.csv]
  shots: [1, 4, 16]
  seeds: [1, 2, 3]
  exclude: [{method: coop, dapt: phased}]
  include: [{method: coop, lr: 0.002}]

Every combination is a cell, with a folder of its own. Give the same command again to go on: what is done is kept.
"""


def run(
    experiment: Annotated[
        Path, typer.Argument(help="YAML file that says which runs there are to be.", callback=at_home)
    ],
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Runs at the same time. [default: 1; of a cluster, what it has room for]"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option("--ray", help="Carry the runs out on a Ray cluster: auto, HOST:PORT of its head, or local."),
    ] = None,
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            "--slurm",
            metavar="KEY=VALUE",
            help="Carry the runs out as Slurm jobs with this parameter of submitit: partition, timeout_min, mem_gb, "
            "gpus_per_node and others; may be repeated.",
        ),
    ] = None,
    cpus: Annotated[
        int | None,
        typer.Option("--cpus", min=1, help="On a cluster: processor cores, and so threads, of each run. [default: 1]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be run, and what is done already, and stop.")
    ] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure", help="With --dry-run: take a few steps of each kind of run, and say how long it takes."
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make again what was made with other settings or other data.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another value of a key of the file, as KEY=VALUE; may be repeated."),
    ] = None,
    smoke: Annotated[
        bool,
        typer.Option(
            "--smoke", help="Everything small: drawn scenes, the bundled model, one seed; into runs/NAME-smoke."
        ),
    ] = False,
    out: Annotated[
        str | None,
        typer.Option("--out", help="Folder of all runs. [default: the file's, else runs/NAME]", callback=at_home),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Run an experiment: methods, data sets, shots, seeds and whatever else is to be gone over."""
    from dapt.clusters import check_address, refuse_client
    from dapt.config_text import read_yaml
    from dapt.console import show
    from dapt.demo.smoke import small_experiment
    from dapt.errors import ConfigError
    from dapt.experiments.grid.experiment import make_experiment, with_values

    silence(quiet)
    if measure and not dry_run:
        raise ConfigError("--measure belongs to --dry-run.", todo="Give both, or neither.")
    tree = with_values(read_yaml(experiment), settings or [])
    stem = experiment.stem
    if smoke:
        tree, out = small_experiment(tree, stem, out)
    found = make_experiment(tree, stem, out, where=str(experiment))
    if (found.store or "").startswith("memory://"):
        raise ConfigError(f"{found.store} ends with this command, and its results.", todo="Choose another --out.")
    if found.about and dry_run:
        show(*found.about.splitlines())
    if ray is not None and not slurm and not dry_run:  # before seconds are spent on imports
        refuse_client(ray)
        check_address(ray)
    from dapt.experiments.executors.choose import choose_executor
    from dapt.experiments.grid.plan_table import print_plan
    from dapt.experiments.grid.run_experiment import plan_experiment, run_experiment

    executor = choose_executor(found.out, jobs=jobs, ray=ray, slurm=slurm or [], cpus=cpus)
    planned = plan_experiment(found, overwrite=overwrite, here=ray is None and not slurm)
    if dry_run:
        print_plan(planned, measure=measure, jobs=jobs or 1)
        planned.check()
        return
    run_experiment(planned, executor=executor, retries=found.retries)


run.__doc__ = f"Run an experiment: every combination of methods, data sets, shots, seeds and more.\n\n{EXAMPLES}"
