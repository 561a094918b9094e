"""`dapt report --html` and `--figures`: where they may go, and writing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dapt.console import say
from dapt.files import make_folder
from dapt.outputs import check_file, check_folder
from dapt.report.chart import write_charts
from dapt.report.overview.gallery import look
from dapt.report.overview.material import material_of
from dapt.report.overview.results_page import charts_of, check_page, parts_of, write_results_page
from dapt.report.tables.formats import Shown
from dapt.report.tables.labels import Row
from dapt.wording import counted


def check_report_files(html: Path | None, figures: Path | None) -> None:
    """Refuse places for page and figures before anything is read.

    Raises:
        ConfigError: see `check_file`, `check_folder` and `check_page`.
    """
    check_file(html, "--html", {})
    check_page(html)
    if figures is not None:
        check_folder(figures, todo="Choose another folder for --figures.")


def write_report_files(
    rows: Sequence[Row],
    shown: Sequence[Shown],
    places: Sequence[str],
    unread: Mapping[str, str],
    *,
    table: str | None = None,
    html: Path | None = None,
    figures: Path | None = None,
    gallery: int | None = None,
    device: str = "auto",
) -> None:
    """Write the page and the figures of some runs.

    Args:
        rows: of `dapt.results.load`. shown: their tables. places: what was named. unread: folders that could not be
            read, with the reason. table: the only kind of table that was asked for. gallery: so many images each that
            DAPT gets right and wrong; None: a few, where data and models are at hand. device: that they are looked at
            on.

    Raises:
        DaptError: the file system refuses, or a file is in the way.
    """
    material = material_of(rows, shown, places, unread, table)
    parts = parts_of(material, look(material, images=gallery, device=device) if html is not None else [])
    if figures is not None:
        made = write_charts(charts_of(parts), figures)
        say(f"{counted(len(made), 'figure')} in {figures}")
        for part in parts:
            for note in part.notes if part.charts else ():
                say(f"figures of '{part.title}': {note}")
    if html is not None:
        make_folder(html.parent)
        write_results_page(html, material, parts)
        left_out = [part.title for part in parts if not part.shown]
        say(f"page: {html}" + (f"; not shown: {', '.join(left_out)}" if left_out else ""))
