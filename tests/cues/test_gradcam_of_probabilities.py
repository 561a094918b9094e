"""Grad-CAM as in CLIP-ES: of probabilities, spread along attention, cut anew for each image."""

from __future__ import annotations

import pytest
import torch

from dapt.config import make_config
from dapt.cues.base import CUES, Cue, CueContext
from dapt.cues.cut import otsu_threshold
from dapt.cues.patches import whole_pixels
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.resolve import load_data
from dapt.errors import NotSupportedError
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam, normalise_maps
from dapt.model.prompted_clip import PromptedClip
from helpers import make_csv, tiny_clip

NAMES = ["red square", "blue disc", "green bar", "white ring"]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> tuple[Item, ...]:
    return load_data(str(make_csv(tmp_path_factory.mktemp("cam") / "table"))).split("train")[:4]


@pytest.fixture(scope="module")
def model() -> PromptedClip:
    return build_model(make_config({"data": "-", "method": "maple", "depth": 3}), tiny_clip(), NAMES)


def cue(**options: object) -> Cue:
    kind = CUES.get("gradcam")
    return kind(CueContext(kind.options_type(**options), None, "binary", False, ImageCache(0), 1))


def maps_of(items, model: PromptedClip, **options: object) -> torch.Tensor:
    return torch.stack(cue(soft=True, **options).prepare(items, model))


def test_the_probability_among_classes_and_backgrounds_is_explained(items, model) -> None:
    words = ["grass", "sky"]
    pixels = whole_pixels([ImageCache(0)(item) for item in items], model)
    backgrounds = model.encode_text([f"a photo of the {word}." for word in words])
    labels = torch.tensor([item.label for item in items])
    classify = Classifier(model)
    found = grad_cam(classify, pixels, labels, backgrounds)
    logits = torch.cat([found.logits, model.clip.logits(classify.features(pixels), backgrounds)], dim=1)
    chosen = logits.softmax(dim=1).gather(1, labels[:, None]).sum()
    assert float(found.score) == pytest.approx(float(chosen.detach()) / found.logits.numel(), rel=1e-4)
    assert found.logits.shape == (4, 4)
    expected = normalise_maps(found.coarse, (32, 32))
    asked = maps_of(items, model, score="softmax", background=words, background_template="a photo of the {}.")
    assert torch.allclose(asked, expected, atol=1e-5)
    assert not torch.allclose(asked, maps_of(items, model), atol=1e-2)


def test_what_is_not_asked_for_changes_nothing(items, model) -> None:
    plain = cue().prepare(items, model)
    said = cue(score="logit", refine="none", cut="value", smooth="none", background=["sky"], layers=2)
    for a, b in zip(plain, said.prepare(items, model), strict=True):
        assert (a is None and b is None) or torch.equal(a, b)


def test_attention_and_colour_refine(items, model) -> None:
    plain, attention, colour = (maps_of(items, model, refine=how) for how in ("none", "affinity", "colour"))
    assert all(maps.amax(dim=(1, 2)).tolist() == pytest.approx([1.0] * 4) for maps in (plain, attention, colour))
    assert all(
        not torch.allclose(a, b, atol=1e-2) for a, b in ((plain, attention), (plain, colour), (attention, colour))
    )
    assert not torch.allclose(attention, maps_of(items, model, refine="affinity", layers=1), atol=1e-4)


def test_otsu_cuts_each_map(items, model) -> None:
    soft = maps_of(items, model)
    for values, mask in zip(soft, cue(cut="otsu").prepare(items, model), strict=True):
        assert mask is not None
        assert torch.equal(mask, values > otsu_threshold(values))


def test_smooth_masks_are_as_large_as_the_photo(items, model) -> None:
    assert maps_of(items, model).shape[1:] == (32, 32)
    assert maps_of(items, model, smooth="guided").shape[1:] == (40, 48)


def test_a_tower_without_patches_is_refused(items) -> None:
    resnet = {"image_size": 32, "layers": (1, 1, 1, 1), "width": 8, "head_width": 16, "patch_size": None}
    model = build_model(make_config({"data": "-", "method": "zero_shot"}), tiny_clip(vision_cfg=resnet), NAMES)
    with pytest.raises(NotSupportedError, match="cannot be looked at") as caught:
        cue(refine="affinity").prepare(items, model)
    assert "--cue border" in caught.value.todo
    with pytest.raises(NotSupportedError, match="no transformer blocks to look at") as caught:
        cue(refine="none").prepare(items, model)
    assert "--cue border" in caught.value.todo
