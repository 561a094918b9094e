"""The tables of the field: which runs belong into each, what their columns are, and how averages are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dapt.errors import ConfigError, DataError, did_you_mean
from dapt.report.tables.audits import audit_grids, is_of_audit
from dapt.report.tables.data_sets import parts, told_apart
from dapt.report.tables.grid import AVERAGE, Grid, Seen, cell_of, fill, harmonic_mean, ranked
from dapt.report.tables.labels import labels_of, there
from dapt.report.tables.seeds import seed_notes

Row = Mapping[str, Any]
LESS = ("_error", "_gap", "_mb", "_seconds", "trainable_parameters", "bad_images")  # figures that are better when lower
BASE, NOVEL, HARMONIC = "base", "novel", "HM"


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    Attributes:
        title: for people. fits: whether a run belongs into it. make: its grids, of the runs with their labels.
        columns: settings that it has in its columns, so that they tell no rows apart.
    """

    title: str
    fits: Callable[[Row], bool]
    make: Callable[[Sequence[tuple[str, Row]]], list[Grid]]
    columns: tuple[str, ...] = ()


def tables(rows: Sequence[Row], kind: str | None = None) -> list[Grid]:
    """The tables of some runs.

    Args:
        rows: of `dapt.results.load`. kind: its name; None: every kind that has runs.

    Raises:
        ConfigError: there is no such kind. DataError: no run belongs into it.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"There is no table '{kind}'.", todo=did_you_mean(kind, KINDS))
    found: list[Grid] = []
    rows, said = told_apart(rows)
    for name in KINDS if kind is None else [kind]:
        fitting = _in_order([row for row in rows if KINDS[name].fits(row)])
        of_kind = list(zip(labels_of(fitting, columns=KINDS[name].columns), fitting, strict=True))
        for grid in KINDS[name].make(of_kind) if of_kind else []:
            grid.kind = name
            grid.notes += said
            grid.notes += seed_notes(grid)
            found.append(ranked(grid))
    if not found:
        what = (
            "no finished run" if not rows else f"no run that belongs into {f'the table {kind}' if kind else 'a table'}"
        )
        raise DataError(
            f"There is {what}.", todo="Name other folders, another --table, or a --figure such as test/accuracy."
        )
    return found


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """Zero-shot first, methods as they come, each without DAPT before it is with it."""
    methods = list(dict.fromkeys(str(row.get("method")) for row in rows))
    methods.sort(key=lambda method: not method.startswith("zero_shot"))
    return sorted(rows, key=lambda row: (methods.index(str(row.get("method"))), bool(row.get("dapt"))))


def _base_to_novel(runs: Sequence[tuple[str, Row]]) -> list[Grid]:
    """Base, novel and harmonic mean: of the average over data sets, then of each."""
    names = {"test/accuracy_base": BASE, "test/accuracy_novel": NOVEL}
    seen = [
        Seen(label, column, str(row["data"]), int(row["seed"]), float(row[key]))
        for label, row in runs
        for key, column in names.items()
        if there(row.get(key))
    ]
    grids = []
    for data, part, left in parts(seen):
        grid = fill(f"base-to-novel, {_about(data, part)}", part, [BASE, NOVEL, HARMONIC])
        for row in grid.rows:
            base, novel = grid.cells.get((row, BASE)), grid.cells.get((row, NOVEL))
            if base is not None and novel is not None:
                grid.cells[row, HARMONIC] = harmonic_mean(base, novel)
        grid.main, grid.data = HARMONIC, data
        grid.notes += left
        grids.append(grid)
    return grids


def _few_shot(runs: Sequence[tuple[str, Row]]) -> list[Grid]:
    shots = sorted({int(row["shots"]) for _, row in runs}, key=lambda count: count or 10**9)
    columns = {count: str(count) if count else "all" for count in shots}
    return _by_data(runs, lambda row: columns[int(row["shots"])], list(columns.values()), "accuracy by shots")


def _data_efficient(runs: Sequence[tuple[str, Row]]) -> list[Grid]:
    fractions = sorted({_fraction(row) for _, row in runs})
    columns = [f"{100 * fraction:g}%" for fraction in fractions]
    runs = [(f"{row['set/select']}: {label}" if there(row.get("set/select")) else label, row) for label, row in runs]
    return _by_data(runs, lambda row: f"{100 * _fraction(row):g}%", columns, "accuracy by share of the images")


def _fraction(row: Row) -> float:
    return float(row["set/fraction"]) if there(row.get("set/fraction")) else 1.0


def _by_data(
    runs: Sequence[tuple[str, Row]], column: Callable[[Row], str], columns: list[str], title: str
) -> list[Grid]:
    seen = [
        Seen(label, column(row), str(row["data"]), int(row["seed"]), float(row["test/accuracy"]))
        for label, row in runs
        if there(row.get("test/accuracy"))
    ]
    grids = []
    for data, part, left in parts(seen):
        grids.append(fill(f"{title}, {_about(data, part)}", part, columns))
        grids[-1].main, grids[-1].data = columns[-1], data
        grids[-1].notes += left
    return grids


def _elsewhere(title: str) -> Callable[[Sequence[tuple[str, Row]]], list[Grid]]:
    """A table of one source and its targets, with the mean over targets."""

    def make(runs: Sequence[tuple[str, Row]]) -> list[Grid]:
        grids = []
        for source in dict.fromkeys(str(row["data"]) for _, row in runs):
            own = [(label, row) for label, row in runs if str(row["data"]) == source]
            points = list(dict.fromkeys(str(row["point"]) for _, row in own if row["kind"] == "evaluation"))
            seen = [
                Seen(label, _point(row, source), _point(row, source), int(row["seed"]), float(row["test/accuracy"]))
                for label, row in own
                if there(row.get("test/accuracy"))
            ]
            grid = fill(f"{title}, from {source}", seen, [source, *points, AVERAGE])
            for row in grid.rows:
                targets = [each for each in seen if each.row == row and each.column in points]
                cell = cell_of(targets)
                if cell is not None and {each.column for each in targets} == set(points):
                    grid.cells[row, AVERAGE] = cell
            grid.main, grid.data = AVERAGE, source
            grids.append(grid)
        return grids

    return make


def _point(row: Row, source: str) -> str:
    return str(row["point"]) if row["kind"] == "evaluation" else source


def _about(data: str, seen: Sequence[Seen]) -> str:
    return f"average of {len({each.data for each in seen})} data sets" if data == AVERAGE else data


def _protocol(row: Row) -> str:
    value = row.get("protocol")
    return str(value) if there(value) else ""


def _is_plain(row: Row) -> bool:
    """A run of its own or of a few-shot protocol: all classes, all images of its shots."""
    return row["kind"] == "run" and row.get("subset") == "all" and _fraction(row) == 1


KINDS: dict[str, Kind] = {
    "base-to-novel": Kind(
        "base-to-novel generalisation",
        lambda row: row["kind"] == "run" and row.get("subset") == "base",
        _base_to_novel,
    ),
    "few-shot": Kind(
        "few-shot learning",
        lambda row: _is_plain(row) and _protocol(row) in ("", "few_shot"),
        _few_shot,
        ("shots", "fraction", "select"),
    ),
    "cross": Kind(
        "cross-dataset transfer", lambda row: _protocol(row) == "cross_dataset", _elsewhere("cross-dataset transfer")
    ),
    "dg": Kind(
        "domain generalisation",
        lambda row: _protocol(row) == "domain_generalisation",
        _elsewhere("domain generalisation"),
    ),
    "data-efficient": Kind(
        "data-efficient learning",
        lambda row: row["kind"] == "run" and (_protocol(row) == "data_efficient" or _fraction(row) < 1),
        _data_efficient,
        ("fraction", "select"),
    ),
    "audit": Kind("background audit", is_of_audit, audit_grids),
}


def free_table(rows: Sequence[Row], figure: str, row_keys: Sequence[str], column_keys: Sequence[str]) -> Grid:
    """A table with any rows and columns.

    Args:
        figure: a column of `dapt.results.load`, such as ``test/accuracy``. row_keys, column_keys: columns whose values
            are joined to names of rows and columns; ``label`` is the method with what tells it apart.

    Title or a note tells of which classes a figure of runs on base classes is.

    Raises:
        ConfigError: there is no such column. DataError: no run has the figure.
    """
    known = sorted({key for row in rows for key in row} | {"label"})
    for key in (figure, *row_keys, *column_keys):
        if key not in known:
            raise ConfigError(f"Runs have no column '{key}'.", todo=did_you_mean(key, known))
    rows, said = told_apart(rows)
    shown = [key.removeprefix("set/") for key in (*row_keys, *column_keys)]
    labels = labels_of(rows, columns=shown)
    whole = [{**row, "label": label} for label, row in zip(labels, rows, strict=True)]
    seen = [
        Seen(
            _named(row, row_keys),
            _named(row, column_keys) or figure,
            str(row["data"]),
            int(row["seed"]),
            _number(row[figure], figure),
        )
        for row in whole
        if there(row.get(figure))
    ]
    if not seen:
        raise DataError(f"No run has the figure {figure}.")
    columns = list(dict.fromkeys(each.column for each in seen))
    of_base = sum(row.get("subset") == "base" for row in whole if there(row.get(figure)))
    title = f"{figure} (base classes)" if _is_of_trained(figure) and of_base == len(seen) else figure
    grid = fill(title, seen, columns)
    if figure.endswith(LESS) or (figure.startswith("timing/") and not figure.endswith("per_second")):
        grid.lower_is_better = frozenset(columns)
    grid = ranked(grid)
    grid.main = columns[-1]
    grid.notes += said
    if of_base and _is_of_trained(figure):
        grid.notes.append(_of_which_classes(figure, of_base, len(seen)))
    grid.notes += seed_notes(grid, "In percent" if figure.startswith(("test/", "val/", "cue/")) else figure)
    return grid


def _number(value: Any, figure: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(
            f"{figure} is no figure: a run has {str(value)[:40]!r}.", todo="Take one such as test/accuracy."
        )
    return float(value)


def _is_of_trained(figure: str) -> bool:
    """Whether a figure of a run on base classes is of the test images of these classes alone."""
    others = ("base", "novel", "harmonic", "generalised")
    return figure.startswith("test/") and not any(word in figure for word in others)


def _of_which_classes(figure: str, of_base: int, total: int) -> str:
    """What is said of a figure that runs on base classes have of these alone."""
    more = "Those of novel classes are test/accuracy_novel, and the table base-to-novel has both."
    if of_base == total:
        return f"All runs were trained on base classes (subset: base), and {figure} is of these alone. {more}"
    return (
        f"{figure} is of base classes alone in {of_base} of {total} runs, trained on these (subset: base), and of all "
        f"classes in the others: --where subset=base or --where subset=all chooses. {more}"
    )


def _named(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{row.get(key):g}" if isinstance(row.get(key), float) else str(row.get(key)) for key in keys)
