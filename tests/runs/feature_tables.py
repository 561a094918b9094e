"""Small tables of features for the tests of their files."""

from __future__ import annotations

import torch

from dapt.runs.feature_files import FeatureTable
from dapt.runs.feature_rows import FeatureRow

ROWS = (
    FeatureRow("a/1.jpg", 0, "cat", "train"),
    FeatureRow('odd "name",\nü.jpg', 1, "dog|cat", "test"),
    FeatureRow("=3.jpg", -1, "", ""),
)


def small_table(kind: torch.dtype = torch.float32) -> tuple[FeatureTable, torch.Tensor]:
    """Three rows in blocks of two, none and one, and all of their features."""
    features = torch.randn(3, 5, generator=torch.Generator().manual_seed(3)).to(kind)
    blocks = iter([features[:2], features[:0], features[2:]])
    return FeatureTable(ROWS, blocks, 5, {"model": "tiny"}), features
