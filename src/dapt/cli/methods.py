"""`dapt methods`: what methods there are and what they are made of."""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import PluginOption

methods = typer.Typer(help="List the methods, or show one.", no_args_is_help=True)


@methods.command("list")
def list_methods(plugin: PluginOption = None) -> None:
    """List all methods.

    Example:

      dapt methods list
    """
    from dapt.methods.base import METHODS
    from dapt.report.method_card import overview

    print(overview(METHODS.names()))


@methods.command("info")
def info(
    name: Annotated[str, typer.Argument(help="Name of a method; dapt: the settings of DAPT.")],
    backbone: Annotated[
        str, typer.Option("--model", help="Count parameters for this open_clip architecture.")
    ] = "ViT-B-16-quickgelu",
    plugin: PluginOption = None,
    classes: Annotated[int, typer.Option("--num-classes", min=1, max=30_000, help="Count for so many classes.")] = 100,
) -> None:
    """Show a method: paper, formula, trained parameters, settings and where they come from, differences.

    Or, as 'dapt methods info dapt', every setting of DAPT with its default.

    Examples:

      dapt methods info maple

      dapt methods info promptsrc.few_shot --model ViT-L-14 --num-classes 37

      dapt methods info dapt
    """
    from dapt.methods.base import METHODS
    from dapt.report.dapt_card import NAME, dapt_card
    from dapt.report.method_card import card, facts

    if name == NAME and name not in METHODS.names():
        print(dapt_card())
        return
    method = METHODS.get(name)
    from dapt.clip.random_model import random_clip

    print(card(method, facts(method, random_clip(backbone), classes), backbone, classes))
