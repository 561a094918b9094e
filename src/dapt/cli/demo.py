"""`dapt demo`: the whole idea on the embedded default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import QuietOption, at_home, silence


def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for scenes, runs, results.json and the page.", callback=at_home)
    ] = Path("runs/demo"),
    data_only: Annotated[
        Path | None,
        typer.Option(
            "--data-only",
            help="Only draw the scenes, as a CSV data set in this folder.",
            show_default=False,
            callback=at_home,
        ),
    ] = None,
    method: Annotated[str, typer.Option("--method", help="Prompt method to compare with and without DAPT.")] = "maple",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs per method.")] = 3,
    shots: Annotated[int | None, typer.Option("--shots", help="Training images per class. [default: 8]")] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Passes over the training images. [default: 8]")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any key of demo.yaml, as KEY=VALUE; may be repeated.", show_default=False),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Runs at the same time. [default: one per core]")
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="The model is so small that the processor serves best.")
    ] = "cpu",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted demo.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing demo.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Show the whole idea in three minutes on two cores, with nothing downloaded.

    Draws scenes, adapts the bundled miniature CLIP with and without DAPT, and writes a table, results.json and
    a page with curves and pictures.

    Examples:

      dapt demo

      dapt demo --out /tmp/demo --method ivlp

      dapt demo --set dapt.variant=joint --set scene_seed=2 --out /tmp/demo

      dapt demo --data-only scenes/     (then: dapt train scenes/index.csv --model demo --dapt)
    """
    silence(quiet)
    from dapt.config_text import apply_settings
    from dapt.demo.setting import DemoSettings
    from dapt.errors import ConfigError
    from dapt.validation import validated

    if resume and overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.")
    given = {"host": method, "seeds": seeds, "shots": shots, "epochs": epochs}
    tree = apply_settings({key: value for key, value in given.items() if value is not None}, values or [])
    settings = validated(DemoSettings, tree)
    if data_only is not None:
        from dapt.console import say
        from dapt.demo.run import scenes_alone

        index = scenes_alone(data_only, settings, jobs=jobs, resume=resume, overwrite=overwrite)
        say(f"scenes in {index}")
        say(f"try: dapt train {index} --model demo --method {method} --dapt --shots {settings.shots}")
        return
    from dapt.console import show
    from dapt.demo.contents import PAGE
    from dapt.demo.run import run_demo
    from dapt.demo.table import print_table

    results = run_demo(out, settings, jobs=jobs, device=device, resume=resume, overwrite=overwrite)
    print_table(results)
    show(f"page: {(out / PAGE).absolute()}")
