"""Published figures beside one's own: always named as such, never mixed with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from dapt.report.tables.grid import AVERAGE, Cell, Grid
from dapt.report.tables.kinds import BASE, HARMONIC, NOVEL
from dapt.wording import some

# Names of data sets in the collection of published figures, by those of the catalog.
NAMES = {
    "imagenet": "ImageNet",
    "caltech101": "Caltech101",
    "oxford_pets": "OxfordPets",
    "stanford_cars": "StanfordCars",
    "oxford_flowers": "OxfordFlowers",
    "food101": "Food101",
    "fgvc_aircraft": "FGVCAircraft",
    "sun397": "SUN397",
    "dtd": "DescribableTextures",
    "eurosat": "EuroSAT",
    "ucf101": "UCF101",
    "imagenetv2": "ImageNetV2",
    "imagenet_sketch": "ImageNetSketch",
    "imagenet_a": "ImageNetA",
    "imagenet_r": "ImageNetR",
}
AVERAGES = {"base-to-novel": "average11", "cross": "average10", "dg": "average4"}
SOURCE = "ImageNet(source)"


@cache
def figures() -> list[dict[str, Any]]:
    """All published figures that are known: method, protocol, dataset, metric, value, backbone, source."""
    found: list[dict[str, Any]] = json.loads(files(__package__).joinpath("published.json").read_text(encoding="utf-8"))
    return found


def with_published(grid: Grid, kind: str, data: str, ours: Sequence[str] = ()) -> Grid:
    """The grid with a row for every method of which a figure in one of its columns was published.

    Args:
        kind: of the table. data: the data set that it is about, `AVERAGE` for the average, and the source of a
            transfer. ours: backbones of the runs in the table, which are told beside those of the figures.
    """
    rows: dict[str, dict[str, Cell]] = {}
    sources: dict[str, str] = {}
    backbones: set[str] = set()
    for each in figures():
        column = _column(each, kind, data, grid)
        if column is None:
            continue
        name = f"{each['method']} (published)"
        rows.setdefault(name, {})[column] = Cell(float(each["value"]), published=each["source"])
        sources[each["source"]] = each["source"]
        backbones.add(each["backbone"])
    for name, cells in rows.items():
        grid.rows.append(name)
        for column, cell in cells.items():
            grid.cells[name, column] = cell
    if rows:
        here = f" The runs here are of {some(ours)}." if ours else ""
        grid.notes.append(f"Published with {', '.join(sorted(backbones))}: {'; '.join(sources)}.{here}")
    else:
        grid.notes.append("No published figures are known for this table.")
    return grid


def _column(each: dict[str, Any], kind: str, data: str, grid: Grid) -> str | None:
    """The column of a grid that a published figure belongs into, None where it belongs elsewhere."""
    protocol, dataset = each["protocol"], each["dataset"]
    wanted = AVERAGES.get(kind) if data == AVERAGE else NAMES.get(data)
    if kind == "base-to-novel" and protocol == "base_to_novel_16shot" and dataset == wanted:
        return {"base": BASE, "novel": NOVEL, "HM": HARMONIC}.get(each["metric"])
    if kind == "few-shot" and protocol.startswith("few_shot_") and each["metric"] == "accuracy":
        shots = protocol.removeprefix("few_shot_")
        of_data = dataset == ("average11" if data == AVERAGE else wanted)
        return shots if of_data and shots in grid.columns else None
    transfers = {
        "cross": "cross_dataset_from_imagenet_16shot",
        "dg": "domain_generalisation_from_imagenet_16shot",
    }
    if protocol == transfers.get(kind) and data == "imagenet":
        columns = {NAMES.get(column, column): column for column in grid.columns}
        columns |= {SOURCE: data, AVERAGES[kind]: AVERAGE}
        return columns.get(dataset)
    return None
