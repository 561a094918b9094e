"""`dapt tune`: a search for settings, judged by validation images alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import QuietOption, at_home, silence


def tune(
    experiment: Annotated[Path, typer.Argument(help="YAML file with the keys of run.yaml.", callback=at_home)],
    trials: Annotated[int, typer.Option("--trials", min=1, max=100_000, help="Runs to try in all.")] = 20,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            help="What is searched, as KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=a,b,c; may be repeated. [default: the "
            "learning rate, and with dapt its weights, margin and variant]",
        ),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", help="Folder of the search. [default: runs/tune-NAME]", callback=at_home)
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Search for settings by accuracy on validation images; test images are never opened.

    The same command goes on with a search that was stopped; a larger --trials adds to one that is done.

    Examples:

      dapt tune maple.yaml --trials 30

      dapt tune maple.yaml --space lr=1e-4..1e-1:log --space prompt.n_ctx=2,4,8 --out runs/tuned

    Then: dapt train --config runs/tuned/best.yaml
    """
    silence(quiet)
    from dapt.config import make_config
    from dapt.config_text import read_yaml
    from dapt.experiments.tuning.search import search
    from dapt.experiments.tuning.space import own_space, space_from

    tree = read_yaml(experiment)
    place = out or tree.pop("out", None) or f"runs/tune-{experiment.stem}"
    search(tree, space_from(space) if space else own_space(make_config(tree)), Path(str(place)), trials)
