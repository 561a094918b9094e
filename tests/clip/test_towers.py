"""The towers: exactness of running the model's own blocks with prompts in place."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.image_tower import HookedImageTower, NativeImageTower
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.text_tower import TextTower
from dapt.errors import DataError, NotSupportedError
from helpers import tiny_clip, tiny_model

NAMES = ["cat", "golden_retriever", "a very long name of something"]


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def some_prompts(clip, n=2, depth_text=3, depth_visual=3, seed=3):
    g = torch.Generator().manual_seed(seed)

    def draw(width):
        return (torch.randn(n, width, generator=g) * 0.3).requires_grad_()

    return Prompts(
        draw(clip.text.width),
        tuple(draw(clip.text.width) for _ in range(depth_text - 1)),
        draw(clip.image.width),
        tuple(draw(clip.image.width) for _ in range(depth_visual - 1)),
    )


def plainly(clip, function):
    """Run `function` with all savings switched off."""
    clip.savings.set_all(False)
    try:
        return function()
    finally:
        clip.savings.set_all(True)


def test_zero_length_prompts_leave_every_output_bit_identical(clip, pixels):
    nothing = Prompts(
        torch.zeros(0, clip.text.width),
        (torch.zeros(0, clip.text.width),) * 2,
        torch.zeros(0, clip.image.width),
        (torch.zeros(0, clip.image.width),) * 2,
    )
    tokens = clip.tokenizer.with_context(NAMES, 0, words="a photo of a")
    original_text = clip.model.encode_text(tokens.ids)
    assert torch.equal(plainly(clip, lambda: clip.text.encode(tokens, NO_PROMPTS)), original_text)
    assert torch.equal(plainly(clip, lambda: clip.text.encode(tokens, nothing)), original_text)
    original_image = clip.model.encode_image(pixels)
    assert torch.equal(plainly(clip, lambda: clip.image.encode(pixels, nothing)), original_image)
    assert torch.equal(plainly(clip, lambda: clip.image.encode(pixels)), original_image)
    assert torch.equal(clip.image.encode(pixels, nothing), clip.image.encode(pixels))
    assert torch.allclose(clip.image.encode(pixels), original_image, atol=2e-6)
    assert torch.equal(clip.text.encode(tokens, nothing), clip.text.encode(tokens))
    hooked = HookedImageTower(tiny_model().eval().requires_grad_(False).visual)
    assert torch.equal(hooked.encode(pixels, nothing), hooked.encode(pixels))


@pytest.mark.parametrize("savings", [True, False])
def test_context_of_the_words_own_embeddings_is_zero_shot(clip, savings):
    words = "a photo of a"
    tokens = clip.tokenizer.with_context(NAMES, 4, words=words)
    context = clip.text.embed_words(torch.tensor(clip.tokenizer.pieces(words)))
    plain = clip.tokenizer.plain([f"{words} {name.replace('_', ' ')}." for name in NAMES])
    assert torch.equal(tokens.ids, plain.ids)

    def both():
        return clip.text.encode(tokens, Prompts(text_ctx=context)), clip.text.encode(plain)

    ours, zero_shot = both() if savings else plainly(clip, both)
    if savings:
        assert torch.allclose(ours, zero_shot, atol=1e-6)
    else:
        assert torch.equal(ours, zero_shot)


@pytest.mark.parametrize("position", ["end", "middle", "front"])
@pytest.mark.parametrize("kind", ["shared", "class_specific", "deep"])
def test_cut_and_shared_prefix_equal_the_plain_way(clip, position, kind):
    tokens = clip.tokenizer.with_context(NAMES, 2, position=position)
    generator = torch.Generator().manual_seed(0)
    shape = (len(NAMES), 2) if kind == "class_specific" else (2,)
    context = torch.randn(*shape, clip.text.width, generator=generator).requires_grad_()
    deep = tuple(
        torch.randn(2, clip.text.width, generator=generator).requires_grad_() for _ in range(2 if kind == "deep" else 0)
    )
    prompts = Prompts(context, deep)

    def features_and_gradients():
        features = clip.text.encode(tokens, prompts)
        weights = torch.linspace(-1, 1, features.numel()).view_as(features)
        return features, torch.autograd.grad((features * weights).sum(), [context, *deep])

    fast, fast_gradients = features_and_gradients()
    plain, plain_gradients = plainly(clip, features_and_gradients)
    assert torch.allclose(fast, plain, atol=2e-6)
    for a, b in zip(fast_gradients, plain_gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-5 * float(b.abs().max()) + 1e-7)


def test_checkpointing_gives_the_same_gradients(clip, pixels):
    prompts = some_prompts(clip)
    tokens = clip.tokenizer.with_context(NAMES, 2)
    leaves = [prompts.text_ctx, *prompts.text_deep, prompts.visual_ctx, *prompts.visual_deep]

    def gradients():
        logits = clip.logits(clip.encode_image(pixels, prompts), clip.encode_text(tokens, prompts))
        # a second pass with other prompts must not disturb the recomputation of the first
        clip.encode_image(pixels, NO_PROMPTS)
        return torch.autograd.grad(torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2])), leaves)

    plain = gradients()
    clip.set_checkpointing(True)
    try:
        recomputed = gradients()
    finally:
        clip.set_checkpointing(False)
    for a, b in zip(plain, recomputed, strict=True):
        assert torch.equal(a, b)
        assert float(a.abs().max()) > 0


def test_backbone_is_untouched(clip, pixels):
    before = {name: value.clone() for name, value in clip.model.state_dict().items()}
    prompts = some_prompts(clip)
    tokens = clip.tokenizer.with_context(NAMES, 2)
    clip.logits(clip.encode_image(pixels, prompts), clip.encode_text(tokens, prompts)).sum().backward()
    after = clip.model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not clip.model.training
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in clip.model.parameters())


def test_hooks_equal_the_loop(pixels):
    clip = tiny_clip()
    prompts = some_prompts(clip)
    visual = tiny_model().eval().requires_grad_(False).visual
    hooked, loop = HookedImageTower(visual), NativeImageTower(clip.model.visual)
    a, b = hooked.encode(pixels, prompts), loop.encode(pixels, prompts)
    assert torch.allclose(a, b, atol=1e-6)
    assert not torch.allclose(a, loop.encode(pixels), atol=1e-3)
    leaves = [prompts.visual_ctx, *prompts.visual_deep]
    ga, gb = (torch.autograd.grad(value.sum(), leaves) for value in (a, b))
    for left, right in zip(ga, gb, strict=True):
        assert torch.allclose(left, right, atol=1e-5)


def test_more_layers_than_the_tower_has_are_refused(clip, pixels):
    deep = Prompts(visual_ctx=torch.zeros(1, 32), visual_deep=(torch.zeros(1, 32),) * 3)
    with pytest.raises(NotSupportedError, match="4 visual prompt layers"):
        clip.image.encode(pixels, deep)
    with pytest.raises(NotSupportedError, match="5 text prompt layers"):
        clip.text.encode(clip.tokenizer.plain(["a"]), Prompts(text_deep=(torch.zeros(1, 24),) * 4))


def test_texts_that_do_not_fit_are_refused(clip):
    with pytest.raises(DataError, match="the model has room for 30"):
        clip.tokenizer.with_context(["cat " * 30], 4)


def timm_visual(**changes):
    timm = pytest.importorskip("timm")
    from open_clip.timm_model import TimmModel

    visual = TimmModel("test_vit", embed_dim=32, image_size=160, pool=changes.get("pool", "token"), proj="linear")
    assert isinstance(visual.trunk, timm.models.VisionTransformer)
    return visual.eval().requires_grad_(False)


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_timm_tower_takes_visual_prompts(pool):
    from dapt.clip.image_tower import make_image_tower

    torch.manual_seed(0)
    visual = timm_visual(pool=pool)
    tower = make_image_tower(visual)
    pixels = torch.randn(2, 3, 160, 160)
    original = visual(pixels)
    assert torch.equal(tower.encode(pixels), original)
    generator = torch.Generator().manual_seed(0)
    prompt = torch.randn(3, tower.width, generator=generator).requires_grad_()
    deep = torch.randn(3, tower.width, generator=generator).requires_grad_()
    changed = tower.encode(pixels, Prompts(visual_ctx=prompt, visual_deep=(deep,)))
    assert changed.shape == original.shape
    assert not torch.allclose(changed, original, atol=1e-4)
    gradients = torch.autograd.grad(changed.sum(), [prompt, deep])
    assert all(float(gradient.abs().max()) > 0 for gradient in gradients)
    # the prompts do not linger
    assert torch.equal(visual(pixels), original)


def test_siglip_style_text_tower_is_run_whole():
    """No causal mask, read at the last position: nothing may be cut or shared."""
    changes = {"text_cfg": {**tiny_text(), "no_causal_mask": True, "pool_type": "last"}}
    from open_clip.model import CustomTextCLIP

    from helpers import TINY

    torch.manual_seed(0)
    model = CustomTextCLIP(**{**TINY, **changes}).eval()
    clip = tiny_clip()
    tower = TextTower(model.text)
    tokens = clip.tokenizer.plain(["a photo of a cat.", "a dog."])
    assert torch.equal(tower.encode(tokens), model.encode_text(tokens.ids))
    context = torch.randn(2, tower.width)
    slots = clip.tokenizer.with_context(["cat", "dog"], 2)
    assert not torch.allclose(tower.encode(slots, Prompts(text_ctx=context)), model.encode_text(slots.ids))


def tiny_text():
    from helpers import TINY

    return dict(TINY["text_cfg"])


def test_resnet_serves_text_only_methods_and_refuses_visual_prompts():
    clip = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    pixels = torch.randn(2, 3, 64, 64)
    assert torch.equal(clip.image.encode(pixels), clip.model.encode_image(pixels))
    with pytest.raises(NotSupportedError, match="open_clip's ViT"):
        clip.image.encode(pixels, Prompts(visual_ctx=torch.zeros(1, 32)))


def test_coca_text_tower_is_refused_with_what_is_supported():
    from open_clip.model import CustomTextCLIP

    from helpers import TINY

    model = CustomTextCLIP(**{**TINY, "text_cfg": {**TINY["text_cfg"], "embed_cls": True}})
    with pytest.raises(NotSupportedError, match=r"CoCa[\s\S]*Supported: open_clip's own text transformer"):
        TextTower(model.text)
