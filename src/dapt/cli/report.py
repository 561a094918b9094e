"""`dapt report`: tables of many runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapt.cli.options import DeviceOption, QuietOption, at_home, silence, split_names

if TYPE_CHECKING:
    from dapt.report.tables.formats import Shown

EXAMPLES = """Examples:

  dapt report runs/

  dapt report runs/base-to-novel --table base-to-novel --compare published

  dapt report runs/ --table few-shot --format latex --out table.tex

  dapt report runs/ --figure test/accuracy --rows label --columns data,shots

  dapt report runs/ --html report.html --figures figures/

  dapt report runs/ --where data=caltech101 --where dapt.variant=joint

  dapt report runs/ --store runs.parquet

Without --table every table is made that there are runs for. Means are over seeds, with their standard deviation; of
rows with DAPT the difference to the same method without it is told, with its 95% interval and the p-value of a
Wilcoxon test, corrected for the number of rows. The best is bold, the second underlined.

--html writes one page that needs no network: what was found, tables to sort and filter, charts, pictures of images that
DAPT gets right and wrong, costs and commands. --figures writes the same charts for papers, for one and two columns.
"""


def report(
    runs: Annotated[
        list[str],
        typer.Argument(help="Folders with runs below them, addresses as s3://bucket/runs, or files of --store."),
    ],
    table: Annotated[
        str | None,
        typer.Option("--table", help="base-to-novel, few-shot, cross, dg, data-efficient or audit. [default: all]"),
    ] = None,
    figure: Annotated[
        str | None,
        typer.Option("--figure", help="A table of any figure, such as test/accuracy, by --rows and --columns."),
    ] = None,
    rows: Annotated[
        str | None, typer.Option("--rows", help="With --figure: columns of results, joined. [default: label]")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", help="With --figure: columns of results, joined. [default: data]")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="COLUMN=VALUE",
            help="Only runs with this value of a setting or column, or one of several: data=caltech101,dtd.",
        ),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="rich, markdown, latex, typst or csv. [default: rich]")
    ] = None,
    compare: Annotated[
        str | None, typer.Option("--compare", help="published: rows of published figures, named as such.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the tables into this file.", callback=at_home)
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Keep all runs as one Parquet file, which dapt report reads.", callback=at_home),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", help="Write one page with tables, charts and pictures into this file.", callback=at_home
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures", help="Write the charts of the page into this folder, as PNG and SVG.", callback=at_home
        ),
    ] = None,
    gallery: Annotated[
        int | None,
        typer.Option(
            "--gallery", min=0, help="With --html: so many images each that DAPT gets right and wrong. [default: 4]"
        ),
    ] = None,
    device: DeviceOption = "auto",
    quiet: QuietOption = False,
) -> None:
    """Tables of many runs."""
    from dapt.console import say
    from dapt.errors import ConfigError, DataError
    from dapt.outputs import check_begun, check_different, check_file
    from dapt.report.report_files import check_report_files, write_report_files
    from dapt.report.tables.chosen import chosen
    from dapt.report.tables.compared import to_hosts, to_zero_shot
    from dapt.report.tables.formats import BEGINNINGS, FORMATS, Shown
    from dapt.report.tables.kinds import free_table, tables
    from dapt.report.tables.published import with_published
    from dapt.results import load, save
    from dapt.results.store_file import check_store
    from dapt.wording import counted, some

    silence(quiet)
    on_page = html is not None or figures is not None
    prints = form is not None or out is not None or not on_page
    form = form or "rich"
    if form not in ("rich", *FORMATS):
        raise ConfigError(f"There is no format '{form}'.", todo=f"It is one of rich, {', '.join(FORMATS)}.")
    if compare not in (None, "published"):
        raise ConfigError(f"There is nothing called '{compare}' to compare with.", todo="Write --compare published.")
    if figure is None and (rows or columns):
        raise ConfigError("--rows and --columns belong to --figure.", todo="Name one: --figure test/accuracy.")
    if figure is not None and (table or compare):
        raise ConfigError("--figure goes with neither --table nor --compare.", todo="Leave one of them out.")
    if out is not None and form == "rich":
        raise ConfigError("--out needs a --format for files.", todo=f"It is one of {', '.join(FORMATS)}.")
    if gallery and html is None:
        raise ConfigError("--gallery belongs to --html.", todo="Name a file for the page: --html report.html.")
    check_different({"--out": out, "--store": store, "--html": html, "--figures": figures})
    check_file(out, "--out", {})
    check_begun(out, BEGINNINGS, "--out", by="dapt report")
    check_file(store, "--store", {})
    check_store(store, "--store")
    check_report_files(html, figures)
    places = [at_home(each) for each in runs]
    frame = load(places)
    if not len(frame):
        raise DataError(
            f"There is no finished run in {some(places)}.", todo="Give folders of runs, or a folder that holds some."
        )
    if store is not None:
        say(f"{counted(len(frame), 'row')} of results: {save(frame, store)}")
    found = chosen(frame.to_dict("records"), where or [])
    if figure is not None:
        grids = [free_table(found, figure, split_names(rows) or ["label"], split_names(columns) or ["data"])]
    else:
        grids = tables(found, table)
    if compare:
        ours = sorted({str(row["backbone"]) for row in found})
        grids = [with_published(grid, grid.kind, grid.data, ours) for grid in grids]
    shown = [Shown(grid, to_hosts(grid), to_zero_shot(grid)) for grid in grids]
    if prints:
        _print_tables(shown, form, out)
    if on_page:
        unread = frame.attrs.get("unread", {})
        write_report_files(
            found,
            shown,
            places,
            unread,
            table=table,
            html=html,
            figures=figures,
            gallery=gallery,
            device=device,
        )


def _print_tables(shown: list[Shown], form: str, out: Path | None) -> None:
    """Tables on the terminal, or into a file."""
    from dapt.console import say, show
    from dapt.files import write_bytes
    from dapt.report.tables.formats import FORMATS
    from dapt.report.tables.terminal import print_rich

    if form == "rich":
        for each in shown:
            print_rich(each)
        return
    if form == "csv":  # which has no place for them
        for each in shown:
            for note in each.grid.notes:
                say(f"{each.grid.title}: {note}")
    text = "\n\n".join(FORMATS[form](each) for each in shown) + "\n"
    if out is None:
        show(*text.rstrip("\n").split("\n"))
    else:
        write_bytes(out, text.encode())


report.__doc__ = f"Tables of many runs: means over seeds, spread, and differences.\n\n{EXAMPLES}"
