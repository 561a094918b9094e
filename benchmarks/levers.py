"""What each saving brings: every one switched off alone, and all together."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.cases import EPOCHS, case_named, make_batch, make_work
from benchmarks.measure import calls_for, gflop, kept_mb, seconds
from benchmarks.steps import gemm_for
from dapt.clip import savings
from dapt.clip.frozen import FrozenClip

CASES = ("dapt-lv-37", "maple-100")
SWITCHES = list(savings.SWITCHES)


@contextmanager
def without(clip: FrozenClip, name: str) -> Iterator[None]:
    """Switch a saving off: one of `Savings`, ``fused_attention``, ``everything`` or ``nothing``."""
    attention = sdpa_kernel(SDPBackend.MATH) if name in ("fused_attention", "everything") else None
    if name == "everything":
        clip.savings.set_all(False)
    elif name in SWITCHES:
        setattr(clip.savings, name, False)
    try:
        if attention is None:
            yield
        else:
            with attention:
                yield
    finally:
        clip.savings.set_all(True)


def measure_levers(clip: FrozenClip, repeats: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per case and switched-off saving: GFLOP, seconds, MB kept for backward."""
    rows = []
    gemm = gemm_for(clip)
    for name in CASES:
        case = case_named(name)
        for off in ["nothing", *SWITCHES, "fused_attention", "everything"]:
            tell(f"{case.title}: without {off}")
            with without(clip, off):
                work = make_work(case, clip, "ours")
                batch = make_batch(case, clip)
                kept = kept_mb(lambda: work.step(batch, case.epoch, EPOCHS), list(clip.model.parameters()))  # noqa: B023
                row = {"case": name, "without": off, "gflop": gflop(work.run), "kept_mb": kept}
                calls = calls_for(work.run, clip.device)
                row["gemm_gflops"] = gemm.read()
                row["seconds"] = statistics.median(seconds(work.run, clip.device, calls) for _ in range(repeats))
            rows.append(row)
    return rows
