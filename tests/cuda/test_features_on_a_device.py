"""Features in a file, computed by a device, beside those of the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dapt.runs.write_features import write_features


@pytest.mark.device
@pytest.mark.parametrize(("precision", "near"), [("32", 1e-4), ("bf16", 5e-2)])
def test_as_on_the_cpu(device: str, photos: Path, tiny_spec: str, tmp_path: Path, precision: str, near: float) -> None:
    for name, where, how in (("cpu", "cpu", "32"), ("device", device, precision)):
        out = tmp_path / f"{name}.safetensors"
        write_features(str(photos), out, model_spec=tiny_spec, device=where, precision=how, batch_size=8)
    cpu, other = (load_file(tmp_path / f"{name}.safetensors")["features"] for name in ("cpu", "device"))
    torch.testing.assert_close(other, cpu, rtol=0, atol=near)
