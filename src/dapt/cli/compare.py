"""`dapt compare`: two runs side by side."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import DeviceOption, QuietOption, at_home, silence

EXAMPLES = """Examples:

  dapt compare runs/photos-maple-16shot-seed1 runs/photos-maple-dapt-16shot-seed1

  dapt compare runs/a runs/b --no-images

  dapt compare runs/a runs/b --write changed.csv --json comparison.json
"""


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN", help="Two folders made by dapt train.")],
    images: Annotated[
        bool,
        typer.Option("--images/--no-images", help="Ask both models about the test images, to see which changed."),
    ] = True,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Classes, and images of each kind, to list.")] = 10,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write every image that changed as CSV.", callback=at_home)
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all of it as JSON.", callback=at_home)] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Where the backbone of both runs is now. [default: as in the runs]")
    ] = None,
    device: DeviceOption = "auto",
    quiet: QuietOption = False,
) -> None:
    """Two runs side by side."""
    from dapt.errors import ConfigError, DaptError
    from dapt.files import write_json, write_text
    from dapt.outputs import check_begun, check_different, check_file, check_replaceable
    from dapt.report.compare_table import CSV_HEAD, as_csv, as_json, print_comparison
    from dapt.runs.changed_images import PartChanges, changed_images
    from dapt.runs.comparison import compare_runs

    silence(quiet)
    if len(runs) != 2:
        raise ConfigError(
            f"Two runs are compared, {len(runs)} {'was' if len(runs) == 1 else 'were'} named.",
            todo="Name two; dapt report makes tables of many.",
        )
    if write is not None and not images:
        raise ConfigError(
            "--write has the images that changed, which --no-images leaves out.", todo="Drop one of them."
        )
    folders = {f"the {where} run": Path(at_home(run)) for where, run in zip(("first", "second"), runs, strict=True)}
    check_different({"--write": write, "--json": json_file})
    check_file(write, "--write", folders)
    check_begun(write, [re.escape(",".join(CSV_HEAD))], "--write", by="dapt compare")
    check_file(json_file, "--json", folders)
    check_replaceable(json_file, {"comparison", "schema", "parts", "no_images"}, "--json")
    found = compare_runs(*map(str, folders.values()))
    parts: list[PartChanges] = []
    why = found.apart or ("" if images else "--no-images leaves it out")
    if not why:
        try:
            parts = changed_images(found.runs, models=(model, model), device=device)
        except DaptError as error:
            if write is not None or model is not None:
                raise
            why = f"{error.what.rstrip('.')}{f' ({error.todo})' if error.todo else ''}"
    if write is not None and why:
        raise ConfigError(f"Images cannot be compared: {why}.", todo="Leave out --write to see what else differs.")
    print_comparison(found, parts, why, limit=limit)
    if write is not None:
        write_text(write, as_csv(parts))
    if json_file is not None:
        write_json(json_file, as_json(found, parts, why))


compare.__doc__ = (
    f"Two runs side by side: settings, inputs and figures that differ, and the test images that changed.\n\n{EXAMPLES}"
)
