"""The page of an audit: figures, the worst images with what is answered, and whatever the names are."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_pages import BROWSER, looked_at

from audit_helpers import small_audit
from dapt.console import visible
from dapt.evaluation.audit.answers import Answers
from dapt.report.audit_page import SHOWN, write_audit_page
from dapt.runs.audit_run import Audit
from dapt.runs.audit_table import shown
from helpers import make_csv
from hostile import MARKUP, raw


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Models of which the first is right but for two images on a random background."""
    found = small_audit(tmp_path_factory.mktemp("audit"))
    first = next(iter(found.answers))
    given = found.answers[first]
    predicted = np.tile(np.array(found.material.labels), (len(given.variants), 1))
    predicted[given.variants.index("mixed_rand")][:2] = (predicted[0][:2] + 1) % 4
    return replace(
        found, answers={**found.answers, first: Answers(given.variants, predicted, given.confidence, given.truth)}
    )


def renamed(audit: Audit, names: list[str]) -> Audit:
    """The audit with classes, images, models and data of these names."""
    record = copy.deepcopy(audit.record)
    record |= {"data": names[0], "unused": {names[1]: 2}, "place": names[2]}
    record["classes"] = names[:4]
    for model, name in zip(record["models"], names, strict=False):
        model["name"] = name
        model["per_class"] = dict(zip(names, model["per_class"].values(), strict=False))
    record["comparisons"][0] |= {"first": names[0], "second": names[1]}
    record["masks"] = {"guessed": True, "words": f"of the cue {names[3]}"}
    record["left_out"] = {"missing": {"images": 1, "first_names": [names[4]]}}
    record["donors"] |= {"filled_in": 1, "classes_without": names[:3], "classes_alone": names[:2]}
    items = tuple(replace(item, name=names[n % len(names)]) for n, item in enumerate(audit.material.items))
    material = replace(audit.material, names=tuple(names[:4]), items=items)
    answers = dict(zip(names, audit.answers.values(), strict=False))
    return replace(audit, record=record, material=material, answers=answers)


def test_figures_and_pictures(audit: Audit, tmp_path: Path) -> None:
    write_audit_page(tmp_path / "index.html", audit)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    for model in audit.record["models"]:
        assert shown(model["bg_gap"]) in text
        assert model["name"] in text
    first = text[text.index("Overturned") :]
    first = first[: first.index("model1</h3>")]
    assert first.count("data:image/jpeg;base64,") == 2 * (len(SHOWN) - 1), "without other data there is no mixed_other"
    assert first.count("✗") == 2
    assert first.count("✓") == 2 * (len(SHOWN) - 2)
    assert re.findall(r'(?:src|href)="(?!data:|https://arxiv|#)[^"]*"', text) == [], "nothing is loaded from elsewhere"
    assert "prefers-color-scheme: dark" in text
    assert 'id="guess"' not in text


def test_guesses_and_all_that_is_left_out_are_told(audit: Audit, tmp_path: Path) -> None:
    names = [f"name {number}" for number in range(8)]
    write_audit_page(tmp_path / "index.html", renamed(audit, names))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'id="guess"' in text
    assert "Masks are guesses of the cue name 3." in text
    for sentence in (
        "1 image without a mask left out.",
        "2 images not asked about: name 1.",
        "1 object fill so much",
        "3 classes with no image with a background to lend: name 0, name 1, name 2.",
    ):
        assert sentence in text


@pytest.mark.long
def test_of_one_class_without_mixtures(tmp_path: Path) -> None:
    found = small_audit(tmp_path, models=1)
    record = copy.deepcopy(found.record)
    for key in ("bg_gap", "changed", "lost"):
        del record["models"][0][key]
        record["models"][0]["taken_for_background"] = {}
        for row in record["models"][0]["per_class"].values():
            row.pop(key, None)
    write_audit_page(tmp_path / "index.html", replace(found, record=record))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Its BG-gap is" not in text
    assert "No BG-gap: no image has both mixed_same and mixed_rand." in text


def test_what_each_figure_is_over(tmp_path: Path) -> None:
    found = small_audit(tmp_path, models=1, limit=4)
    write_audit_page(tmp_path / "index.html", found)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "percent of the 4 original images rightly, and" in text
    assert "points, over the 4 images that have both mixed_same and mixed_rand." in text
    assert "4 images not asked about: over the limit." in text
    assert "Backgrounds are lent by 8 images, 4 images that are not asked about among them." in text
    assert "24 images not asked about: in other splits." in text
    record = copy.deepcopy(found.record) | {"divided": True}
    record["donors"]["only_lend_without_mask"] = 2
    write_audit_page(tmp_path / "index.html", replace(found, record=record))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "in the other shares that dapt made, as the data has no splits of its own." in text
    assert "table, the test share that dapt made: 4 images" in text
    assert "2 images would only lend a background, and cannot" in text


def test_nothing_raw_is_in_the_page(audit: Audit, tmp_path: Path) -> None:
    write_audit_page(tmp_path / "index.html", renamed(audit, MARKUP))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert raw(text) == []
    assert "<script" not in text
    for name in MARKUP[1:3]:
        assert name not in text, "escaped"


@pytest.mark.long
@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
@pytest.mark.parametrize("width", [420, 1200])
@pytest.mark.parametrize("names", [MARKUP, [f"{'unbroken' * 40}{n}" for n in range(8)]], ids=["hostile", "long"])
def test_in_a_browser(audit: Audit, tmp_path: Path, width: int, names: list[str]) -> None:
    write_audit_page(tmp_path / "page.html", renamed(audit, names))
    found = looked_at(tmp_path / "page.html", tmp_path, width)
    assert found["title"].startswith("dapt audit: ")
    assert found["scripts"] == 0
    assert found["handlers"] == []
    assert [link for link in found["links"] if not link.startswith("#")] == ["https://arxiv.org/abs/2006.09994"]
    assert found["broken"] == 0
    for name in names[:4]:
        assert visible(name) in found["text"]
    assert found["wide"] <= found["view"], "nothing sticks out sideways"
    assert found["sticking"] == []
    assert found["tall"] <= 14_000, "names of 320 letters wrap, and make nothing endless"


def test_photos_of_the_data_itself_that_lend_nothing(tmp_path: Path) -> None:
    make_csv(tmp_path / "table")
    lent = tmp_path / "lent"
    lent.mkdir()
    for number in range(2):
        Image.new("RGB", (50, 40), (10, 200 + number, 10)).save(lent / f"{number}.png")
    (lent / "own.png").symlink_to(tmp_path / "table" / "images" / "red_square_0.png")
    found = small_audit(tmp_path, models=1, backgrounds=str(lent))
    assert (found.record["backgrounds"]["of"], found.record["backgrounds"]["own"]) == (2, 1)
    write_audit_page(tmp_path / "index.html", found)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "are lent by 2 photos of lent, whole, as there are no masks; 1 more of its photos, images of table" in text
