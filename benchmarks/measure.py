"""Seconds, matrix work, memory and what is kept for backward."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from dapt.environment import peak_memory_mb


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds(function: Callable[[], Any], device: torch.device, calls: int = 1) -> float:
    """Wall-clock seconds of one call, the mean of so many one after the other; the device is waited for at the end."""
    gc.collect()
    synchronise(device)
    start = time.perf_counter()
    for _ in range(calls):
        function()
    synchronise(device)
    return (time.perf_counter() - start) / calls


def calls_for(function: Callable[[], Any], device: torch.device) -> int:
    """How many calls `seconds` takes together: one on a CPU, on a GPU as many as fill a fifth of a second."""
    if device.type == "cpu":
        return 1
    for _ in range(2):  # kernels are loaded, memory is taken
        function()
    return min(50, max(3, round(0.2 / seconds(function, device, 2))))


def _attention(query: Sequence[int], key: Sequence[int], value: Sequence[int], *rest: Any, **named: Any) -> int:
    work: int = sdpa_flop_count(query, key, value)
    return work


def _attention_backward(
    gradient: Sequence[int],
    query: Sequence[int],
    key: Sequence[int],
    value: Sequence[int],
    *rest: Any,
    **named: Any,
) -> int:
    work: int = sdpa_backward_flop_count(gradient, query, key, value)
    return work


def _nothing(*arguments: Any, **named: Any) -> int:
    return 0


# torch's counter knows the fused attention of GPUs, that of CPUs only since version 2.15
FUSED_ON_CPU = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
FUSED_ON_GPU = tuple(
    getattr(torch.ops.aten, f"_scaled_dot_product_{kind}_attention{way}")
    for kind in ("flash", "efficient", "cudnn")
    for way in ("", "_backward")
)


def gflop(function: Callable[[], Any], *, fused_attention: bool = True) -> float:
    """Matrix work of one call in GFLOP, by torch's counter (a multiply-add counts two).

    Args:
        fused_attention: count fused attention as well.
    """
    counted = FUSED_ON_CPU if fused_attention else dict.fromkeys((*FUSED_ON_CPU, *FUSED_ON_GPU), _nothing)
    with FlopCounterMode(display=False, custom_mapping=counted) as counter:
        function()
    return float(counter.get_total_flops()) / 1e9


def kept_mb(function: Callable[[], Any], known: Sequence[Tensor]) -> float:
    """MB that autograd keeps for backward during `function`, each storage once, without those of `known`."""
    seen = {tensor.untyped_storage().data_ptr() for tensor in known}
    sizes: dict[int, int] = {}
    alive: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        storage, plain = tensor.untyped_storage(), tensor.detach()  # an output kept with its graph would never go
        if storage.data_ptr() not in seen:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(plain)  # so that no address is used twice
        return plain

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        function()
    return sum(sizes.values()) / 2**20


def forget_peak(device: torch.device) -> None:
    """Start the peak of memory anew where the system can do that (CUDA, Linux)."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb(device: torch.device) -> float:
    """Peak memory since `forget_peak`: of the process on a CPU, of tensors on a GPU."""
    status = Path("/proc/self/status")
    if device.type == "cpu" and status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return float(peak_memory_mb(str(device)))
