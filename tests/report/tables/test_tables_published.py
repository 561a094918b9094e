"""Published figures: as they were collected, in the right columns, named as such."""

from __future__ import annotations

import json

from dapt.report.tables.grid import AVERAGE, Grid
from dapt.report.tables.kinds import BASE, HARMONIC, NOVEL
from dapt.report.tables.published import NAMES, figures, with_published
from helpers import SHARED, needs_shared


@needs_shared
def test_as_they_were_collected() -> None:
    assert figures() == json.loads((SHARED / "facts" / "published.json").read_text())


def test_every_figure_has_a_source() -> None:
    assert len(figures()) > 600
    for each in figures():
        assert each["source"].strip()
        assert isinstance(each["value"], float | int)


def test_names_are_those_of_the_catalog() -> None:
    from dapt.data.catalog.base import CATALOG

    known = set(CATALOG.names())
    assert {name for name in NAMES if not name.startswith("imagenet_") and name != "imagenetv2"} <= known
    assert set(NAMES) <= known, sorted(set(NAMES) - known)


def test_base_to_novel() -> None:
    grid = with_published(Grid("t", [], [BASE, NOVEL, HARMONIC], {}), "base-to-novel", AVERAGE, ["demo"])
    assert grid.notes[-1].endswith("The runs here are of demo.")
    cell = grid.cells["MaPLe (published)", HARMONIC]
    assert cell.mean == 78.55
    assert cell.published
    assert all(row.endswith("(published)") for row in grid.rows)
    assert grid.notes[0].startswith("Published with ViT-B/16: ")
    own = with_published(Grid("t", [], [BASE, NOVEL, HARMONIC], {}), "base-to-novel", "dtd")
    assert own.cells["MaPLe (published)", BASE].mean != 82.28


def test_few_shot_and_transfer() -> None:
    grid = with_published(Grid("t", [], ["4", "16"], {}), "few-shot", "eurosat")
    assert {column for _, column in grid.cells} == {"4", "16"}
    grid = with_published(Grid("t", [], ["imagenet", "dtd", AVERAGE], {}), "cross", "imagenet")
    assert grid.cells["MaPLe (published)", "dtd"].mean > 0
    assert ("MaPLe (published)", AVERAGE) in grid.cells


def test_nothing_known() -> None:
    grid = with_published(Grid("t", [], [BASE], {}), "base-to-novel", "photos")
    assert grid.rows == []
    assert grid.notes == ["No published figures are known for this table."]
