"""Facts about the machine and the installed packages, recorded with every run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from dapt.processor import processor_name

CONTAINER_LIMITS = Path("/sys/fs/cgroup")


def version() -> str:
    """The installed version of dapt."""
    try:
        return importlib.metadata.version("dapt")
    except importlib.metadata.PackageNotFoundError:  # running from a source tree that was never installed
        return "0.0.0+source"


def cores() -> int:
    """Processor cores this process may use; affinity and a container's share count."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _container_limit("cpu.max").partition(" ")
    return max(min(count, int(quota) // int(period)), 1) if quota.isdigit() and period.isdigit() else count


def memory_mb() -> float | None:
    """Memory of the machine, or of the container this process runs in; None where that cannot be found out."""
    limits = []
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    container = _container_limit("memory.max")
    if container.isdigit():
        limits.append(int(container))
    return min(limits) / 2**20 if limits else None


def device_memory_mb(device: str) -> float | None:
    """Memory of a GPU, or of the machine for other devices; None where that cannot be found out."""
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.get_device_properties(device).total_memory) / 2**20
    return memory_mb()


def _container_limit(name: str) -> str:
    """A limit that Linux sets for the container (control groups, version 2); empty where there is none."""
    path = CONTAINER_LIMITS / name
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def describe(device: str) -> dict[str, object]:
    """Versions and hardware, as written into results.json."""
    import torch

    packages = ["torch", "torchvision", "open-clip-torch", "lightning-fabric", "numpy"]
    facts: dict[str, object] = {
        "dapt": version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "processor": processor_name(),
        "cpu_count": cores(),
        "threads": torch.get_num_threads(),
    }
    for name in packages:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            facts[name] = None
    if device.startswith("cuda"):
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


def peak_memory_mb(device: str) -> float | None:
    """Peak memory in MB: of the GPU where there is one, else of this process; None where the system does not tell."""
    import torch

    if device.startswith("cuda"):
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    try:
        import resource
    except ImportError:  # not a Unix system
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10, 1)
