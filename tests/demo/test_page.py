"""The demonstration's page marks the better of the trained models in every column, and draws what was measured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dapt.demo.figures import KINDS, MEASURES, Spread, spread
from dapt.demo.gallery import Exhibit
from dapt.demo.page import write_demo_page
from dapt.demo.setting import DemoSettings

Figures = dict[str, dict[str, Spread]]


def figures(values: dict[str, list[float]], std: float = 1.0) -> Figures:
    """Means by kind, in the order of `MEASURES`."""
    return {
        kind: {name: Spread(value, std, (value - std, value + std)) for name, value in zip(MEASURES, row, strict=True)}
        for kind, row in values.items()
    }


def page(tmp_path: Path, given: Figures, **changed: Any) -> str:
    environment = {"dapt": "0", "python": "3", "torch": "2", "cpu_count": 2}
    seconds = {"drawing": 1.0, "training": 2.0, "page": 3.0, "total": 6.0}
    write_demo_page(
        tmp_path / "index.html",
        settings=DemoSettings(**changed),
        figures=given,
        curves={},
        exhibits=[Exhibit("cup", "water", *([Image.new("RGB", (4, 4))] * 5), looks={})],
        train_items=[],
        test_items=[],
        commands=[],
        environment=environment,
        seconds=seconds,
    )
    return (tmp_path / "index.html").read_text(encoding="utf-8")


def marked(html: str) -> list[list[bool]]:
    """Whether each cell of the table of figures is marked, by row."""
    rows = [
        re.findall(r"<td( class=\"best\")? data-head=\"[^\"]+\">\d+\.\d", row)
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.S)
    ]
    return [[cell != "" for cell in row] for row in rows if len(row) == len(MEASURES)]


ROWS = {
    "zero_shot": [90.0, 10.0, 20.0, 30.0, 5.0],
    "host": [80.0, 95.0, 20.0, 40.0, 9.0],
    "dapt": [85.0, 50.0, 60.0, 35.0, 7.0],
}


def test_the_better_of_the_trained_is_marked_in_every_column(tmp_path: Path) -> None:
    """Zero-shot, which saw no image, is no rival of theirs, however good it is."""
    assert list(MEASURES)[-1] == "test/taken_for_background"  # of which the least is the best
    assert marked(page(tmp_path, figures(ROWS))) == [
        [False, False, False, False, False],
        [False, True, False, True, False],
        [True, False, True, False, True],
    ]


@pytest.mark.parametrize("winner", KINDS[1:])
def test_whoever_is_best_is_marked(tmp_path: Path, winner: str) -> None:
    rows = {kind: [60.0, 60.0, 60.0, 60.0, 3.0] if kind == winner else [50.0, 50.0, 50.0, 50.0, 8.0] for kind in KINDS}
    assert marked(page(tmp_path, figures(rows))) == [[kind == winner] * 5 for kind in KINDS]


def test_equal_values_are_marked_alike(tmp_path: Path) -> None:
    rows = {"zero_shot": [10.0] * 5, "host": [50.0] * 4 + [1.0], "dapt": [50.0] * 4 + [1.0]}
    assert marked(page(tmp_path, figures(rows))) == [[False] * 5, [True] * 5, [True] * 5]


def test_the_mean_decides_and_not_the_spread(tmp_path: Path) -> None:
    rows = figures({"zero_shot": [49.0] * 4 + [9.0], "host": [50.0] * 4 + [8.0], "dapt": [51.0] * 4 + [7.0]})
    rows["zero_shot"] = {name: Spread(value.mean, 30.0, value.values) for name, value in rows["zero_shot"].items()}
    assert marked(page(tmp_path, rows))[2] == [True] * 5


def test_every_figure_has_its_head_where_the_table_is_a_list(tmp_path: Path) -> None:
    assert re.findall(r'data-head="([^"]+)"', page(tmp_path, figures(ROWS))) == list(MEASURES.values()) * len(KINDS)


@pytest.mark.parametrize("scenes", ["kinds", "classes"])
def test_it_says_what_was_learned(tmp_path: Path, scenes: str) -> None:
    html = page(tmp_path, figures(ROWS), scenes=scenes)
    assert ("nobody told it" in html) is (scenes == "kinds")
    assert ("made for these very classes" in html) is (scenes == "classes")


def test_it_says_how_dapt_was_set(tmp_path: Path) -> None:
    assert "those of\n<code>dapt train --dapt</code>." in page(tmp_path, figures(ROWS))
    html = page(tmp_path, figures(ROWS), dapt={"variant": "joint", "margin": 0.5})
    assert (
        "<code>dapt train --dapt</code>, but for <code>dapt.variant=joint</code>, <code>dapt.margin=0.5</code>." in html
    )
    assert "All terms are summed throughout." in html
    html = page(tmp_path, figures(ROWS), dapt={"variant": "released", "switch": 0.4})
    assert "40% of the epochs" in html


def test_means_and_spreads_are_written(tmp_path: Path) -> None:
    html = page(tmp_path, figures(ROWS, std=1.5))
    for row in ROWS.values():
        for value in row:
            assert f"{value:.1f} ± 1.5" in html


def test_the_chart_has_the_measured_errors(tmp_path: Path) -> None:
    """The error bars of the page's chart are as long as the spread of its figures."""
    lengths = []
    for std in (1.0, 3.0):
        html = page(tmp_path, figures(ROWS, std=std))
        found = re.findall(r'<g id="LineCollection_\d+">\s*<path d="M [\d.]+ ([\d.]+) \s*L [\d.]+ ([\d.]+)', html)
        assert found
        lengths.append(abs(float(found[0][0]) - float(found[0][1])))
    assert lengths[0] > 0
    assert lengths[1] / lengths[0] == pytest.approx(3.0, rel=0.2)


def test_spread_of_one_and_of_several() -> None:
    assert spread([3.0, 5.0]) == Spread(4.0, pytest.approx(2**0.5), (3.0, 5.0))  # divided by n - 1
    assert spread([3.0]).std == 0.0
    assert spread([2.0, 2.0, 2.0]).std == 0.0
