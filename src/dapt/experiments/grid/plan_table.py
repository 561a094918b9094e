"""What an experiment would do, as a table."""

from __future__ import annotations

from dapt.console import cell, show
from dapt.experiments.grid.acting import never_acting
from dapt.experiments.grid.estimate import estimate, from_before, measured
from dapt.experiments.grid.live import spoken
from dapt.experiments.grid.run_experiment import Planned
from dapt.wording import counted

SHOWN = 40


def print_plan(planned: Planned, *, measure: bool = False, jobs: int = 1) -> None:
    """Print the cells of an experiment, how each stands, what is left out and why, and how long it will take.

    Args:
        measure: take a few steps of each kind of run. jobs: runs at the same time.
    """
    from rich.console import Console
    from rich.table import Table

    done = {each.name for each in planned.done}
    todo = {each.cell.name: each for each in planned.todo}
    cells = planned.cells.cells
    table = Table(
        title=cell(f"{planned.folder.name}: {counted(len(cells), 'cell')} in {planned.folder.place}"),
        title_justify="left",
    )
    for head in ("cell", "runs", "epochs", ""):
        table.add_column(head, justify="left" if head in ("cell", "") else "right", overflow="fold")
    for each in cells[:SHOWN]:
        ready = todo.get(each.name)
        if each.name in planned.contradictory:
            table.add_row(cell(each.name), "", "", "cannot be run")
        elif each.name in planned.others:
            table.add_row(cell(each.name), "", "", "holds another run")
        elif ready is None:
            table.add_row(cell(each.name), "", "", "done")
        else:
            begun = any((each.folder / name).exists() for name in ("run.yaml", ".dapt.json"))
            epochs = sum(run.epochs for run in ready.runs)
            how = "made again" if ready.job.overwrite else "goes on" if begun else "to run"
            table.add_row(cell(each.name), str(len(ready.runs)), str(epochs), how)
    Console().print(table)
    if len(cells) > SHOWN:
        show(f"and {len(cells) - SHOWN} more cells")
    runs = sum(len(each.runs) for each in planned.todo)
    are = "is" if len(planned.todo) == 1 else "are"
    before = f"{len(done)} {'is' if len(done) == 1 else 'are'} done."
    if not planned.todo:
        show(f"Nothing is to be carried out, {before}")
    else:
        show(f"{counted(len(planned.todo), 'cell')} with {counted(runs, 'run')} {are} to be carried out, {before}")
        show(_cost(planned, measure, jobs))
    found = planned.cells
    if found.excluded:
        show(f"{counted(found.excluded, 'combination')} excluded.")
    if found.equal:
        show(f"{counted(found.equal, 'combination')} the same as another one (without DAPT there is no cue).")
    for sentence in [*found.remarks, *never_acting(planned.todo)]:
        show(sentence)
    if planned.others:
        show(f"{counted(len(planned.others), 'cell')} left alone; --overwrite makes them again.")


def _cost(planned: Planned, measure: bool, jobs: int) -> str:
    """Time and disk, in a sentence."""
    if measure:
        known = estimate(planned.todo, measured(planned.todo))
        time = spoken(known.seconds / min(jobs, max(known.known, 1)))
        behind = f"; {known.unknown} runs could not be measured" if known.unknown else ""
        return f"By a few steps of each kind: about {time} with --jobs {jobs}, {known.size / 1e6:.1f} MB{behind}."
    mean = from_before(planned.folder.records.values())
    if mean is not None:
        return (
            f"At {spoken(mean)} a cell, as before: about {spoken(mean * len(planned.todo) / jobs)} with --jobs {jobs}."
        )
    return "How long it takes is not known yet; --measure takes a few steps of each kind of run."
