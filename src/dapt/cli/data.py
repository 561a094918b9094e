"""`dapt data`: the benchmark data sets. Each sub-command has its own file."""

from __future__ import annotations

import typer

data = typer.Typer(help="The benchmark data sets: list, describe, download, check, and choose from them.")
