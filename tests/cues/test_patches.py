"""Patches against texts, with all kinds of models."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dapt.clip.taps import local_tokens, read_tokens, tapped
from dapt.config import BACKGROUND_WORDS, make_config
from dapt.cues.base import CUES, Cue, CueContext
from dapt.cues.patches import STUFF, whole_pixels
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.validation import validated
from helpers import make_csv, tiny_clip

NAMES = ["red square", "blue disc", "green bar", "white ring"]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> tuple[Item, ...]:
    return load_data(str(make_csv(tmp_path_factory.mktemp("patches") / "table"))).split("train")[:4]


def model_of(method: str = "zero_shot", **more: object) -> PromptedClip:
    return build_model(make_config({"data": "-", "method": method, **more}), tiny_clip(), NAMES)


def cue(**options: object) -> Cue:
    kind = CUES.get("patches")
    return kind(CueContext(kind.options_type(**options), None, "binary", False, ImageCache(0), 1))


@pytest.mark.parametrize("path", ["qq", "value"])
def test_a_patch_is_worth_the_probability_of_any_class(items, path: str) -> None:
    model = model_of("zero_shot")
    words = ["grass", "the sky", "a wall"]
    source = cue(path=path, refine="none", smooth="none", soft=True, background=words, background_template="of {}")
    masks = source.prepare(items, model)
    clip = model.clip
    with torch.no_grad(), tapped(clip.image) as taps:
        clip.image.encode(whole_pixels([ImageCache(0)(item) for item in items], model))
    patches = torch.nn.functional.normalize(read_tokens(clip.image, local_tokens(taps, path)), dim=-1)
    texts = torch.cat([model.encode_text(), clip.encode_text(clip.tokenizer.plain([f"of {word}" for word in words]))])
    shares = (clip.logit_scale * patches @ texts.t()).softmax(dim=-1)
    expected = shares[..., :4].sum(dim=-1).view(-1, 4, 4)
    assert torch.allclose(torch.stack(masks), expected, atol=1e-4)
    first = [words[at] for at in shares[0, :, 4:].mean(dim=0).argsort(descending=True)]
    assert source.report.stuff[items[0].name] == first
    assert cue(path=path, refine="none", smooth="none", cut="value", background=words).prepare(items, model)


@pytest.mark.parametrize("method", ["coop", "cocoop", "maple", "clip_lora", "linear_probe", "tip_adapter", "zero_shot"])
def test_every_kind_of_method(items, method: str) -> None:
    more = {"depth": 2} if method == "maple" else {}
    source = cue(refine="affinity")
    masks = source.prepare(items, model_of(method, **more))
    assert len(masks) == len(items)
    assert source.report.total == len(items)
    assert set(source.report.scores) == set(source.report.stuff) == {item.name for item in items}
    assert all(len(names) == STUFF and set(names) <= set(BACKGROUND_WORDS) for names in source.report.stuff.values())


def test_some_of_the_classes_are_asked_about(items) -> None:
    model = model_of()
    whole = cue(refine="none", smooth="none", soft=True).prepare(items, model)
    part = cue(refine="none", smooth="none", soft=True).prepare(items, model.with_classes(NAMES[:2]))
    assert all(bool((a >= b - 1e-6).all()) for a, b in zip(whole, part, strict=True))
    assert not torch.allclose(torch.stack(whole), torch.stack(part), atol=1e-4)


def test_labels_are_not_read(items) -> None:
    bare = [replace(item, label=UNLABELLED) for item in items]
    found, again = (cue().prepare(each, model_of()) for each in (items, bare))
    assert all((a is None and b is None) or torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_names_of_backgrounds_stay_when_prompts_change(items) -> None:
    source, model = cue(), model_of("vpt", depth=2)
    source.prepare(items, model)
    before = dict(source.report.stuff)
    with torch.no_grad():
        for value in model.prompts.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(0)) * 3)
    fresh = cue()
    fresh.prepare(items, model)
    source.prepare(items, model)
    assert source.report.stuff == before != fresh.report.stuff


def test_what_it_cannot_do(items) -> None:
    with pytest.raises(DataError, match="patches cue needs a model"):
        cue().prepare(items, None)
    resnet = {"image_size": 32, "layers": (1, 1, 1, 1), "width": 8, "head_width": 16, "patch_size": None}
    model = build_model(make_config({"data": "-", "method": "zero_shot"}), tiny_clip(vision_cfg=resnet), NAMES)
    with pytest.raises(NotSupportedError, match="patches of this image tower"):
        cue().prepare(items, model)


@pytest.mark.parametrize("source", ["patches", "gradcam"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"background_template": "grass"}, "background_template: it must contain {} exactly once"),
        ({"background_template": "{} on {}"}, "background_template: it must contain {} exactly once"),
        ({"background": ["grass", " "]}, "background: one of the words is empty"),
        ({"background": []}, "background: .*at least 1"),
    ],
)
def test_background_texts_that_cannot_be(source: str, options: dict[str, object], said: str) -> None:
    """A template without a place makes one text of all words, which says nothing of what the background is."""
    with pytest.raises(ConfigError, match=said):
        validated(CUES.get(source).options_type, options, "cue.")
