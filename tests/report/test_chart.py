"""One chart for the page and for papers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dapt.errors import ConfigError
from dapt.report.chart import Chart, key_below, log_seconds, styles_of, write_charts


def chart(name: str = "lines", rows: int = 2) -> Chart:
    names = [f"$row$ {number}" for number in range(rows)]

    def draw(axes: Any) -> None:
        handles = [axes.plot([1, 2], [number, number + 1])[0] for number in range(rows)]
        key_below(axes, handles, names)

    return Chart(name, "A < B", 'what "it" shows', ("row", "x"), [("a", "1")], draw)


def test_svg_is_told_to_people_who_do_not_see_it() -> None:
    root = ElementTree.fromstring(chart().svg().replace("xlink:", ""))
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "lines-t lines-d"
    assert root.find(f"{space}title").text == "A < B"  # type: ignore[union-attr]
    assert root.find(f"{space}desc").text == 'what "it" shows'  # type: ignore[union-attr]
    text = " ".join(node.text or "" for node in root.iter())
    assert "$row$ 1" in text, "dollar signs are no formula"
    ids = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert all(each.startswith("lines-") for each in ids), "a page has many charts"
    assert len(ids) == len(set(ids))


def test_a_long_key_makes_the_figure_higher_not_the_axes_lower() -> None:
    few, many = chart(rows=2).figure(), chart(rows=12).figure()
    for figure in (few, many):
        figure.draw_without_rendering()
    heights = [figure.axes[0].get_position().height * figure.get_size_inches()[1] for figure in (few, many)]
    assert heights[1] == pytest.approx(heights[0], rel=0.15)


def test_files_for_papers(tmp_path: Path) -> None:
    made = write_charts([chart(), chart("other")], tmp_path / "figures")
    assert sorted(path.name for path in made) == sorted(
        f"{name}-{size}.{kind}" for name in ("lines", "other") for size in ("1col", "2col") for kind in ("svg", "png")
    )
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {path.name for path in made}
    with Image.open(tmp_path / "figures" / "lines-1col.png") as picture:
        assert picture.width == round(3.35 * 300)
    before = (tmp_path / "figures" / "lines-1col.svg").read_bytes()
    write_charts([chart()], tmp_path / "figures")
    assert (tmp_path / "figures" / "lines-1col.svg").read_bytes() == before, "the same figures, the same bytes"


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lines-2col.png").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="dapt did not make it"):
        write_charts([chart()], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lines-2col.png"]


def test_a_method_and_its_rows_with_dapt_share_a_colour() -> None:
    found = styles_of(["Zero-shot CLIP", "MaPLe", "MaPLe + DAPT", "MaPLe + DAPT (joint)", "CoOp"])
    assert found["MaPLe"].colour == found["MaPLe + DAPT"].colour != found["CoOp"].colour
    assert (found["MaPLe"].dash, found["MaPLe + DAPT"].dash) == ("--", "-")
    assert found["MaPLe + DAPT"].marker != found["MaPLe + DAPT (joint)"].marker
    assert len({found[name].colour for name in ("Zero-shot CLIP", "MaPLe", "CoOp")}) == 3


def test_numbers_of_a_logarithmic_axis_are_plain() -> None:
    def draw(axes: Any) -> None:
        axes.plot([3, 400], [1, 2])
        axes.set_xscale("log")
        log_seconds(axes.xaxis)

    svg = Chart("log", "t", "s", (), [], draw).svg()
    assert ">100<" in svg
    assert ">30<" in svg
    assert "10^" not in svg
