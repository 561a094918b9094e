"""`dapt methods`: what methods there are and what they are made of."""

from __future__ import annotations

from typing import Annotated

import typer

methods = typer.Typer(help="List the methods, or show one.", no_args_is_help=True)


@methods.command("list")
def list_methods() -> None:
    """List all methods.

    Example:

      dapt methods list
    """
    from dapt.methods.base import METHODS

    width = max(len(name) for name in METHODS.names())
    for name in METHODS.names():
        print(f"{name:<{width}}  {METHODS.get(name).summary}")


@methods.command("info")
def info(name: Annotated[str, typer.Argument(help="Name of a method.")]) -> None:
    """Show a method's paper, options and published settings.

    Example:

      dapt methods info maple
    """
    from dapt.methods.base import METHODS

    method = METHODS.get(name)
    options = method.options.model_validate(dict(method.preset))
    print(f"{method.name}: {method.summary}\npaper: {method.paper}")
    training = method.training
    print(f"training: lr {training.lr}, {training.epochs} epochs, batch {training.batch_size} ({training.source})")
    for limit, epochs in sorted(training.epochs_by_shots.items()):
        print(f"  up to {limit} shots: {epochs} epochs")
    print("options (--set prompt.NAME=VALUE):")
    for key, field in method.options.model_fields.items():
        print(f"  {key} = {getattr(options, key)!r}  {field.description or ''}")
