"""A program of torch.export in a file gives our probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dapt.export.torch_program import TorchProgram, write_program


@pytest.mark.long
def test_probabilities(model, traced, tmp_path: Path) -> None:
    write_program(traced, tmp_path / "model.pt2")
    ask = TorchProgram(tmp_path / "model.pt2")
    rng = np.random.default_rng(0)
    for shape in ((1, 32, 32, 3), (3, 48, 40, 3)):
        given = rng.integers(0, 256, shape, dtype=np.uint8)
        with torch.no_grad():
            expected = model(torch.stack([model.preprocess(each) for each in given])).softmax(1).numpy()
        assert np.abs(ask(given) - expected).max() < 0.02
