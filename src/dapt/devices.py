"""Which device computes."""

from __future__ import annotations

import os

import torch

from dapt.errors import ConfigError


def pick_device(name: str) -> str:
    """``auto`` becomes cuda, mps or cpu, whichever is there.

    Raises:
        ConfigError: the device does not exist on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"There is no device '{name}'.", todo="Use auto, cpu, cuda, cuda:N or mps.") from None
    missing = (kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count()) or (
        kind.type == "mps" and not torch.backends.mps.is_available()
    )
    if kind.type == "cpu" and kind.index is not None:
        raise ConfigError("There is one cpu device, without a number.", todo="Use --device cpu and --devices N.")
    if missing or kind.type not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"This machine has no device '{name}'.", todo="Use --device auto or --device cpu.")
    return name


def compute_repeatably() -> None:
    """Let torch use no operation whose result differs from run to run.

    The matrix library of NVIDIA GPUs needs a setting for that, which is read when it is first used: call this before.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)


def compute_exactly() -> None:
    """Let convolutions on NVIDIA GPUs multiply in the type of their numbers, as products do by default.

    torch would round float32 to 10 bits there (tf32): one rounding more at the patches of every image than on a CPU.
    """
    torch.backends.cudnn.allow_tf32 = False
