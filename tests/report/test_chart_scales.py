"""What a chart draws is measured in its SVG: heights, error bars, bands and means are to scale."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from dapt.report.charts import COLOURS, bar_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"
Points = list[tuple[float, float]]


def points_of(path: ElementTree.Element) -> Points:
    numbers = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", path.attrib["d"])
    return [(float(x), float(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def groups(svg: str, prefix: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    return [node for node in root.iter(f"{SVG}g") if node.attrib.get("id", "").startswith(prefix)]


def bars_of(svg: str, colour: str) -> list[tuple[float, float, float]]:
    """Middle, top and bottom of every bar of a colour, in SVG units, without the legend's."""
    found = []
    for group in groups(svg, "patch_"):
        for path in group.iter(f"{SVG}path"):
            if colour.lower() in path.attrib.get("style", "").lower():
                points = points_of(path)
                xs, ys = [x for x, _ in points], [y for _, y in points]
                found.append(((min(xs) + max(xs)) / 2, min(ys), max(ys)))
    return found[:2]


def error_lines(svg: str) -> list[tuple[float, float, float]]:
    """Middle, top and bottom of every error bar."""
    found = []
    for group in groups(svg, "LineCollection_"):
        for path in group.iter(f"{SVG}path"):
            (x, first), (again, second) = points_of(path)[:2]
            assert x == again
            found.append((x, min(first, second), max(first, second)))
    return found


BARS = {"host": [(50.0, 4.0), (20.0, 8.0)], "dapt": [(60.0, 2.0), (40.0, 0.0)]}


def test_bars_and_their_errors_are_to_scale() -> None:
    svg = bar_chart(["own", "exchanged"], BARS, y_label="accuracy", size=(6, 3))
    errors = error_lines(svg)
    assert len(errors) == 4
    number = 0
    for place, values in enumerate(BARS.values()):
        for (middle, top, bottom), (mean, error) in zip(bars_of(svg, COLOURS[place]), values, strict=True):
            unit = (bottom - top) / mean  # SVG units of one percent
            x, high, low = errors[number]
            assert x == pytest.approx(middle, abs=0.01)
            assert (top - high) / unit == pytest.approx(error, abs=0.01)
            assert (low - top) / unit == pytest.approx(error, abs=0.01)
            number += 1
    heights = [bottom - top for place in (0, 1) for _, top, bottom in bars_of(svg, COLOURS[place])]
    assert heights[0] / heights[1] == pytest.approx(50 / 20, rel=1e-3)
    assert heights[2] / heights[0] == pytest.approx(60 / 50, rel=1e-3)


def test_bars_of_a_group_stand_beside_each_other_in_order() -> None:
    svg = bar_chart(["own", "exchanged"], BARS, y_label="accuracy", size=(6, 3))
    host, dapt = bars_of(svg, COLOURS[0]), bars_of(svg, COLOURS[1])
    middles = [host[0][0], dapt[0][0], host[1][0], dapt[1][0]]
    assert middles == sorted(middles)
    width = middles[1] - middles[0]
    assert middles[2] - middles[1] > 1.2 * width  # a gap between the groups
    assert middles[3] - middles[2] == pytest.approx(width, rel=1e-3)


def test_values_stand_above_their_error_bars() -> None:
    svg = bar_chart(["own"], {"host": [(50.0, 10.0)]}, y_label="accuracy", size=(4, 3))
    ((_, high, _),) = error_lines(svg)
    root = ElementTree.fromstring(svg)
    (label,) = [node for node in root.iter(f"{SVG}text") if node.text == "50.0"]
    place = re.findall(r"-?\d+(?:\.\d+)?", label.attrib.get("transform", "") or label.attrib["y"])
    y = float(label.attrib["y"]) if "y" in label.attrib else float(place[1])
    assert y < high


def band_and_line(svg: str, colour: str) -> tuple[Points, Points]:
    """Corners of the shaded range and points of the mean, in SVG units."""
    (shade,) = groups(svg, "FillBetweenPolyCollection_") + groups(svg, "PolyCollection_")
    (path,), (use,) = list(shade.iter(f"{SVG}path")), list(shade.iter(f"{SVG}use"))
    left, top = float(use.attrib["x"]), float(use.attrib["y"])
    band = [(x + left, y + top) for x, y in points_of(path)]
    lines: list[Points] = []
    for group in groups(svg, "line2d_"):
        for path in group.iter(f"{SVG}path"):
            style = path.attrib.get("style", "").lower()
            if colour.lower() in style and "fill: none" in style and "clip-path" in path.attrib:
                lines.append(points_of(path))
    return band, lines[0]


def chart(runs: list[list[float | None]], **changes: Any) -> str:
    return line_chart({"one": runs}, x_label="epoch", y_label="loss", size=(4, 3), **changes)


def test_the_mean_and_the_range_between_runs() -> None:
    svg = chart([[1.0, 2.0, 9.0], [3.0, 4.0, 9.0], [8.0, 3.0, 9.0]])
    band, line = band_and_line(svg, COLOURS[0])
    (x1, y1), (x2, y2), (x3, y3) = line
    assert x2 - x1 == pytest.approx(x3 - x2, rel=1e-3)
    unit = (y1 - y3) / (9.0 - 4.0)  # means 4, 3 and 9; SVG counts downwards
    assert (y2 - y1) / unit == pytest.approx(1.0, abs=0.01)
    heights: dict[float, list[float]] = {round(x, 1): [] for x, _ in line}
    for x, y in band:
        heights[round(x, 1)].append((y1 - y) / unit + 4.0)
    (low1, *_, high1), (low2, *_, high2), (low3, *_, high3) = (sorted(found) for found in heights.values())
    assert (low1, high1) == (pytest.approx(1.0, abs=0.01), pytest.approx(8.0, abs=0.01))
    assert (low2, high2) == (pytest.approx(2.0, abs=0.01), pytest.approx(4.0, abs=0.01))
    assert (low3, high3) == (pytest.approx(9.0, abs=0.01), pytest.approx(9.0, abs=0.01))


def test_missing_values_are_left_out_of_the_mean() -> None:
    _, line = band_and_line(chart([[2.0, None, 4.0], [4.0, None, None], [6.0, None, 8.0]]), COLOURS[0])
    assert len(line) == 2  # nothing is drawn at the second epoch
    (_, first), (_, last) = line
    _, other = band_and_line(chart([[4.0, None, 6.0]]), COLOURS[0])
    assert first > last
    assert other[1][0] - other[0][0] == pytest.approx(line[1][0] - line[0][0], rel=0.05)


def test_a_zero_is_a_value() -> None:
    _, line = band_and_line(chart([[0.0, 1.0]]), COLOURS[0])
    assert len(line) == 2


def test_a_legend_only_where_there_is_a_choice() -> None:
    assert "legend" not in chart([[1.0, 2.0]])
    two = line_chart({"one": [[1.0]], "two": [[2.0]]}, x_label="", y_label="", size=(4, 3))
    assert "legend" in two
    assert ">two<" in two


@pytest.mark.parametrize("number", [1, 2, 3])
def test_bars_of_a_group_stand_around_its_name(number: int) -> None:
    bars = {f"kind {place}": [(50.0, 1.0), (40.0, 1.0)] for place in range(number)}
    svg = bar_chart(["own", "exchanged"], bars, y_label="accuracy", size=(6, 3))
    ticks = []
    for group in groups(svg, "xtick_"):
        (use,) = group.iter(f"{SVG}use")
        ticks.append(float(use.attrib["x"]))
    for group, tick in enumerate(ticks):
        middles = [bars_of(svg, COLOURS[place])[group][0] for place in range(number)]
        assert sum(middles) / number == pytest.approx(tick, abs=0.01)
    # together they take no more than four fifths of the room of a group
    drawn = [
        path
        for group in groups(svg, "patch_")
        for path in group.iter(f"{SVG}path")
        if COLOURS[0] in str(path.attrib).upper()
    ]
    xs = [x for x, _ in points_of(drawn[0])]
    assert max(xs) - min(xs) == pytest.approx(0.8 * 0.92 / number * (ticks[1] - ticks[0]), rel=1e-3)


@pytest.mark.parametrize(
    "svg",
    [bar_chart(["own"], {"host": [(50.0, 1.0)]}, y_label="accuracy", size=(4, 3)), chart([[1.0, 2.0]])],
    ids=["bars", "lines"],
)
def test_charts_are_transparent_and_take_the_page_s_ink(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    for name in ("patch_1", "patch_2"):  # the figure and the axes behind everything
        (group,) = [node for node in root.iter(f"{SVG}g") if node.attrib.get("id") == name]
        (path,) = group.iter(f"{SVG}path")
        assert "opacity: 0" in path.attrib["style"]
    assert "#010203" not in svg
    for text in root.iter(f"{SVG}text"):
        assert "fill: currentColor" in text.attrib["style"], text.text
