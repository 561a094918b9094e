"""Charts and pages made with hostile names: in the source, and in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from dapt.console import visible
from dapt.data.items import Item
from dapt.demo.figures import KINDS, MEASURES, spread
from dapt.demo.gallery import Exhibit, Look
from dapt.demo.page import write_demo_page
from dapt.demo.setting import DemoSettings
from dapt.report.charts import LONGEST, bar_chart, line_chart, shortened
from hostile import COLOUR, MARKUP, TURNED, raw

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
TITLE = "dapt demo: decouple before align"
SHORT = [name for name in [*MARKUP, COLOUR, TURNED] if len(visible(name)) <= LONGEST]
LONG = max(MARKUP, key=len)


def texts(svg: str) -> list[str]:
    """What an SVG shows, which has to be XML for that."""
    return [node.text for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text") and node.text]


def test_there_are_short_names_of_every_kind() -> None:
    assert len(SHORT) >= 8


@pytest.mark.parametrize("name", SHORT)
def test_charts_show_names_literally(name: str) -> None:
    line = line_chart({name: [[1.0, 2.0]], "b": [[2.0, 3.0]]}, x_label=name, y_label=name, size=(6, 5))
    assert texts(line).count(visible(name)) == 3
    bars = bar_chart([name, "b"], {name: [(1.0, 1.0)] * 2, "c": [(1.0, 1.0)] * 2}, y_label=name, size=(12, 5))
    assert texts(bars).count(visible(name)) == 3
    for svg in (line, bars):
        assert raw(svg) == []
        assert "<script" not in svg
        assert "onerror=" not in re.sub(r">[^<]*<", "><", svg), "in texts only"


def test_long_names_are_shortened_and_stay_apart() -> None:
    family = [LONG, f"{LONG} + DAPT"]
    svg = line_chart({name: [[1.0, 2.0]] for name in family}, x_label=LONG, y_label=LONG, size=(4, 2.8))
    assert {shortened(name, 4) for name in family} <= set(texts(svg))
    assert shortened(family[0], 4) != shortened(family[1], 4)
    assert len(shortened(LONG, 2.8)) <= 2.8 * 8
    assert max(map(len, texts(svg))) <= LONGEST
    assert shortened("MaPLe + DAPT") == "MaPLe + DAPT"


def demo_page(path: Path, names: list[str], host: str) -> Path:
    """The demonstration's page with made-up figures; `names` stand wherever the page shows names."""
    figures = {kind: {name: spread([10.0 * n, 20.0]) for n, name in enumerate(MEASURES)} for kind in KINDS}
    picture = path.parent / "picture.png"
    Image.new("RGB", (16, 16), "green").save(picture)
    items = {
        group: [
            Item(picture, label, f"images/{name}/0.png", meta=(("group", group), ("background", names[label - 1])))
            for label, name in enumerate(names[:8])
        ]
        for group in ("own", "exchanged")
    }
    small = Image.new("RGB", (8, 8), "red")
    exhibits = [
        Exhibit(
            name=name,
            background=names[-1],
            **dict.fromkeys(("image", "mask", "cue", "foreground", "view_of_background"), small),
            looks={kind: Look(small, name, number % 2 == 0) for kind in ("zero-shot", host, f"{host} + DAPT")},
        )
        for number, name in enumerate(names)
    ]
    write_demo_page(
        path,
        settings=DemoSettings(host=host, epochs=2, seeds=2),
        figures=figures,
        curves={kind: {name: [[1.0, 2.0], [2.0, 1.0]] for name in ("L_v", *names[:3])} for kind in KINDS[1:]},
        exhibits=exhibits,
        train_items=items["own"],
        test_items=items["exchanged"],
        commands=[f"dapt train {name}" for name in names],
        environment={"cpu_count": names[0], "dapt": names[1], "torch": names[2], "python": names[3]},
        seconds=dict.fromkeys(names, 1.0),
    )
    return path


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_page(tmp_path_factory.mktemp("hostile") / "page.html", MARKUP, MARKUP[0])


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_page(tmp_path_factory.mktemp("long") / "page.html", [f"{LONG}{n}" for n in range(len(MARKUP))], LONG)


def test_nothing_raw_is_in_the_page(hostile_page: Path) -> None:
    text = hostile_page.read_text(encoding="utf-8")
    assert raw(text) == []
    assert "<script" not in text
    for name in MARKUP[1:3]:
        assert name not in text, "escaped"


PROBE = """<script id="probe">
window.addEventListener("load", () => setTimeout(() => {
  const outer = [...document.querySelectorAll("body *:not(svg *):not(#probe)")].map(e => e.tagName.toLowerCase());
  const attributes = [...document.querySelectorAll("*")].flatMap(e => [...e.attributes].map(a => a.name));
  const found = {
    title: document.title, outer, text: document.body.textContent,
    scripts: document.querySelectorAll("script:not(#probe)").length,
    handlers: attributes.filter(name => name.startsWith("on")),
    links: [...document.querySelectorAll("a, [href]")].map(e => e.getAttribute("href") || e.href.baseVal || ""),
    broken: [...document.images].filter(i => !i.naturalWidth).length,
    wide: document.documentElement.scrollWidth, view: document.documentElement.clientWidth,
    tall: document.documentElement.scrollHeight,
    sticking: [...document.querySelectorAll("body *:not(svg *)")].filter(e => {
      if (e.closest(".wide, pre") && !e.matches(".wide, pre")) return false;  // these scroll
      const box = e.getBoundingClientRect();
      const cut = e.children.length === 0 && e.scrollWidth > e.clientWidth + 1;
      return box.right > innerWidth + 1 || box.left < -1 || (cut && getComputedStyle(e).display !== "inline");
    }).map(e => e.outerHTML.slice(0, 80)),
    cells: Math.max(...[...document.querySelectorAll("td, th, .wide figcaption")].map(e => e.offsetWidth)),
  };
  parent.postMessage(encodeURIComponent(JSON.stringify(found)), "*");
}, 50));
</script>"""
FRAME = """<!doctype html><iframe src="{address}" width="{width}" height="3000" style="border: 0"></iframe><script>
addEventListener("message", message => { document.body.append(
  Object.assign(document.createElement("pre"), {id: "found", textContent: message.data})) });
</script>"""


def looked_at(page: Path, folder: Path, width: int) -> dict:
    """What a browser makes of the page at that width, in a frame because no window is so narrow; all scripts run."""
    copy, frame = folder / "copy.html", folder / "frame.html"
    frame.write_text(FRAME.replace("{address}", copy.as_uri()).replace("{width}", str(width)), encoding="utf-8")
    copy.write_text(page.read_text(encoding="utf-8").replace("</head>", PROBE + "</head>"), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width + 100},3200"]
    command += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return json.loads(unquote(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)[1]))


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
def test_no_name_does_anything_in_a_browser(hostile_page: Path, tmp_path: Path) -> None:
    found = looked_at(hostile_page, tmp_path, 1200)
    assert found["title"] == TITLE
    assert found["scripts"] == 0
    assert found["handlers"] == []
    assert found["broken"] == 0
    assert [link for link in found["links"] if not link.startswith("#")] == ["https://arxiv.org/abs/2508.00395"]
    for name in MARKUP:
        assert visible(name) in found["text"], "shown as it is"
    honest = [f"name {n}" for n in range(len(MARKUP))]
    plain = demo_page(tmp_path / "plain.html", honest, "a host of an honest name that is as long")
    assert found["outer"] == looked_at(plain, tmp_path, 1200)["outer"], "the same elements as with honest names"


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
@pytest.mark.parametrize("width", [420, 1200])
@pytest.mark.parametrize("kind", ["hostile", "long"])
def test_no_name_breaks_the_layout(kind: str, width: int, tmp_path: Path, hostile_page: Path, long_page: Path) -> None:
    found = looked_at({"hostile": hostile_page, "long": long_page}[kind], tmp_path, width)
    assert width - 20 <= found["view"] <= width
    assert found["wide"] <= found["view"], "nothing sticks out sideways"
    assert found["sticking"] == []
    assert found["tall"] <= 12_000, "nor downwards without end"
    assert found["cells"] <= 700, "a table or gallery of readable width"


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
def test_the_probe_notices(tmp_path: Path, hostile_page: Path) -> None:
    """A page that does not escape fails the test above: script, picture and handler are seen."""
    broken = tmp_path / "broken.html"
    text = hostile_page.read_text(encoding="utf-8")
    broken.write_text(text.replace("<h2>Figures</h2>", "".join(MARKUP[:2]), 1), encoding="utf-8")
    found = looked_at(broken, tmp_path, 1200)
    assert found["title"] == "owned"
    assert found["scripts"] == 1
    assert found["handlers"] == ["onerror"]
    assert found["broken"] == 1
