"""The device that these tests hold against the CPU, and what they compute with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "methods"))


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """The device of ``--device``; a test is skipped where there is none."""
    name = request.config.getoption("--device")
    if name is None:
        pytest.skip("holds a device against the CPU: pass --device cuda")
    kind = torch.device(name)
    if kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count():
        pytest.skip(f"this machine has no device {name}")
    return name


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, device: str):
    """Models and data of the contract of methods."""
    pytest.importorskip("timm")
    from contract import make_places

    return make_places(tmp_path_factory.mktemp("contract"))


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory, device: str) -> Path:
    """A small copy of the data of the demonstration; its index."""
    from dapt.demo.run import scenes_alone
    from dapt.demo.setting import DemoSettings

    settings = DemoSettings(train_per_class=4, test_per_class=4, classes=6, size=64)
    return scenes_alone(tmp_path_factory.mktemp("demo") / "scenes", settings, jobs=1)
