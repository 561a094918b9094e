"""Facts about the machine and the installed packages, recorded with every run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys


def version() -> str:
    """The installed version of dapt."""
    try:
        return importlib.metadata.version("dapt")
    except importlib.metadata.PackageNotFoundError:  # running from a source tree that was never installed
        return "0.0.0+source"


def describe(device: str) -> dict[str, object]:
    """Versions and hardware, as written into results.json."""
    import torch

    packages = ["torch", "torchvision", "open-clip-torch", "lightning-fabric", "numpy"]
    facts: dict[str, object] = {
        "dapt": version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "cpu_count": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
    for name in packages:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            facts[name] = None
    if device.startswith("cuda"):
        facts["gpu"] = torch.cuda.get_device_name()
    return facts


def peak_memory_mb(device: str) -> float:
    """Peak memory in MB: of the GPU where there is one, else the peak resident set of this process."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        import resource
    except ImportError:  # not a Unix system
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
