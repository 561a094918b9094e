"""A program of `torch.export` in one file: writing it, and asking it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

FILE = "model.pt2"


def write_program(program: torch.export.ExportedProgram, path: Path) -> None:
    """Write the program."""
    torch.export.save(program, str(path))


class TorchProgram:
    """A program in a file, ready to be asked: probabilities ``[B, C]`` of an input as it wants it."""

    def __init__(self, path: Path) -> None:
        self._module = torch.export.load(str(path)).module()

    @torch.no_grad()
    def __call__(self, given: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Probabilities ``[B, C]``."""
        probabilities, _ = self._module(torch.from_numpy(np.ascontiguousarray(given)))
        found: np.ndarray[Any, Any] = probabilities.numpy()
        return found
