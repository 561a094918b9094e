"""Explanations hold what the model says to each part, whatever they are computed together with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

import dapt
from dapt.cues.base import CueContext
from dapt.cues.masks import MaskFileCue
from dapt.data.load.image_cache import ImageCache
from dapt.errors import DataError
from dapt.evaluation.explanation import ALL_OF_IT, OUT_OF_VIEW, Explainer, Subject, unlabelled
from dapt.model.decision import evidence_of
from dapt.model.prompted_clip import PromptedClip
from dapt.strict import PartOptions
from helpers import draw, tiny_clip

NAMES = ["red square", "blue disc", "green bar"]


@pytest.fixture(scope="module")
def model() -> PromptedClip:
    return dapt.create_model(tiny_clip(), "maple", NAMES, depth=2).eval()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three pictures and their masks; the second is wide, the third's mask is empty."""
    for number, size in enumerate(((48, 40), (120, 40), (48, 40))):
        image, mask = draw("red_square", number, size)
        for kind, picture in (("photos", image), ("masks", mask if number < 2 else Image.new("L", size))):
            (tmp_path / kind).mkdir(exist_ok=True)
            picture.save(tmp_path / kind / f"{number}.png")
    return tmp_path


def explainer(model: PromptedClip, folder: Path, **how: object) -> Explainer:
    context = CueContext(PartOptions(), folder / "masks", "binary", False, ImageCache(0), 1)
    return Explainer([Subject("it", model, ["gradcam"])], MaskFileCue(context), **how)  # type: ignore[arg-type]


def items_of(folder: Path) -> list:
    return [unlabelled(path, path.name) for path in sorted((folder / "photos").iterdir())]


def test_parts_are_what_the_model_says_to_them(model: PromptedClip, photos: Path) -> None:
    one = explainer(model, photos, top=2).explain(items_of(photos)[:1])[0]
    look = one.looks["it"]
    pixels = model.preprocess(one.path)[None]
    assert one.mask is not None
    views = (pixels, pixels * one.mask, pixels * (1 - one.mask), torch.zeros_like(pixels))
    with torch.no_grad():
        logits = [model(view) for view in views]
    decided = int(logits[0].argmax())
    for answer, own in zip((look.whole, look.foreground, look.background, look.empty), logits, strict=True):
        chances = own.softmax(dim=1)[0]
        assert answer is not None
        assert answer.classes == tuple(NAMES[n] for n in chances.argsort(descending=True)[:2])
        assert answer.probabilities == pytest.approx(chances.sort(descending=True).values[:2].tolist(), abs=1e-5)
        assert answer.decided == pytest.approx(float(chances[decided]), abs=1e-5)
    (expected,) = evidence_of(*logits)
    assert look.evidence is not None
    assert look.evidence.foreground == pytest.approx(expected.foreground, abs=1e-4)
    assert look.evidence.background == pytest.approx(expected.background, abs=1e-4)
    assert look.attention is not None
    assert look.attention.shape == (4, 4)
    assert 0 < look.on_foreground < 1
    assert look.maps["gradcam"].shape == (32, 32)
    assert one.coverage == pytest.approx(float(one.mask.mean()))


def test_together_as_alone(model: PromptedClip, photos: Path) -> None:
    items = items_of(photos)
    together = explainer(model, photos).explain(items)
    for item, one in zip(items, together, strict=True):
        (alone,) = explainer(model, photos).explain([item])
        assert (one.path, one.size, one.problem) == (alone.path, alone.size, alone.problem)
        mine, other = one.looks["it"], alone.looks["it"]
        assert mine.whole.probabilities == pytest.approx(other.whole.probabilities, abs=1e-5)
        assert torch.allclose(mine.attention, other.attention, atol=1e-5)
        assert (mine.evidence is None) == (other.evidence is None)
    assert together[1].size == (40, 120)


def test_without_foreground_the_rest_is_there(model: PromptedClip, photos: Path) -> None:
    found = explainer(model, photos).explain(items_of(photos))
    assert [one.mask is None for one in found] == [False, False, True]
    empty = found[2]
    look = empty.looks["it"]
    assert empty.problem == "no foreground was found"
    assert (look.foreground, look.background, look.evidence, look.on_foreground) == (None, None, None, None)
    assert look.attention is not None
    assert look.maps["gradcam"] is not None


def test_a_foreground_beside_the_crop_or_all_over_it(model: PromptedClip, photos: Path) -> None:
    wide = Image.new("L", (120, 40))
    for box, problem in (((0, 0, 20, 40), OUT_OF_VIEW), ((20, 0, 100, 40), ALL_OF_IT)):
        wide.paste(0, (0, 0, 120, 40))
        wide.paste(255, box)
        wide.save(photos / "masks" / "1.png")
        (one,) = explainer(model, photos).explain(items_of(photos)[1:2])
        assert (one.mask, one.problem) == (None, problem)
        assert one.picture_mask is not None, "which the picture shows"


def test_damaged_images_stop_it_or_are_left_out(model: PromptedClip, photos: Path) -> None:
    (photos / "photos" / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0\.png"):
        explainer(model, photos).explain(items_of(photos))
    kind = explainer(model, photos, skip_bad=True)
    assert [one.path.name for one in kind.explain(items_of(photos))] == ["1.png", "2.png"]
    assert len(kind.damaged) == 1
    assert kind.explain(items_of(photos)[:1]) == []


@pytest.mark.parametrize(
    ("vision", "shown", "said"),
    [
        ({"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}, (False, False), 2),
        ({"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"}, (True, True), 0),
    ],
)
def test_towers_of_other_kinds(vision: dict, shown: tuple[bool, bool], said: int, photos: Path) -> None:
    size = {"embed_dim": 64} if "timm_model_name" in vision else {}
    other = dapt.create_model(tiny_clip(vision_cfg=vision, **size), "coop", NAMES)
    kind = explainer(other, photos)
    (one,) = kind.explain(items_of(photos)[:1])
    look = one.looks["it"]
    assert look.evidence is not None
    assert (look.attention is not None, bool(look.maps)) == shown
    assert len(kind.subjects[0].missing) == said


def test_class_texts_are_encoded_once(model: PromptedClip, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapt.clip.text_tower import TextTower

    calls: list[int] = []
    encode = TextTower.encode
    monkeypatch.setattr(TextTower, "encode", lambda *given, **named: calls.append(1) or encode(*given, **named))
    kind = explainer(model, photos)
    for _ in range(3):
        kind.explain(items_of(photos))
    assert len(calls) == 1


def test_what_is_trained_afterwards_does_not_reach_a_still_view(model: PromptedClip) -> None:
    pixels = torch.randn(1, 3, 32, 32)
    still = model.still()
    before = still.text_features(still.prompts.at_rest())
    assert still.text_features(still.prompts.at_rest()) is before
    assert model.text_features(model.prompts.at_rest()) is not model.text_features(model.prompts.at_rest())
    assert torch.allclose(model(pixels), still(pixels))
    assert still.still().text_features(still.prompts.at_rest()) is before


def test_names_of_items() -> None:
    assert unlabelled(Path("a/b.png")).name == "a/b.png"
    assert replace(unlabelled(Path("a/b.png"), "b.png"), label=2).name == "b.png"
