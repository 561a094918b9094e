"""Every exact saving equals the way without it, in features and in gradients, and really saves work."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from dapt.clip.blocks import attention_of, pool_by_query
from dapt.clip.gelu import run_mlp
from dapt.clip.linear import frozen_linear
from dapt.clip.packing import make_packing
from dapt.clip.prompts import Prompts
from dapt.clip.savings import Savings
from dapt.clip.text_tower import TextTower
from helpers import TINY, tiny_clip

NAMES = ["cat", "golden_retriever", "a very long name of something", "dog"]
SWITCHES = [field.name for field in fields(Savings)]
OF_TOWERS = SWITCHES[:7]


def draw(*shape, seed):
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.3).requires_grad_()


def prompts_of(clip, kind):
    """Prompts in the layouts that methods use: (prompts, leaves)."""
    text, image = clip.text.width, clip.image.width
    deep_text = [draw(2, text, seed=10 + i) for i in range(2)]
    deep_visual = [draw(2, image, seed=20 + i) for i in range(2)]
    made = {
        "coupled": Prompts(draw(2, text, seed=1), tuple(deep_text), draw(2, image, seed=2), tuple(deep_visual[:1])),
        "all_layers": Prompts(draw(2, text, seed=1), (), draw(2, image, seed=2), tuple(deep_visual)),
        "shallow": Prompts(draw(2, text, seed=1), (), draw(2, image, seed=2)),
        "class_specific": Prompts(draw(len(NAMES), 2, text, seed=1)),
    }[kind]
    parts = [made.text_ctx, *made.text_deep, made.visual_ctx, *made.visual_deep]
    return made, [part for part in parts if part is not None]


def forward(clip, pixels, kind):
    """Logits, loss and the leaves of a small step."""
    prompts, leaves = prompts_of(clip, kind)
    tokens = clip.tokenizer.with_context(NAMES, 2)
    logits = clip.logits(clip.encode_image(pixels, prompts), clip.encode_text(tokens, prompts))
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2]))
    return logits.detach(), loss, leaves


def step(clip, pixels, kind):
    """Logits and gradients of a small step."""
    logits, loss, leaves = forward(clip, pixels, kind)
    return logits, torch.autograd.grad(loss, leaves)


def assert_same(ours, plain):
    assert torch.allclose(ours[0], plain[0], atol=1e-4)  # logits are of the order of 10
    assert len(ours[1]) == len(plain[1])
    for a, b in zip(ours[1], plain[1], strict=True):
        assert float(b.abs().max()) > 0
        assert torch.allclose(a, b, atol=2e-5 * float(b.abs().max()))


@pytest.mark.parametrize("kind", ["coupled", "all_layers", "shallow", "class_specific"])
@pytest.mark.parametrize("switch", [*OF_TOWERS, "all"])
def test_each_saving_equals_the_way_without_it(clip, pixels, kind, switch):
    ours = step(clip, pixels, kind)
    clip.savings.set_all(switch != "all")
    if switch != "all":
        setattr(clip.savings, switch, False)
    try:
        without = step(clip, pixels, kind)
    finally:
        clip.savings.set_all(True)
    assert_same(ours, without)


@pytest.mark.parametrize("switch", ["cut_texts", "share_prefix", "pack_texts", "read_one_token", "lean_prompts"])
def test_each_saving_saves_work(clip, pixels, switch):
    def work():
        with FlopCounterMode(display=False) as counter:
            forward(clip, pixels, "coupled")[1].backward()
        return counter.get_total_flops()

    ours = work()
    setattr(clip.savings, switch, False)
    try:
        without = work()
    finally:
        setattr(clip.savings, switch, True)
    assert without > ours


@pytest.mark.parametrize("onednn", [True, False])
def test_fused_quick_gelu_keeps_one_tensor_and_equals_the_module(clip, onednn):
    mlp = clip.model.visual.transformer.resblocks[0].mlp
    use = Savings(onednn=onednn)
    x = torch.randn(2, 5, clip.image.width, requires_grad=True)
    kept: list[tuple[int, ...]] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(tuple(t.shape)) or t, lambda t: t):
        ours = run_mlp(mlp, x, use)
    weights = {tuple(mlp.c_fc.weight.shape), tuple(mlp.c_proj.weight.shape)}
    assert [shape for shape in kept if shape not in weights] == [(2, 5, 4 * clip.image.width)]
    plain = mlp(x)
    assert torch.allclose(ours, plain, atol=1e-6)
    way = torch.randn_like(plain)
    assert torch.allclose(*(torch.autograd.grad((y * way).sum(), x)[0] for y in (ours, plain)), atol=1e-6)
    with torch.no_grad():
        assert torch.equal(run_mlp(mlp, x, use), ours)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_frozen_linear_equals_linear_and_is_counted(bias, dtype):
    x = torch.randn(3, 4, 8, dtype=dtype, requires_grad=True)
    layer = torch.nn.Linear(8, 6, bias=bias, dtype=dtype).requires_grad_(False)
    way = torch.randn(3, 4, 6, dtype=dtype)
    with FlopCounterMode(display=False) as counter:
        ours = frozen_linear(x, layer.weight, layer.bias)
        ours.backward(way)
    assert counter.get_total_flops() == 2 * (2 * 12 * 8 * 6)
    plain = layer(x)
    assert torch.allclose(ours, plain, atol=1e-6 if dtype == torch.float32 else 2e-2)
    (expected,) = torch.autograd.grad(plain, x, way)
    assert torch.allclose(x.grad, expected, atol=1e-6 if dtype == torch.float32 else 2e-2)


def test_frozen_weights_are_not_kept_with_their_inputs(clip, pixels):
    """A block keeps at most: norm inputs, q, k, v, attention output, MLP input: 10 widths per token."""
    prompts, _ = prompts_of(clip, "coupled")
    sizes: dict[int, int] = {}
    weights = {parameter.untyped_storage().data_ptr() for parameter in clip.model.parameters()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        clip.encode_image(pixels, prompts)
    tokens = pixels.shape[0] * (16 + 1 + 2)
    per_token = sum(sizes.values()) / 4 / tokens / clip.image.width / clip.image.layers
    assert per_token < 12


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=90),
    shared=st.integers(0, 5),
    packed=st.booleans(),
)
def test_packing_keeps_every_token_once(lengths, shared, packed):
    ends = torch.tensor([shared + length - 1 for length in lengths])
    plan = make_packing(ends, shared, packed=packed)
    count, longest = len(lengths), max(lengths)
    assert plan.longest == longest
    assert plan.tokens == (sum(lengths) if packed else longest * count)
    original = torch.arange(count * longest)
    tokens = original.view(count, longest)
    rest = original[plan.picked].unsqueeze(1) + 1  # 1-based, so that 0 is padding
    # the end of each text is found among the packed tokens
    assert torch.equal(rest[plan.ends, 0] - 1, tokens[torch.arange(count), torch.tensor(lengths) - 1])
    assert torch.equal(plan.order[plan.back], torch.arange(count))
    assert sum(part.texts for part in plan.buckets) == count
    assert sum(part.tokens for part in plan.buckets) == plan.tokens
    first = 0
    packed_again = [part.pack(padded) for part, padded in zip(plan.buckets, plan.split(rest), strict=True)]
    assert torch.equal(torch.cat(packed_again), rest)
    for part, padded in zip(plan.buckets, plan.split(rest), strict=True):
        for row in range(part.texts):
            text = int(plan.order[first + row])
            length = lengths[text]
            assert padded[row, :length, 0].tolist() == (tokens[text, :length] + 1).tolist()
            if packed:
                assert not padded[row, length:].any()
            if part.hidden is not None:
                assert (~part.hidden[row]).sum() == length
            else:
                assert length == part.longest
        first += part.texts


@pytest.mark.parametrize("kind", ["shared", "class_specific"])
def test_many_texts_in_several_buckets_equal_the_plain_way(clip, kind):
    names = [" ".join(["cat"] * (1 + number % 7)) for number in range(120)]
    tokens = clip.tokenizer.with_context(names, 2)
    context = draw(120, 2, clip.text.width, seed=1) if kind == "class_specific" else draw(2, clip.text.width, seed=1)

    def run():
        features = clip.text.encode(tokens, Prompts(context))
        way = torch.linspace(-1, 1, features.numel()).view_as(features)
        return features.detach(), torch.autograd.grad((features * way).sum(), [context])

    ours = run()
    assert len(next(plan for key, plan in tokens.plans.items()).buckets) > 1
    clip.savings.set_all(False)
    try:
        plain = run()
    finally:
        clip.savings.set_all(True)
    assert_same(ours, plain)


def test_one_query_needs_no_keys_and_values(clip):
    attention = attention_of(clip.model.visual.transformer.resblocks[0])
    own, shared = torch.randn(3, 5, clip.image.width), torch.randn(2, clip.image.width)
    everything = torch.cat([shared.expand(3, -1, -1), own], dim=1)
    ours = pool_by_query(attention, own[:, 4], shared, own)
    plain = attention(own[:, 4:], everything, everything, need_weights=False)[0][:, 0]
    assert torch.allclose(attention.out_proj(ours), plain, atol=1e-6)
    hidden = torch.tensor([False, False, True, True, False]).expand(3, -1)
    ours = pool_by_query(attention, own[:, 4], shared, own, hidden)
    seen = everything[:, [0, 1, 2, 3, 6]]
    plain = attention(own[:, 4:], seen, seen, need_weights=False)[0][:, 0]
    assert torch.allclose(attention.out_proj(ours), plain, atol=1e-6)


@pytest.mark.parametrize("kind", ["coupled", "class_specific"])
@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_class_chunks_are_recomputed_and_equal(clip, pixels, kind, at_once, monkeypatch):
    whole = step(clip, pixels, kind)
    tokens, prompts = clip.tokenizer.with_context(NAMES, 2), prompts_of(clip, kind)[0]
    seen = []
    encode = clip.text._encode
    monkeypatch.setattr(clip.text, "_encode", lambda part, p: seen.append(len(part)) or encode(part, p))
    clip.text.memory_mb = (at_once + 0.5) * clip.text.memory_per_text(tokens, prompts)
    try:
        chunked = step(clip, pixels, kind)
    finally:
        clip.text.memory_mb = None
    forward = [at_once] * (len(NAMES) // at_once) + [len(NAMES) % at_once] * bool(len(NAMES) % at_once)
    assert sorted(seen) == sorted(forward * 2)  # once forward, once more in backward
    assert_same(chunked, whole)


def test_no_chunks_without_gradient(clip):
    clip.text.memory_mb = 1e-6
    tokens, prompts = clip.tokenizer.with_context(NAMES, 2), prompts_of(clip, "coupled")[0]
    try:
        assert clip.text.texts_at_once(tokens, prompts) == 1
        assert clip.text.texts_at_once(tokens, prompts.detached()) == len(NAMES)
        with torch.no_grad():
            assert clip.text.texts_at_once(tokens, prompts) == len(NAMES)
    finally:
        clip.text.memory_mb = None


def test_a_single_text_and_texts_of_one_length(clip):
    for names in (["cat"], ["cat", "dog", "cow"]):
        tokens = clip.tokenizer.with_context(names, 2)
        prompts = Prompts(draw(2, clip.text.width, seed=1))
        ours = clip.text.encode(tokens, prompts)
        clip.savings.set_all(False)
        try:
            plain = clip.text.encode(tokens, prompts)
        finally:
            clip.savings.set_all(True)
        assert torch.allclose(ours, plain, atol=2e-6)


def test_savings_do_not_touch_towers_without_a_causal_mask():
    from open_clip.model import CustomTextCLIP

    torch.manual_seed(0)
    changes = {"text_cfg": {**TINY["text_cfg"], "no_causal_mask": True, "pool_type": "last"}}
    tower = TextTower(CustomTextCLIP(**{**TINY, **changes}).eval().text)
    tokens = tiny_clip().tokenizer.plain(["a photo of a cat.", "a dog."])
    with FlopCounterMode(display=False) as ours:
        tower.encode(tokens)
    tower.savings.set_all(False)
    with FlopCounterMode(display=False) as plain:
        tower.encode(tokens)
    assert ours.get_total_flops() == plain.get_total_flops()
