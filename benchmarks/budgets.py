"""The exact work of a step, held against recorded budgets: a regression in work fails without a clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import CASES, make_clip, make_work
from benchmarks.measure import gflop

FILE = Path(__file__).parent / "budgets.json"
CHECKED_PLAIN = ("maple-37", "dapt-lv-37")  # the others take minutes
TOLERANCE = 0.05


def count_work(tell: Callable[[str], None]) -> dict[str, float]:
    """GFLOP of our step of every case, by name."""
    clip = make_clip()
    counted = {}
    for case in CASES:
        counted[case.name] = round(gflop(make_work(case, clip, "ours").run), 6)
        tell(f"{case.title}: {counted[case.name]:.1f} GFLOP")
    return counted


def check_plain(tell: Callable[[str], None]) -> list[str]:
    """Complaints about plain steps whose work is not the published code's."""
    clip = make_clip()
    complaints = []
    for case in CASES:
        if case.name not in CHECKED_PLAIN or case.published_gflop is None:
            continue
        counted = gflop(make_work(case, clip, "plain").run, fused_attention=False)
        tell(f"{case.title}, plain: {counted:.0f} GFLOP, published {case.published_gflop:.0f}")
        if abs(counted / case.published_gflop - 1) > TOLERANCE:
            complaints.append(f"{case.title}: the plain way does {counted:.0f} GFLOP, not {case.published_gflop:.0f}.")
    return complaints


def check_budgets(tell: Callable[[str], None]) -> list[str]:
    """Complaints about cases that do more, or less, than their budget says."""
    budgets: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))
    complaints = check_plain(tell)
    for name, counted in count_work(tell).items():
        budget = budgets.get(name)
        if budget is None:
            complaints.append(f"{name} has no budget.")
        elif abs(counted - budget) > 1e-5 * budget:
            word = "more" if counted > budget else "less"
            complaints.append(f"{name} does {counted:.3f} GFLOP, {word} than the recorded {budget:.3f}.")
    return complaints


def record_budgets(tell: Callable[[str], None]) -> None:
    """Write the present work as the budgets."""
    FILE.write_text(json.dumps(count_work(tell), indent=1) + "\n", encoding="utf-8")
