"""The model and the images of the tower tests."""

from __future__ import annotations

import pytest
import torch

from helpers import tiny_clip


@pytest.fixture(scope="module")
def clip():
    return tiny_clip(quick_gelu=True)


@pytest.fixture
def pixels():
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
