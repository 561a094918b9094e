"""The page of a check: every finding with its pictures, whatever the names are, and nothing without end."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_pages import BROWSER, looked_at

from dapt.console import visible
from dapt.data.check.check_data import CheckReport, check_data
from dapt.data.check.finding import Finding
from dapt.data.items import ImageSet, Item
from dapt.report import check_page as module
from dapt.report.check_page import MARK, TITLES, write_check_page
from hostile import MARKUP, raw


def scene(seed: int) -> Image.Image:
    cells = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((120, 90), Image.Resampling.BICUBIC)


def messy(root: Path, names: tuple[str, ...]) -> CheckReport:
    """A report with findings of many kinds; the names of classes and images are what is given."""
    items: dict[str, list[Item]] = {"train": [], "test": []}
    for number in range(2 * len(names)):
        label, split = number // 2, ("train", "test")[number % 2]
        path = root / f"{number}.png"
        scene(number).save(path)
        items[split].append(Item(path, label, f"{split}/{names[label]}/{number}.png"))
    (root / "1.png").write_bytes((root / "0.png").read_bytes())
    scene(2).resize((60, 45)).save(root / "3.png")
    Image.new("RGB", (400, 20), "red").save(root / "4.png")
    scene(5).resize((10, 10)).save(root / "5.png")
    (root / "6.png").write_bytes(b"%PDF-1.4")
    (root / "7.png").write_bytes((root / "8.png").read_bytes()[:100] if (root / "8.png").exists() else b"x")
    data = ImageSet(
        f"data {names[0]}",
        root,
        names,
        {split: tuple(part) for split, part in items.items()},
        layout=f"layout {names[0]}",
        unused={f"reason {names[0]}": (names[0],)},
        guessed=(f"guessed {names[0]}",),
    )
    return check_data(data)


def test_findings_and_pictures(tmp_path: Path) -> None:
    report = messy(tmp_path, ("0", "cat", "dog", "owl", "emu"))
    write_check_page(tmp_path / "deep" / "page.html", report)
    text = (tmp_path / "deep" / "page.html").read_text(encoding="utf-8")
    assert MARK in text[:4096]
    kinds = {finding.kind for finding in report.findings}
    assert {"leak", "near_splits", "unreadable", "refused", "flat", "tiny", "long", "number"} <= kinds
    for kind in kinds:
        assert f'id="{kind}"' in text
        assert TITLES[kind] in text
    assert text.count("data:image/jpeg;base64,") >= 8
    assert "is a PDF document" in text
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', text) == [], "nothing is loaded from elsewhere"
    for part in ("layout 0", "reason 0", "guessed 0", "0.png"):
        assert part in text


def test_nothing_found(tmp_path: Path) -> None:
    report = CheckReport(ImageSet("d", tmp_path, ("a", "b")), False, ())
    write_check_page(tmp_path / "page.html", report)
    assert "Nothing was found" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_every_kind_has_a_title() -> None:
    source = Path(module.__file__).parent.parent / "data" / "check"
    used = set()
    for path in source.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:Finding|grouped|add|_Rule)\(\s*"([a-z_]+)"', text))
    used |= {"near_splits", "near_classes", "near_copies", "no_train_images", "no_test_images"}
    assert len(used) > 20
    assert used <= TITLES.keys()


def test_so_many_are_shown_and_the_others_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene(1).save(tmp_path / "a.png")
    items = tuple(Item(tmp_path / "a.png", 0, f"{n}.png") for n in range(500))
    names = tuple(item.name for item in items)
    pairs = tuple((names[n], names[n + 1]) for n in range(0, 500, 2))
    classes = tuple(f"class name {n}" for n in range(1000))
    findings = (
        Finding("turned", "note", "w", "", names),
        Finding("copies", "note", "w", "", names, pairs),
        Finding("number", "warning", "w", "", classes),
    )
    data = ImageSet("d", tmp_path, classes, {"train": items})
    whole = check_data(data)
    report = CheckReport(data, False, findings, whole.looks, whole.sizes, whole.per_class)
    write_check_page(tmp_path / "page.html", report)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "464 images more" in text
    assert "226 groups more" in text
    assert "940 classes more" in text
    assert "The 150 largest and the 150 smallest of 1,000 classes" in text


def test_hostile_names_are_shown_literally(tmp_path: Path) -> None:
    write_check_page(tmp_path / "page.html", messy(tmp_path, tuple(MARKUP)))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert raw(text) == []
    assert "<script" not in text


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
@pytest.mark.parametrize("width", [420, 1200])
def test_in_a_browser(tmp_path: Path, width: int) -> None:
    names = (*MARKUP, "long name " * 40, "unbroken" * 60)
    write_check_page(tmp_path / "page.html", messy(tmp_path, names))
    found = looked_at(tmp_path / "page.html", tmp_path, width)
    assert found["scripts"] == 0
    assert found["handlers"] == []
    assert found["links"] == []
    assert found["broken"] == 0
    for name in MARKUP:
        assert visible(name) in found["text"]
    assert found["wide"] <= found["view"], "nothing sticks out sideways"
    assert found["sticking"] == []
