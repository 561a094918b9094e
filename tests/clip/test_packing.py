"""Packed texts: a plan worked out by hand, and blocks that equal open_clip's over whole texts."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.packing import TEXTS_PER_BUCKET, Bucket, make_packing, packed_block, read_ends
from dapt.clip.savings import Savings


def test_a_plan_by_hand():
    """Ends at 3, 5, 4 with 2 tokens in common: rests of 2, 4 and 3 tokens."""
    plan = make_packing(torch.tensor([3, 5, 4]), 2, packed=True)
    assert (plan.shared, plan.longest, plan.tokens) == (2, 4, 9)
    assert plan.order.tolist() == [1, 2, 0]  # the longest first
    assert plan.back.tolist() == [2, 0, 1]
    assert plan.picked.tolist() == [4, 5, 6, 7, 8, 9, 10, 0, 1]
    assert plan.ends.tolist() == [8, 3, 6]
    (bucket,) = plan.buckets
    assert (bucket.tokens, bucket.texts, bucket.longest) == (9, 3, 4)
    assert bucket.rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert bucket.hidden.tolist() == [[False] * 4, [False] * 3 + [True], [False] * 2 + [True] * 2]


def test_without_packing_every_rest_is_as_long_as_the_longest():
    plan = make_packing(torch.tensor([3, 5, 4]), 2, packed=False)
    assert plan.picked.tolist() == list(range(12))
    assert plan.ends.tolist() == [1, 7, 10]
    assert plan.buckets[0].rows is None


def test_padding_and_its_inverse():
    bucket = Bucket(3, 2, 2, torch.tensor([0, 1, 2]), None, torch.zeros(2, 2))
    own = torch.tensor([[1.0], [2], [3]])
    assert bucket.pad(own).squeeze(-1).tolist() == [[1, 2], [3, 0]]
    assert torch.equal(bucket.pack(bucket.pad(own)), own)


def test_texts_of_one_length_stay_in_one_bucket():
    lengths = [5] * (TEXTS_PER_BUCKET + 8) + [2] * 3
    plan = make_packing(torch.tensor(lengths), 1, packed=True)
    assert [bucket.texts for bucket in plan.buckets] == [TEXTS_PER_BUCKET + 8, 3]
    assert all(bucket.rows is None and bucket.hidden is None for bucket in plan.buckets)


@pytest.mark.parametrize("shared", [0, 2])
@pytest.mark.parametrize("packed", [True, False])
def test_a_block_over_packed_texts_is_the_models_own(clip, shared, packed):
    block = clip.model.transformer.resblocks[0]
    ends = torch.tensor([3, 5, 4])
    torch.manual_seed(0)
    common = torch.randn(1, shared, 24)
    rest = torch.randn(3, 6 - shared, 24)
    whole = block(torch.cat([common.expand(3, -1, -1), rest], dim=1), attn_mask=clip.model.attn_mask[:6, :6])
    plan = make_packing(ends, shared, packed=packed)
    picked = rest.flatten(0, 1)[plan.picked]
    prefix, after = packed_block(block, common, picked, plan, Savings())
    assert torch.allclose(prefix, whole[:1, :shared], atol=1e-5)
    expected = whole[torch.arange(3), ends]
    assert torch.allclose(after[plan.ends], expected, atol=1e-5)
    assert torch.allclose(read_ends(block, common, picked, plan, Savings()), expected, atol=1e-5)
