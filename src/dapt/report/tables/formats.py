"""Tables as text: markdown, LaTeX, Typst, CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dapt.report.decimals import decimal, signed
from dapt.report.tables.grid import Cell, Grid
from dapt.report.tables.significance import Difference

MISSING = "–"
HOST, ZERO = "Δ host", "Δ zero-shot"


@dataclass(frozen=True)
class Shown:
    """A grid with its differences.

    Attributes:
        hosts, zero: by row, see `dapt.report.tables.compared`.
    """

    grid: Grid
    hosts: Mapping[str, Difference]
    zero: Mapping[str, Difference]

    def head(self) -> list[str]:
        """The names of the columns, without that of the rows."""
        return [*self.grid.columns, *([HOST] if self.hosts else []), *([ZERO] if self.zero else [])]

    def texts(self, row: str, marked: Callable[[str, int], str], plus: str = "±") -> list[str]:
        """The cells of a row; the best and second are put through `marked` with their rank."""
        found = []
        for column in self.grid.columns:
            cell = self.grid.cells.get((row, column))
            found.append(MISSING if cell is None else marked(figure(cell, plus), cell.rank))
        for there in (self.hosts, self.zero):
            if there:
                found.append(gap(there.get(row)))
        return found


def figure(cell: Cell, plus: str = "±") -> str:
    """``mean ± std``; the mean alone of a single seed."""
    mean = decimal(cell.mean)
    return mean if cell.std is None else f"{mean} {plus} {decimal(cell.std)}"


def gap(found: Difference | None) -> str:
    """``+1.20 [0.30, 2.10] p 0.031``: the mean, its interval, and the corrected p-value where there is one."""
    if found is None:
        return MISSING
    text = signed(found.mean)
    if found.pairs > 1:
        text += f" [{decimal(found.low)}, {decimal(found.high)}]"
    return text + (f" p {found.holm:.3f}" if found.holm is not None else "")


def markdown(shown: Shown) -> str:
    """A table of GitHub's markdown; the best bold, the second underlined."""

    def marked(text: str, rank: int) -> str:
        return f"**{text}**" if rank == 1 else f"<u>{text}</u>" if rank == 2 else text

    lines = [f"| method | {' | '.join(map(_piped, shown.head()))} |", "|---" * (len(shown.head()) + 1) + "|"]
    lines += [f"| {_piped(row)} | {' | '.join(shown.texts(row, marked))} |" for row in shown.grid.rows]
    return "\n".join([f"**{_piped(shown.grid.title)}**", "", *lines, *map(_piped, _below(shown, ""))])


def _piped(text: str) -> str:
    """A text as markdown shows it: names may hold what markdown or HTML would take for their own."""
    return "".join(f"\\{letter}" if letter in "\\|*[]`<" else letter for letter in _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}"}
_LATEX |= {"^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "Δ": r"$\Delta$", "–": "--"}


def _latexed(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def latex(shown: Shown) -> str:
    """A table for the package booktabs; the best bold, the second underlined."""

    def marked(text: str, rank: int) -> str:
        return rf"\textbf{{{text}}}" if rank == 1 else rf"\underline{{{text}}}" if rank == 2 else text

    columns = "l" + "r" * len(shown.head())
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latexed(shown.grid.title)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
    ]
    lines += [r"\toprule", " & ".join(["method", *map(_latexed, shown.head())]) + r" \\", r"\midrule"]
    for row in shown.grid.rows:
        texts = [_minus(text).replace(MISSING, "--") for text in shown.texts(row, marked, r"$\pm$")]
        lines.append(" & ".join([_latexed(row), *texts]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", *_below(shown, "% ")])


def _minus(text: str) -> str:
    """Figures with a minus sign before negative ones, where LaTeX would set a hyphen."""
    return re.sub(r"-(?=\d)", "$-$", text)


def typst(shown: Shown) -> str:
    """A table of Typst; the best bold, the second underlined."""

    def marked(text: str, rank: int) -> str:
        return f"#strong[{text}]" if rank == 1 else f"#underline[{text}]" if rank == 2 else text

    count = len(shown.head())
    lines = [f"#figure(caption: [{_typsted(shown.grid.title)}], table(", f"  columns: {count + 1},"]
    lines.append("  align: (left, " + "right, " * count + "),")
    lines.append("  table.header(" + ", ".join(f"[{_typsted(head)}]" for head in ["method", *shown.head()]) + "),")
    for row in shown.grid.rows:
        lines.append("  " + ", ".join(f"[{text}]" for text in [_typsted(row), *shown.texts(row, marked)]) + ",")
    return "\n".join([*lines, "))", *_below(shown, "// ")])


def _typsted(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "#*_$[]@<>`\\~" else letter for letter in _one_line(text))


def comma_separated(shown: Shown) -> str:
    """One line for each cell, with everything that is known of it in full precision.

    A cell whose row has differences in that column has a line for each: ``against`` its host, and zero-shot.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["table", "method", "column", "mean", "std", "seeds", "published"]
    writer.writerow([*head, "difference", "low", "high", "p", "p_holm", "against"])
    for row in shown.grid.rows:
        for column in shown.grid.columns:
            cell = shown.grid.cells.get((row, column))
            if cell is None:
                continue
            std = "" if cell.std is None else cell.std
            about = [shown.grid.title, row, column, cell.mean, std, cell.seeds, cell.published]
            for more in _differences(shown, row, column) or [[""] * 6]:
                writer.writerow([*about, *more])
    return text.getvalue().rstrip("\n")


def _differences(shown: Shown, row: str, column: str) -> list[list[object]]:
    """The last columns of the lines of a cell: one for each difference of its row that is in its column."""
    lines: list[list[object]] = []
    for against, gaps in (("host", shown.hosts), ("zero-shot", shown.zero)):
        found = gaps.get(row)
        if found is not None and column == (found.column or shown.grid.main):
            lines.append([found.mean, found.low, found.high, found.p, found.holm, against])
    return lines


def _below(shown: Shown, prefix: str) -> list[str]:
    return ["", *(f"{prefix}{_one_line(note)}" for note in shown.grid.notes)] if shown.grid.notes else []


FORMATS: dict[str, Callable[[Shown], str]] = {
    "markdown": markdown,
    "latex": latex,
    "typst": typst,
    "csv": comma_separated,
}
# How every table in one of these formats begins, by which files of ours are known.
BEGINNINGS = (
    r"table,method,column,mean,std,seeds,published,",
    r"\*\*[^\n]*\*\*\n\n\| method \|",
    r"\\begin\{table\}\n\\centering\n\\caption\{[^\n]*\n\\begin\{tabular\}\{lr*\}\n\\toprule\nmethod & ",
    r"#figure\(caption: \[[^\n]*, table\(\n  columns: \d+,\n[^\n]*\n  table\.header\(\[method\], ",
)
