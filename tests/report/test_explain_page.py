"""The page of explanations: all figures, self-contained, in a real browser, with names of any kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_pages import BROWSER, looked_at

from dapt.console import visible
from dapt.model.nearest_words import NearestWords, NearWord
from dapt.report.explain_page import MARK, entry_of, write_explain_page
from explanations import made_up
from hostile import MARKUP, raw

WORDS = NearestWords(vectors={"": ((NearWord("photo", 0.25), NearWord("pic-", 0.5)),)}, typical=0.4, notes=("A note.",))


def tree(*titles: str, **changes: object) -> dict:
    figures = {"background_share": 0.25, "background_share_images": 3}
    figures |= {"attention_on_foreground": None, "attention_on_foreground_images": 0}
    return {
        "run": "runs/mine",
        "model": "demo",
        "classes": ["cat", "dog"],
        "foreground": {"source": "gradcam", "guessed_by": "gradcam", "masks": None, "words": "guessed by Grad-CAM"},
        "images_given": 9,
        "images_chosen": 3,
        "images_damaged": 1,
        "not_shown": ["There is no attention."],
        "remarks": ["Of 1 of 2 images it is no surer."],
        "summary": {**dict.fromkeys(titles, figures), "decisions_changed": 2},
        **changes,
    }


def page(path: Path, *names: str, words: NearestWords | None = WORDS) -> Path:
    """A page in which the names stand wherever a name can."""
    titles = (f"before {names[0]}", f"after {names[-1]}")
    ones = [
        made_up(f"{name[:100].replace('/', '|')}.png".replace("\0", "0"), (name, *names[:2]), titles) for name in names
    ]
    ones.append(made_up("none.png", names[:2], titles, masked=False, attention=False))
    content = tree(*titles, model=names[0], not_shown=list(names))
    write_explain_page(path, content, [entry_of(one, f"{names[0]}.png") for one in ones], words)
    return path


def test_all_figures_are_there(tmp_path: Path) -> None:
    titles = ("before (zero-shot)", "after (maple)")
    entries = [entry_of(made_up(), "cat.png"), entry_of(made_up("b.png", masked=False), "b.png")]
    write_explain_page(tmp_path / "page.html", tree(*titles), entries, WORDS)
    text = re.sub(r"\s+", " ", (tmp_path / "page.html").read_text(encoding="utf-8"))
    assert MARK in text
    for part in (
        *(
            "2 images, 2 classes, demo.",
            "Of 1 of 2 images it is no surer.",
            "The decision changed in 2.",
            "3 of 9 images were explained",
        ),
        *(
            "1 image could not be read",
            "There is no attention.",
            "guessed by Grad-CAM; where",
            ">25% <span",
            "–",
            "no foreground was found",
        ),
        *("25% of the decision rests on the background (evidence of the foreground +3.00, of the", "+1.00 nats)"),
        "25% of the attention is on the foreground",
        *("photo <span>0.25</span>", "pic- <span>0.50</span>", "usual distance is 0.40", "A note."),
    ):
        assert part in text, part
    assert text.count("foreground only</figcaption>") == 2
    assert "http" not in re.sub(r"arXiv [\d.]+", "", text), "nothing comes from elsewhere"
    write_explain_page(tmp_path / "page.html", tree(*titles), entries, NearestWords(missing="vpt has no text vectors."))
    assert "vpt has no text vectors." in (tmp_path / "page.html").read_text(encoding="utf-8")
    write_explain_page(tmp_path / "page.html", tree("zero-shot", run=None), entries, None)
    assert "Words near" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_hostile_names_are_shown_literally(tmp_path: Path) -> None:
    text = page(tmp_path / "page.html", *MARKUP).read_text(encoding="utf-8")
    assert raw(text) == []
    assert "<script" not in text


@pytest.mark.long
@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
@pytest.mark.parametrize("width", [420, 1200])
def test_in_a_browser(tmp_path: Path, width: int) -> None:
    found = looked_at(page(tmp_path / "page.html", *MARKUP), tmp_path, width)
    assert found["scripts"] == 0
    assert found["handlers"] == []
    assert found["links"] == []
    assert found["broken"] == 0
    for name in MARKUP:
        assert visible(name) in found["text"]
    assert found["wide"] <= found["view"], "nothing sticks out sideways"
    assert found["sticking"] == []
