"""Rows of all processes: one's own without others, all with gradient where there are several."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from torch import multiprocessing

from dapt.prompts.gather import gather_batch


def test_alone_these_are_the_rows_themselves() -> None:
    own = torch.rand(3, 2, requires_grad=True)
    rows, place = gather_batch(own)
    assert rows is own
    assert torch.equal(rows[place], own)


def in_process(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    try:
        own = torch.full((2, 1), float(rank + 1), requires_grad=True)
        rows, place = gather_batch(own)
        (rows * torch.arange(1.0, 5)[:, None] * (rank + 1)).sum().backward()
        torch.save((rows.detach(), place, own.grad), Path(folder) / f"{rank}.pt")
    finally:
        dist.destroy_process_group()


def test_rows_of_two_processes_and_their_gradients(tmp_path: Path) -> None:
    """Each process weighs the four rows by 1..4 times its own factor; gradients of both reach a row's owner."""
    multiprocessing.spawn(in_process, (str(tmp_path),), nprocs=2)
    for rank in range(2):
        rows, place, gradient = torch.load(tmp_path / f"{rank}.pt", weights_only=False)
        assert rows.flatten().tolist() == [1, 1, 2, 2]
        assert place == slice(2 * rank, 2 * rank + 2)
        assert gradient.flatten().tolist() == [(1 + 2) * weight for weight in ((1, 2), (3, 4))[rank]]
