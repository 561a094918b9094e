"""`dapt tune`: a search for settings, judged by validation images alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import QuietOption, at_home, silence

EXAMPLES = """Examples:

  dapt tune maple.yaml --trials 30

  dapt tune maple.yaml --set dapt=true --trials 40 --jobs 2 --timeout 120

  dapt tune maple.yaml --space lr=1e-4..1e-1:log --space prompt.n_ctx=2,4,8 --out runs/tuned

  dapt tune maple.yaml --trials 30 --train

The file has the keys of run.yaml, and may have a section 'space':

  data: photos/
  method: maple
  space: {lr: 1e-4..1e-1:log, prompt.n_ctx: [2, 4, 8]}

Without one, the learning rate, the weight decay, the epochs and what the method declares are searched, and with DAPT
its weights, margin and variant; what the file sets stays as it is set. Give the same command again to go on.
"""


def tune(
    experiment: Annotated[Path, typer.Argument(help="YAML file with the keys of run.yaml.", callback=at_home)],
    trials: Annotated[int, typer.Option("--trials", min=1, max=100_000, help="Runs to try in all.")] = 20,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trials at the same time.")] = 1,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0, help="Begin no trial after so many minutes.", metavar="MINUTES")
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            help="What is searched, as KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=a,b,c; may be repeated. [default: the "
            "file's, else the method's]",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another value of a key of the file, as KEY=VALUE; may be repeated."),
    ] = None,
    prune: Annotated[
        bool,
        typer.Option("--prune/--no-prune", help="Give up trials that do worse than most did after as many epochs."),
    ] = True,
    train: Annotated[
        bool, typer.Option("--train", help="In the end train the best settings, and evaluate them on the test images.")
    ] = False,
    out: Annotated[
        str | None, typer.Option("--out", help="Folder of the search. [default: runs/tune-NAME]", callback=at_home)
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Search for settings by accuracy on validation images; test images are never opened."""
    silence(quiet)
    from dapt.config_text import apply_settings, read_yaml
    from dapt.experiments.tuning.search import Effort, search
    from dapt.experiments.tuning.space import own_space, space_from, space_of
    from dapt.experiments.tuning.tell import print_study, train_best

    tree = read_yaml(experiment)
    apply_settings(tree, settings or [])
    said = tree.pop("space", None)
    place = Path(str(out or tree.pop("out", None) or f"runs/tune-{experiment.stem}"))
    tree.pop("out", None)
    of_the_file = own_space if said is None else (lambda _: space_of(said))
    wanted = space_from(space) if space else of_the_file(tree)
    effort = Effort(trials, jobs, None if timeout is None else 60 * timeout, prune)
    study = search(tree, wanted, place, effort)
    print_study(study, place, trained=train)
    if train:
        train_best(study, place, tree)


tune.__doc__ = f"Search for settings by accuracy on validation images; test images are never opened.\n\n{EXAMPLES}"
