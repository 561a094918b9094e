"""Seeds mixed from several numbers: fixed for ever, and different where any part is."""

from __future__ import annotations

import itertools

import torch

from dapt.seeds import mix_seed


def test_by_hand() -> None:
    assert mix_seed() == 0
    assert mix_seed(0) == 1
    assert mix_seed(4) == 5
    assert mix_seed(4, 2) == 5 * 1_000_003 + 3
    assert mix_seed(4, 2, 0) == (5 * 1_000_003 + 3) * 1_000_003 + 1


def test_order_and_number_of_parts_matter() -> None:
    assert mix_seed(1, 2) != mix_seed(2, 1)
    assert len({mix_seed(*parts) for parts in ([], [0], [0, 0], [0, 0, 0])}) == 4


def test_small_parts_differ_in_the_bits_that_torch_reads() -> None:
    low = {mix_seed(seed, epoch, image) % 2**32 for seed, epoch, image in itertools.product(range(20), repeat=3)}
    assert len(low) == 20**3
    torch.manual_seed(mix_seed(1, 0, 0))
    first = torch.rand(1)
    torch.manual_seed(mix_seed(0, 1, 0))
    assert torch.rand(1) != first


def test_every_generator_takes_it() -> None:
    for parts in ([2**63], [-(2**63)], [10**30, 10**30], [2**31] * 50):
        seed = mix_seed(*parts)
        assert 0 <= seed < 2**63
        torch.Generator().manual_seed(seed)
