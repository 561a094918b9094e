"""The towers compute what is asked for and no more, with gradient only where it is wanted."""

from __future__ import annotations

import pytest
import torch

import dapt
from dapt.data.batch import Batch
from dapt.errors import DataError, NotSupportedError
from dapt.model.needs import Needs
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompted_towers import PromptedTowers
from dapt.model.views import view_of
from helpers import tiny_clip

NAMES = ["red square", "blue disc", "green bar"]


@pytest.fixture(scope="module")
def model() -> PromptedClip:
    return dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"word_count": 4, "fill": "mean"})


@pytest.fixture
def batch() -> Batch:
    masks = torch.zeros(2, 1, 32, 32)
    masks[..., 8:24, 8:24] = 1
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pixels, torch.tensor([0, 2]), masks)


def test_nothing_more_than_is_needed(model: PromptedClip, batch: Batch) -> None:
    found = model.compute(batch, Needs({"full": True}, {"classes": True}))
    assert (set(found.image), set(found.text), found.teacher) == ({"full"}, {"classes"}, None)
    found = model.compute(batch, Needs({"background": False}, {"background": False}))
    assert (set(found.image), set(found.text)) == ({"background"}, {"background"})
    assert found.text["background"].shape == (4, model.clip.embed_dim)


def test_features_of_each_view_are_those_of_its_pixels(model: PromptedClip, batch: Batch) -> None:
    found = model.compute(batch, Needs(dict.fromkeys(("full", "foreground", "background", "frozen"), False)))
    prompts = model.prompts().detached()
    for view in ("full", "foreground", "background"):
        expected = model.clip.encode_image(view_of(batch, view), prompts)
        assert torch.allclose(found.image[view], expected, atol=1e-5), view
        assert torch.allclose(found.image[view].norm(dim=1), torch.ones(2), atol=1e-5)
    assert torch.allclose(found.image["frozen"], model.clip.encode_image(batch.pixels), atol=1e-5)
    assert not torch.allclose(found.image["frozen"], found.image["full"], atol=1e-3)


def test_gradient_flows_only_where_it_is_wanted(model: PromptedClip, batch: Batch) -> None:
    found = model.compute(batch, Needs({"full": True, "foreground": False}, {"classes": False, "background": True}))
    assert found.image["full"].requires_grad
    assert not found.image["foreground"].requires_grad
    assert not found.text["classes"].requires_grad
    assert found.text["background"].requires_grad
    with torch.no_grad():
        assert not model.compute(batch, Needs({"full": True})).image["full"].requires_grad


def test_views_without_masks_are_refused(model: PromptedClip, batch: Batch) -> None:
    with pytest.raises(DataError, match="mask"):
        model.compute(Batch(batch.pixels, batch.labels), Needs({"foreground": True}))


def test_text_alone_leaves_the_image_tower_as_it_was(batch: Batch) -> None:
    coop = dapt.create_model(tiny_clip(), "coop", NAMES, n_ctx=2)
    found = coop.compute(batch, Needs({"full": True, "frozen": False}, {"classes": True}))
    assert torch.allclose(found.image["full"], coop.clip.encode_image(batch.pixels), atol=1e-6)
    assert torch.equal(found.image["frozen"], found.image["full"])
    own = coop.trainable()
    assert (own.class_texts, own.image) == (True, False)


def test_class_texts_of_each_image(batch: Batch) -> None:
    cocoop = dapt.create_model(tiny_clip(), "cocoop", NAMES)
    found = cocoop.compute(batch, Needs({}, {"classes": True}))
    assert found.text["classes"].shape == (2, 3, cocoop.clip.embed_dim)
    one = cocoop.texts_for(cocoop.prompts(), found.image["full"][1:].detach())
    assert torch.allclose(found.text["classes"][1:], one, atol=1e-5), "the texts of an image are its own"


def test_as_in_the_released_code_some_background_texts_are_classes() -> None:
    model = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"released": True})
    prompts = model.prompts.at_rest()
    texts = model.text_features(prompts)
    assert texts.shape[0] == 3 + (32 - 25)
    assert model.text_features(prompts, "background").shape[0] == 25
    cocoop = dapt.create_model(tiny_clip(), "cocoop", NAMES)
    with pytest.raises(NotSupportedError, match="does not work with texts that depend on the image"):
        PromptedTowers(cocoop.clip, cocoop.prompts, NAMES, ["a cloud"], distractors=1)


def test_views_by_attention_are_close_to_nothing_else_but_of_the_same_kind(batch: Batch) -> None:
    model = dapt.create_model(tiny_clip(), "maple", NAMES, depth=2, dapt={"views": "attention"})
    found = model.compute(batch, Needs({"full": True, "foreground": False, "background": False}))
    exact = model.clip.encode_image(batch.pixels, model.prompts().detached())
    assert torch.allclose(found.image["full"].detach(), exact, atol=1e-4)
    assert not torch.allclose(found.image["foreground"], found.image["background"], atol=1e-3)
    assert found.image["full"].requires_grad
    assert not found.image["foreground"].requires_grad
    clip = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    with pytest.raises(NotSupportedError):
        dapt.create_model(clip, "coop", NAMES, n_ctx=2, dapt={"views": "attention"})
