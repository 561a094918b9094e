"""When texts run by few kernels, what of them is kept, and several sets in one pass."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.few_text_kernels import FewTextKernels
from dapt.clip.prompts import Prompts
from helpers import tiny_clip

NAMES = ["cat", "golden_retriever", "a very long name of something", "dog"]


@pytest.fixture
def clip():
    clip = tiny_clip(quick_gelu=True)
    clip.savings.profile = "cuda"
    return clip


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sets each pass by few kernels had."""
    found: list[int] = []
    read = FewTextKernels.read

    def counted(self, sets, *rest):
        found.append(len(sets))
        return read(self, sets, *rest)

    monkeypatch.setattr(FewTextKernels, "read", counted)
    return found


def prompts_of(clip, deep: int = 2) -> tuple[Prompts, list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    parts = [(torch.randn(2, clip.text.width, generator=generator) * 0.3).requires_grad_() for _ in range(1 + deep)]
    return Prompts(parts[0], tuple(parts[1:])), parts


def test_texts_run_by_few_kernels_on_a_gpu_alone(clip, passes) -> None:
    tokens, (prompts, _) = clip.tokenizer.with_context(NAMES, 2), prompts_of(clip)
    clip.text.encode(tokens, prompts)
    assert passes == [1]
    for profile in ("auto", "cpu"):
        clip.savings.profile = profile
        clip.text.encode(tokens, prompts)
    assert passes == [1]


@pytest.mark.parametrize("saving", ["cut_texts", "share_prefix", "pack_texts", "read_one_token", "fused_gelu"])
def test_a_saving_that_is_off_is_not_had_in_another_way(clip, passes, saving: str) -> None:
    setattr(clip.savings, saving, False)
    clip.text.encode(clip.tokenizer.with_context(NAMES, 2), prompts_of(clip)[0])
    assert not passes


def test_what_is_computed_again_in_the_backward_pass_runs_as_before(clip, passes) -> None:
    clip.text.checkpointing = True
    tokens, (prompts, _) = clip.tokenizer.with_context(NAMES, 2), prompts_of(clip)
    clip.text.encode(tokens, prompts)
    assert not passes
    with torch.no_grad():
        clip.text.encode(tokens, prompts)
    assert passes == [1]


def test_several_sets_in_one_pass_are_as_each_alone(clip, passes) -> None:
    sets = [clip.tokenizer.with_context(names, 2) for names in (NAMES, ["water", "grass and sand"])]
    prompts, leaves = prompts_of(clip)
    together = clip.encode_together(sets, prompts)
    assert passes == [2]
    alone = [clip.encode_text(tokens, prompts) for tokens in sets]
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    weights = [torch.linspace(-1, 1, part.numel()).view_as(part) for part in alone]
    gradients = [
        torch.autograd.grad(sum((part * w).sum() for part, w in zip(parts, weights, strict=True)), leaves)
        for parts in (together, alone)
    ]
    for one, other in zip(*gradients, strict=True):
        assert float(other.abs().max()) > 0
        assert torch.allclose(one, other, atol=1e-5 * float(other.abs().max()), rtol=0)


def test_several_sets_are_left_apart_without_few_kernels_or_room(clip, passes) -> None:
    sets = [clip.tokenizer.with_context(names, 2) for names in (NAMES, ["water"])]
    prompts, _ = prompts_of(clip)
    clip.text.memory_mb = 1e-3
    assert clip.encode_together(sets, prompts) is None
    clip.text.memory_mb, clip.savings.profile = None, "cpu"
    assert clip.encode_together(sets, prompts) is None
    assert not passes


def test_constant_words_are_embedded_once_and_anew_when_they_change(clip, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    forward = torch.nn.Embedding.forward
    monkeypatch.setattr(torch.nn.Embedding, "forward", lambda self, ids: looked.append(1) or forward(self, ids))
    tokens, (prompts, _) = clip.tokenizer.with_context(NAMES, 2), prompts_of(clip)
    first = clip.text.encode(tokens, prompts)
    assert torch.equal(clip.text.encode(tokens, prompts), first)
    assert len(looked) == 1
    with torch.no_grad():
        clip.model.token_embedding.weight.mul_(2)
    second = clip.text.encode(tokens, prompts)
    assert len(looked) == 2
    clip.savings.profile = "cpu"
    assert torch.allclose(second, clip.text.encode(tokens, prompts), atol=1e-5)
    assert not torch.allclose(second, first, atol=1e-3)
