"""Charts are whole SVG elements that take the page's colours."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from PIL import Image

from dapt.report.charts import COLOURS, bar_chart, line_chart
from dapt.report.pages import data_uri, write_page


def test_line_chart_with_missing_values() -> None:
    series = {"one": [[1.0, 2.0, None], [3.0, 4.0, None]], "two & a half": [[None, 1.0, 2.0]]}
    svg = line_chart(series, x_label="epoch", y_label="loss", size=(4, 3))
    root = ElementTree.fromstring(svg)
    assert "width" not in root.attrib
    assert root.attrib["viewBox"]
    text = " ".join(node.text or "" for node in root.iter())
    assert "two & a half" in text
    assert "currentColor" in svg
    assert svg == line_chart(series, x_label="epoch", y_label="loss", size=(4, 3)), "no date, no random ids"


def test_a_series_keeps_its_colour_in_a_family_of_charts() -> None:
    family = ["zero-shot", "host", "host + DAPT"]
    both = line_chart({name: [[1.0, 2.0]] for name in family[1:]}, x_label="", y_label="", size=(4, 3), known=family)
    alone = line_chart({family[2]: [[1.0, 2.0]]}, x_label="", y_label="", size=(4, 3), known=family)
    host, dapt = COLOURS[1].lower(), COLOURS[2].lower()
    assert host in both
    assert dapt in both
    assert host not in alone
    assert dapt in alone


def test_bar_chart_writes_its_values() -> None:
    bars = {"host": [(51.25, 1.0), (20.0, 2.0)], "dapt": [(50.0, 0.5), (40.0, 3.0)]}
    svg = bar_chart(["own", "exchanged"], bars, y_label="accuracy", size=(6, 3))
    text = [node.text for node in ElementTree.fromstring(svg).iter() if node.text]
    for expected in ("51.2", "20.0", "50.0", "40.0", "own", "exchanged", "host", "dapt"):
        assert expected in text


def test_pages_need_everything_the_template_names(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        write_page(tmp_path / "page.html", "demo.html.j2", {})
    assert not list(tmp_path.iterdir())
    assert data_uri(Image.new("L", (2, 2)), photo=False).startswith("data:image/png;base64,")
