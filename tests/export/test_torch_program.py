"""A program of torch.export in a file gives our probabilities."""

from __future__ import annotations

from pathlib import Path

import torch

from dapt.export.graph import make_graph, trace
from dapt.export.torch_program import TorchProgram, write_program


def test_probabilities(model, tmp_path: Path) -> None:
    graph = make_graph(model, None, "outside", 1.0)
    write_program(trace(graph, (32, 32)), tmp_path / "model.pt2")
    ask = TorchProgram(tmp_path / "model.pt2")
    for count in (1, 3):
        pixels = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(count))
        with torch.no_grad():
            expected = model(pixels).softmax(1)
        assert torch.allclose(torch.from_numpy(ask(pixels.numpy())), expected, atol=1e-5)
