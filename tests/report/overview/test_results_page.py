"""The page as a whole: its markup, and in a real browser by mouse and keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from made_up import in_folder, material, pair, run
from PIL import Image

from browser import BROWSER, Browser
from dapt.errors import ConfigError
from dapt.report.overview.results_page import charts_of, check_page, parts_of, write_results_page

BAD = '<script>alert("x")</script>'
BINS = [{"images": 10, "confidence": 50.0, "accuracy": 40.0}]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    lines = [{"epoch": epoch, "loss": 3.0 / epoch, "L_cls": 2.0 / epoch, "train/accuracy": 50.0} for epoch in (1, 2)]
    results = {"confusion": {BAD: {BAD: 3, "bee": 1}}, "calibration": BINS}
    rows = [run(method="zero_shot", shots=shots) for shots in (1, 16)] + pair(backbone=BAD)
    rows += pair(method="coop") + [
        run(subset="base", dapt=dapt, **{"test/accuracy_base": 80.0 + dapt, "test/accuracy_novel": 60.0})
        for dapt in (False, True)
    ]
    for number, row in enumerate(rows):
        row["run"] = in_folder(folder / str(number), results, lines)
        row |= {"timing/training_seconds": 5.0, "environment/torch": "2.6", "set/method": "x", "set/data": BAD}
    found = material(rows)
    path = folder / "page.html"
    write_results_page(path, found, parts_of(found))
    return path


def test_markup(page: Path) -> None:
    text = page.read_text()
    assert "<script>alert" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "ids are there once"
    for referred in re.findall(r'aria-labelledby="([^"]+)"', text):
        assert set(referred.split()) <= set(ids)
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert "How much hangs on the background: not shown, because" in text


def test_names_of_charts_are_there_once(page: Path) -> None:
    found = material(pair() + pair(data="pho tos"))
    names = [chart.name for chart in charts_of(parts_of(found))]
    assert len(names) == len(set(names))


def test_only_pages_of_its_own_are_written_over(page: Path, tmp_path: Path) -> None:
    check_page(page)
    check_page(tmp_path / "new.html")
    (tmp_path / "mine.html").write_text("<html>")
    with pytest.raises(ConfigError, match="did not write it"):
        check_page(tmp_path / "mine.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    if not BROWSER:
        pytest.skip("no Chromium or Chrome on this machine")
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def rows(browser: Browser) -> list[str]:
    script = "[...document.querySelectorAll('table.results tbody')][0].querySelectorAll('tr:not([hidden]) th')"
    return list(browser.run(f"[...{script}].map(e => e.textContent.trim())"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_no_complaint_no_request_no_sideways_scrolling(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width, scheme)
    assert browser.complaints == []
    assert browser.requests == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    unnamed = "[...document.querySelectorAll('button, input, [role=region], svg')].filter(e => !(e.textContent.trim()"
    assert browser.run(f"{unnamed} || e.labels?.length || e.getAttribute('aria-label'))).length") == 0
    ground, ink = browser.run("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
    shade = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink)]
    assert (shade[0] < shade[1]) == (scheme == "dark")


def tone(browser: Browser, tmp_path: Path, selector: str, right: bool) -> int:
    """How light the page is at an end of a place, in the row of its caption where nothing is written: 0 to 765."""
    browser.picture(tmp_path / "seen.png", whole=False)
    place = browser.run(
        f"(e => {{ const b = e.getBoundingClientRect(); return [b.x, b.x + e.clientWidth, b.y]; }})"
        f"(document.querySelector('{selector}'))"
    )
    x = int(place[1]) - 2 if right else int(place[0]) + 1
    with Image.open(tmp_path / "seen.png") as seen:
        return sum(seen.convert("RGB").getpixel((x, int(place[2]) + 3)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_tables_go_on_to_the_side_their_edge_is_shaded(
    browser: Browser, page: Path, tmp_path: Path, scheme: str
) -> None:
    browser.open(page, 400, scheme)
    table = "#tables ~ .wide"
    assert browser.run(f"(e => e.scrollWidth - e.clientWidth)(document.querySelector('{table}'))") > 100
    browser.run(f"document.querySelector('{table}').scrollIntoView()")
    ground = tone(browser, tmp_path, table, right=False)
    shaded = abs(ground - tone(browser, tmp_path, table, right=True))
    assert shaded > 100, "there is more to the right"
    browser.run(f"document.querySelector('{table}').scrollLeft = 9999")
    assert abs(ground - tone(browser, tmp_path, table, right=True)) < 20
    assert abs(ground - tone(browser, tmp_path, table, right=False)) > 100, "and now to the left"


def test_sorting_by_mouse_and_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    first = rows(browser)
    head = "table.results thead th:nth-child(2)"
    browser.click(f"{head} button")
    assert browser.run(f"document.querySelector('{head}').getAttribute('aria-sort')") in ("ascending", "descending")
    once = rows(browser)
    browser.press("Enter")
    twice = rows(browser)
    assert sorted(once) == sorted(first)
    assert once != twice
    browser.press("Enter")
    assert rows(browser) == first, "the third time it is as it was"


def test_filtering_by_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.getElementById('filter').focus()")
    browser.type("coop dapt")
    assert set(rows(browser)) <= {"CoOp + DAPT"}
    assert re.fullmatch(r"\d+ of \d+ rows shown", browser.run("document.getElementById('filtered').textContent"))


def test_everything_can_be_reached_by_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    reached = set()
    for _ in range(25):
        browser.press("Tab")
        reached.add(browser.run("document.activeElement.tagName"))
    assert {"A", "INPUT", "BUTTON"} <= reached
