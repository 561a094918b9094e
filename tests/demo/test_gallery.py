"""Pictures of the demonstration's page: which scenes, and where a model looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.items import Item
from dapt.demo.gallery import SIDE, choose, exhibit
from dapt.methods.base import METHODS
from dapt.model.prompted_clip import PromptedClip
from helpers import tiny_clip


def item(label: int, group: str, name: str = "") -> Item:
    return Item(Path(f"{name}{label}.png"), label, f"{name}{label}", meta=(("group", group),))


def test_the_first_scene_of_every_few_classes() -> None:
    items = [item(label, group, name) for name in "ab" for label in range(7) for group in ("own", "exchanged")]
    assert [each.name for each in choose(items, "own", 3)] == ["a0", "a2", "a4"]
    assert [each.name for each in choose(items, "exchanged", 7)] == [f"a{label}" for label in range(7)]
    assert len(choose(items, "own", 100)) == 7
    assert choose(items, "other", 3) == []
    assert [each.name for each in choose(items[::-1], "own", 1)] == ["b0"]


@pytest.fixture(scope="module")
def models() -> dict[str, PromptedClip]:
    recipe = METHODS.get("zero_shot")
    clip = tiny_clip()
    names = ["ant", "bee"]

    def model() -> PromptedClip:
        prompts = recipe.load_architecture()(recipe.options(), clip, names, torch.Generator())
        return PromptedClip(clip, prompts, names).eval()

    return {"one": model(), "other": model()}


def test_a_scene_taken_apart(models: dict[str, PromptedClip], tmp_path: Path) -> None:
    """The left half red, which is the foreground, the right half blue."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, :16, 0] = pixels[:, 16:, 2] = 255
    mask = np.zeros((32, 32), np.uint8)
    mask[:, :16] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    Image.fromarray(mask).save(tmp_path / "m.png")
    shown = exhibit(models, Item(tmp_path / "x.png", 1, "x.png", tmp_path / "m.png", meta=(("background", "sky"),)))
    assert (shown.name, shown.background) == ("bee", "sky")
    assert set(shown.looks) == {"one", "other"}
    pictures = [shown.image, shown.mask, shown.cue, shown.foreground, shown.view_of_background]
    pictures += [look.picture for look in shown.looks.values()]
    assert {picture.size for picture in pictures} == {(SIDE, SIDE)}
    left, right = (SIDE // 4, SIDE // 2), (3 * SIDE // 4, SIDE // 2)
    assert (shown.image.getpixel(left), shown.image.getpixel(right)) == ((255, 0, 0), (0, 0, 255))
    assert (shown.mask.getpixel(left), shown.mask.getpixel(right)) == (255, 0)
    assert shown.foreground.getpixel(left)[0] > 200
    assert shown.foreground.getpixel(right)[2] < 200
    assert shown.view_of_background.getpixel(right)[2] > 200
    assert shown.view_of_background.getpixel(left)[0] < 200
    one, other = shown.looks.values()
    assert one.says == other.says
    assert one.right is (one.says == "bee")


def test_without_a_mask_nothing_is_foreground(models: dict[str, PromptedClip], tmp_path: Path) -> None:
    Image.new("RGB", (32, 32), "green").save(tmp_path / "x.png")
    shown = exhibit(models, Item(tmp_path / "x.png", 0, "x.png", meta=(("background", "grass"),)))
    assert shown.mask.getextrema() == (0, 0)
