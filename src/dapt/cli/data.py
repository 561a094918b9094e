"""`dapt data`: the benchmark data sets. Each sub-command has its own file."""

from __future__ import annotations

import typer

from dapt.cli.data_check import check
from dapt.cli.data_download import download
from dapt.cli.data_import import import_fewshot
from dapt.cli.data_info import info
from dapt.cli.data_list import list_data
from dapt.cli.data_select import select
from dapt.cli.data_verify import verify

data = typer.Typer(help="The benchmark data sets: list, describe, download, check, and choose from them.")
data.command("list")(list_data)
data.command("info")(info)
data.command("verify")(verify)
data.command("check")(check)
data.command("select")(select)
data.command("import-fewshot")(import_fewshot)
data.command("download")(download)
