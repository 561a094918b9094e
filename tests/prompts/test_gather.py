"""Rows of all processes: one's own without others, all with gradient where there are several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dapt.prompts.gather import gather_batch


def test_alone_these_are_the_rows_themselves() -> None:
    own = torch.rand(3, 2, requires_grad=True)
    rows, place = gather_batch(own)
    assert rows is own
    assert torch.equal(rows[place], own)


TWO = """
import os, sys, torch
import torch.distributed as dist
from dapt.prompts.gather import gather_batch

folder, child = sys.argv[1], os.fork()  # torch is imported once, before
rank = 0 if child else 1
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
own = torch.full((2, 1), float(rank + 1), requires_grad=True)
rows, place = gather_batch(own)
(rows * torch.arange(1.0, 5)[:, None] * (rank + 1)).sum().backward()
torch.save({"rows": rows.detach(), "place": [place.start, place.stop], "grad": own.grad}, f"{folder}/{rank}.pt")
dist.destroy_process_group()
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_rows_of_two_processes_and_their_gradients(tmp_path: Path) -> None:
    """Each process weighs the four rows by 1..4 times its own factor; gradients of both reach a row's owner."""
    subprocess.run([sys.executable, "-c", TWO, str(tmp_path)], check=True, timeout=120)
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found["rows"].flatten().tolist() == [1, 1, 2, 2]
        assert found["place"] == [2 * rank, 2 * rank + 2]
        assert found["grad"].flatten().tolist() == [(1 + 2) * weight for weight in ((1, 2), (3, 4))[rank]]
