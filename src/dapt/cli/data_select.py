"""`dapt data select`: choose training images and write them down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dapt.cli.options import ModelOption, PluginOption, QuietOption, RootOption, at_home, listed, silence


def select(
    data: Annotated[
        str, typer.Argument(help="Catalog name, folder of photos, CSV index or hf:OWNER/NAME.", callback=at_home)
    ],
    name: Annotated[
        str,
        typer.Option(
            "--select",
            help=f"One of {listed('dapt.selection')}.",
        ),
    ],
    fraction: Annotated[float, typer.Option("--fraction", help="Share of the training images.")],
    out: Annotated[Path, typer.Option("--out", help="Split file to write (JSON).", callback=at_home)],
    model: ModelOption = None,
    method: Annotated[str | None, typer.Option("--method", help="Its untrained model looks at the images.")] = None,
    shots: Annotated[int, typer.Option("--shots", help="Choose from so many images per class, 0: all.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 1,
    subset: Annotated[str, typer.Option("--subset", help="all, or base: the first half of the classes.")] = "all",
    balanced: Annotated[
        bool, typer.Option("--balanced/--global", help="The fraction of every class, or of all images together.")
    ] = True,
    legacy: Annotated[bool, typer.Option("--legacy", help="Repeat the released code where it differs.")] = False,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="JPEG of the chosen images to write.", callback=at_home)
    ] = None,
    root: RootOption = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any configuration key, as KEY=VALUE; may be repeated.")
    ] = None,
    plugin: PluginOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Choose part of the training images, as dapt train --select does, and write a split file.

    Examples:

      dapt data select photos/ --select herding --fraction 0.1 --out chosen.json --preview chosen.jpg

      dapt data select caltech101 --select glister --fraction 0.2 --out chosen.json --set selection.options.rate=0.01

    Then: dapt train photos/ --split-file chosen.json --shots 0
    """
    silence(quiet)
    from dapt.config import make_config
    from dapt.config_text import apply_settings

    tree: dict[str, Any] = {
        "data": data,
        "select": name,
        "fraction": fraction,
        "shots": shots,
        "seed": seed,
        "subset": subset,
        "device": device,
        "selection": {"balanced": balanced, "legacy": legacy},
    }
    tree |= {key: value for key, value in (("model", model), ("method", method), ("root", root)) if value is not None}
    config = make_config(apply_settings(tree, settings or []))

    from dapt.runs.select_file import write_selection

    write_selection(config, out, preview=preview, overwrite=overwrite)
