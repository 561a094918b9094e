"""The picture of an explanation: what is in it, and that no name breaks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageDraw, ImageFont

from dapt.evaluation.explain_sheet import answer_rows, draw_sheet, mask_picture, share_words, tiles
from dapt.evaluation.explanation import Look
from dapt.model.decision import Evidence
from explanations import made_up
from hostile import TITLE

NOTHING = "; with nothing to see it is as sure or surer, 50%"


def test_tiles_show_the_parts_in_the_mean_colour() -> None:
    one = made_up()
    found = {title: np.asarray(picture) for title, picture, _ in tiles(one, one.looks["after (maple)"])}
    assert list(found) == [
        *("what the model sees", "foreground only", "background only", "attention"),
        *("Grad-CAM: cat", "other (nothing found)"),
    ]
    assert found["foreground only"][100, 10].tolist() == [255, 0, 0]
    assert found["foreground only"][100, 200].tolist() == [0, 0, 255]
    assert found["background only"][100, 10].tolist() == [0, 0, 255]
    assert found["background only"][100, 200].tolist() == [255, 0, 0]


def test_the_mask_is_seen_in_the_whole_picture() -> None:
    picture = mask_picture(made_up())
    assert picture is not None
    assert picture.size == (64, 48)
    assert picture.getpixel((5, 20)) == (255, 0, 0)
    red, green, blue = picture.getpixel((60, 20))
    assert red == green == blue, "grey"
    assert picture.getpixel((32, 20)) == (0, 114, 178), "the outline"
    assert mask_picture(made_up(masked=False)) is None


def test_the_class_decided_for_is_in_every_list() -> None:
    look = made_up(classes=("cat", "dog", "fox")).looks["after (maple)"]
    assert answer_rows(look.whole, look) == [("cat", 0.5), ("dog", 0.25), ("fox", 0.125)]
    assert answer_rows(look.background, look) == [("dog", 0.25), ("fox", 0.125), ("cat", 0.001)]


@pytest.mark.parametrize(
    ("foreground", "background", "words"),
    [
        (3.0, 1.0, "25% of the decision rests on the background"),
        (3.0, -1.0, "0% of the decision rests on the background, which speaks against it"),
        (-1.0, 3.0, "100% of the decision rests on the background, the foreground speaks against it"),
        (-3.0, 1.0, f"100% of the decision rests on the background, the foreground speaks against it{NOTHING}"),
        (1.0, -3.0, f"0% of the decision rests on the background, which speaks against it{NOTHING}"),
        (-3.0, -1.0, f"neither part speaks for it{NOTHING}"),
    ],
)
def test_shares_in_words(foreground: float, background: float, words: str) -> None:
    look = made_up().looks["after (maple)"]
    changed = Look(**{**vars(look), "evidence": Evidence(foreground, background, 0.0, 0.0)})
    assert share_words(changed) == words
    sure = Look(**{**vars(changed), "empty": replace(look.empty, decided=0.76)})
    told = "; but with nothing to see it is at 76% already"
    assert share_words(sure).endswith(told) == (foreground + background > 0)
    assert share_words(made_up(masked=False).looks["after (maple)"]) == "no two parts to compare"
    single = Look(**{**vars(look), "evidence": None})
    assert share_words(single) == "of a single class there is nothing to decide"


def test_a_sheet_has_one_row_for_each_model() -> None:
    two, one = draw_sheet(made_up(), "x"), draw_sheet(made_up(titles=("zero-shot",)), "x")
    assert two.width == one.width == 6 * 230 - 6 + 28
    assert two.height - one.height > 224
    small = draw_sheet(made_up(masked=False, attention=False), "x")
    assert small.width == 5 * 230 - 6 + 28, "room for the text beside the photo"
    rows = np.asarray(two)
    assert (rows[-14:] == 255).all(), "nothing sticks out at the bottom"
    assert (rows[:, -14:] == 255).all(), "nor at the right"


@pytest.mark.parametrize("bitmap", [False, True])
def test_names_of_any_kind_stay_inside(monkeypatch: pytest.MonkeyPatch, bitmap: bool) -> None:
    if bitmap:  # all that a Pillow without FreeType has
        monkeypatch.setattr(ImageDraw.ImageDraw, "font", ImageFont.load_default_imagefont())
    odd = f"漢👍\n\udcff {TITLE}" * 9
    sheet = draw_sheet(made_up(f"{'x' * 230}.png", (odd, "y" * 900), (odd, "after " * 90)), odd)
    pixels = np.asarray(sheet)
    assert (pixels[:, -14:] == 255).all()
    plain = draw_sheet(made_up(), "x")
    assert sheet.size == plain.size
