"""Prompt architectures: published sizes, starting values, and widths taken from the model."""

from __future__ import annotations

import open_clip
import pytest
import torch

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.base import METHODS
from helpers import tiny_clip

NAMES = ["cat", "dog", "golden_retriever"]


@pytest.fixture(scope="module")
def vit_b16() -> FrozenClip:
    model = open_clip.create_model("ViT-B-16", load_weights=False)
    preprocess = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    return FrozenClip(model, open_clip.get_tokenizer("ViT-B-16"), preprocess, "ViT-B-16")


def build(method: str, clip: FrozenClip, seed: int = 0, names=NAMES, **options):
    recipe = METHODS.get(method)
    settings = recipe.options.model_validate({**recipe.preset, **options})
    return recipe.load_architecture()(settings, clip, names, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("method", "options", "count"),
    [
        ("zero_shot", {}, 0),
        ("coop", {}, 8_192),
        ("coop.words", {}, 2_048),
        ("coop.csc", {}, 8_192 * len(NAMES)),
        ("vpt", {}, 73_728),
        ("vpt.shallow", {}, 6_144),
        ("ivlp", {}, 30_720),
        ("ivlp.deep4", {}, 46_080),
        ("ivlp", {"n_ctx": 4, "depth": 3}, 15_360),
        ("maple", {}, 3_555_072),
        ("maple.cross", {}, 1_185_024),
    ],
)
def test_published_parameter_counts_on_vit_b16(vit_b16, method, options, count) -> None:
    assert build(method, vit_b16, **options).count() == count


def test_widths_come_from_the_model() -> None:
    """The widths of ViT-L/14, which the published MaPLe code cannot run."""
    clip = tiny_clip(
        embed_dim=768,
        vision_cfg={"image_size": 28, "layers": 2, "width": 1024, "head_width": 64, "patch_size": 14},
        text_cfg={"context_length": 32, "vocab_size": 49408, "width": 768, "heads": 12, "layers": 2},
    )
    maple = build("maple", clip, depth=2)
    assert maple.count() == 2 * (2 * 768 + 768 * 1024 + 1024)
    features = clip.encode_image(torch.randn(1, 3, 28, 28), maple())
    assert features.shape == (1, 768)


def test_starting_values() -> None:
    clip = tiny_clip()
    words = clip.text.embed_words(torch.tensor(clip.tokenizer.pieces("a photo of a")))
    assert torch.equal(build("coop", clip, ctx_init="a photo of a").ctx, words)
    assert torch.equal(build("maple", clip, depth=3).ctx, words[:2])
    assert torch.equal(build("ivlp", clip, depth=3).ctx, words[:2])
    five = build("maple", clip, depth=3, n_ctx=5)
    assert five.ctx.shape == (5, clip.text.width)
    assert 0.01 < float(five.ctx.std()) < 0.03
    maps = [five.deep_proj[key].weight for key in five.deep_proj]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(five.proj.weight, maps[0])
    spread = torch.cat([value.flatten() for value in build("vpt", clip, depth=3).parameters()]).std()
    assert 0.018 < float(spread) < 0.022


def test_words_beyond_the_context_stay_in_the_text() -> None:
    clip = tiny_clip()
    tokens = build("maple", clip, depth=3).texts(["cat"])[0]
    assert torch.equal(tokens.ids, clip.tokenizer.plain(["a photo of a cat."]).ids)
    assert tokens.slots.tolist() == [[1, 2]]


def test_same_seed_same_start_and_global_generator_untouched() -> None:
    clip = tiny_clip()
    before = torch.get_rng_state()
    a, b, c = (build("maple", clip, seed=seed, depth=3) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for (name, left), right, other in zip(a.named_parameters(), b.parameters(), c.parameters(), strict=True):
        assert torch.equal(left, right), name
        assert name == "ctx" or not torch.equal(left, other), name


def test_class_specific_context_refuses_other_classes() -> None:
    clip = tiny_clip()
    prompts = build("coop.csc", clip)
    assert len(prompts.texts(NAMES)[0]) == 3
    with pytest.raises(NotSupportedError, match="one context per training class"):
        prompts.texts(["horse"])


def test_depth_beyond_the_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Prompt depth 9 is more than the 3 layers[\s\S]*--depth 3"):
        build("maple", tiny_clip())


def test_visual_prompts_need_a_vit() -> None:
    clip = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    assert build("coop", clip).count() == 16 * clip.text.width
    with pytest.raises(NotSupportedError, match="no place for visual prompts"):
        build("maple", clip, depth=2)


def test_ensemble_is_the_mean_of_unit_features() -> None:
    from dapt.model.prompted_clip import PromptedClip

    clip = tiny_clip()
    templates = ["a photo of a {}.", "art of the {}."]
    model = PromptedClip(clip, build("zero_shot", clip, templates=templates), NAMES)
    each = [
        clip.encode_text(clip.tokenizer.plain([t.replace("{}", n.replace("_", " ")) for n in NAMES])) for t in templates
    ]
    mean = sum(each) / 2
    expected = mean / mean.norm(dim=-1, keepdim=True)
    assert torch.allclose(model.text_features(model.prompts()), expected, atol=1e-6)
    assert len(METHODS.get("zero_shot.ensemble").options.model_validate({"templates": "imagenet80"}).templates) == 80
