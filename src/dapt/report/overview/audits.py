"""What `dapt audit` found: accuracy by background."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.paths import with_home
from dapt.report.chart import Chart, key_below
from dapt.report.chart_style import COLOURS
from dapt.report.overview.material import Material
from dapt.report.overview.part import Part, PlainTable, cut
from dapt.report.tables.labels import host_of
from dapt.results.result_files import SETTINGS

KEYS = {"audit", "variants", "models", "comparisons"}  # of a record of `dapt audit`
VARIANTS = ("original", "only_fg", "mixed_same", "mixed_rand", "only_bg_t")
LARGEST = 64 * 2**20  # bytes of a file that is looked at
ROWS = 8
MODELS = 400


def audits(material: Material) -> Part:
    """Bars of the records below the folders that were named."""
    part = Part("audit", "How much hangs on the background")
    found, damaged = records_below(material.places)
    groups = by_row(found, {Path(run.folder).name: run.label for run in material.runs})
    if not groups:
        part.missing = "below these folders there is no record of dapt audit"
        return part
    part.says.append(
        "Accuracy on images taken apart into object and background and put together anew (dapt audit). What is lost "
        "between the background of the same class and that of a random one hangs on the background."
    )
    rows = list(groups)[:ROWS]
    part.charts.append(_chart(rows, groups))
    part.tables.append(_table(groups))
    part.notes += cut(len(rows), len(groups), "models")
    if damaged:
        part.notes.append(f"{len(damaged)} files could not be read: {', '.join(damaged[:3])}.")
    return part


def records_below(places: Sequence[str]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The records of audits below folders of this machine, but for those within runs; and files that are damaged.

    A file is one if it is called audit.json, or has the keys of one.
    """
    found, damaged = [], []
    for place in places:
        if "://" in place:
            continue
        for folder, inside, files in os.walk(with_home(place)):
            if SETTINGS in files:
                inside.clear()
                continue
            inside.sort()
            for name in sorted(files):
                path = Path(folder) / name
                if not name.endswith(".json") or name.startswith("."):
                    continue
                try:
                    if path.stat().st_size > LARGEST:
                        continue
                    tree = json.loads(path.read_bytes())
                except (OSError, ValueError, RecursionError):
                    damaged += [str(path)] if name == "audit.json" else []
                    continue
                if isinstance(tree, dict) and set(tree) >= KEYS and isinstance(tree["models"], list):
                    found.append(tree)
    return found, damaged


def by_row(records: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> dict[str, list[Mapping[str, Any]]]:
    """The models of the records by what tables call them.

    Args:
        labels: of runs, by the name of their folder. A model that is none of them goes by its own name.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    datas = {str(record.get("data")) for record in records}
    for record in records:
        for model in record["models"]:
            if isinstance(model, Mapping) and isinstance(model.get("accuracy"), Mapping):
                name = str(model.get("name"))
                label = labels.get(name, name)
                found.setdefault(label if len(datas) == 1 else f"{label}, {record.get('data')}", []).append(model)
    rows = list(found)
    paired = [name for row in rows if (host := host_of(row, rows)) for name in (host, row)]
    return {row: found[row] for row in dict.fromkeys([*paired, *rows])}


def value_of(models: Sequence[Mapping[str, Any]], *keys: str) -> tuple[float, float, float] | None:
    """A figure: its mean, and how far its interval reaches down and up.

    Of several models (seeds) the interval is ± their standard deviation, of one that of its images.
    """
    figures = []
    for model in models:
        each: Any = model
        for key in keys:
            each = each.get(key) if isinstance(each, Mapping) else None
        if isinstance(each, Mapping) and isinstance(each.get("value"), int | float):
            figures.append(each)
    if not figures:
        return None
    values = [float(each["value"]) for each in figures]
    if len(values) > 1:
        spread = statistics.pstdev(values)
        return statistics.fmean(values), spread, spread
    low, high = (float(figures[0].get(key) or values[0]) for key in ("low", "high"))
    return values[0], max(0.0, values[0] - low), max(0.0, high - values[0])


def _chart(rows: Sequence[str], groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> Chart:
    def draw(axes: Any) -> None:
        wide = 0.85 / len(rows)
        handles = []
        for number, row in enumerate(rows):
            found = [value_of(groups[row], "accuracy", name) for name in VARIANTS]
            places = [place + (number - (len(rows) - 1) / 2) * wide for place, each in enumerate(found) if each]
            known = [each for each in found if each]
            whiskers = [[each[1] for each in known], [each[2] for each in known]]
            tone = COLOURS[number % len(COLOURS)]
            options = {
                "error_kw": {"linewidth": 0.7},
                "ecolor": "#010203",
                "hatch": "///" if number >= len(COLOURS) else "",
            }
            handles.append(
                axes.bar(places, [each[0] for each in known], wide * 0.9, color=tone, yerr=whiskers, **options)
            )
        axes.set_xticks(range(len(VARIANTS)), [name.replace("_", "\n") for name in VARIANTS])
        axes.set_ylabel("accuracy, percent")
        key_below(axes, handles, list(rows))

    table = []
    for row in rows:
        found = [value_of(groups[row], "accuracy", name) for name in VARIANTS]
        table.append((row, *("–" if each is None else f"{each[0]:.2f}" for each in found)))
    says = (
        "Bars of accuracy by variant; whiskers are ± the standard deviation over seeds, of one model its 95% interval."
    )
    return Chart("audit", "Accuracy by background", says, ("model", *VARIANTS), table, draw, high=0.85)


def _table(groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> PlainTable:
    def text(models: Sequence[Mapping[str, Any]], *keys: str) -> str:
        found = value_of(models, *keys)
        return "–" if found is None else f"{found[0]:.2f}"

    rows = [
        (
            row,
            str(len(models)),
            *(text(models, "accuracy", name) for name in VARIANTS),
            text(models, "bg_gap"),
            text(models, "changed"),
        )
        for row, models in list(groups.items())[:MODELS]
    ]
    head = ("model", "audits", *VARIANTS, "BG-gap", "answers changed")
    return PlainTable("Background audits, percent", head, rows)
