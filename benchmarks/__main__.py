"""``python -m benchmarks``: measure everything, or check the exact work (``--short``)."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.budgets import check_budgets, record_budgets
from benchmarks.cases import CASES, make_clip
from benchmarks.evaluation import measure_evaluation
from benchmarks.growth import measure_growth
from benchmarks.levers import measure_levers
from benchmarks.overhead import measure_overhead
from benchmarks.profile import measure_profile
from benchmarks.report import markdown, write_report
from benchmarks.steps import gemm_for, measure_case
from dapt.devices import pick_device
from dapt.environment import describe

PARTS = ("steps", "profile", "levers", "growth", "overhead", "evaluation")
EXAMPLES = """examples:
  python -m benchmarks                                everything (about 30 minutes on two cores)
  python -m benchmarks --short                        exact work against the recorded budgets (about a minute)
  python -m benchmarks --parts steps --cases maple-37 one row of the main table
  python -m benchmarks --device cuda --precision bf16 on a GPU"""


def tell(text: str) -> None:
    """Progress, beside the results."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def machine(device: str, precision: str) -> dict[str, Any]:
    """Where and how the figures were measured."""
    facts = describe(device)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    name = facts.get("gpu") or _processor() or facts["platform"]
    sentences = [
        f"{name}, {facts['cpu_count']} cores, {torch.get_num_threads()} threads",
        f"torch {facts['torch']}, open_clip {facts['open-clip-torch']}, dapt {facts['dapt']}",
        f"ViT-B/16 at 224 px with random weights, {precision}",
        time.strftime("%Y-%m-%d") + (f", load at the start {load:.2f}" if load is not None else ""),
    ]
    return {**facts, "processor": name, "load": load, "precision": precision, "sentences": sentences}


def _processor() -> str | None:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return None
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else None


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen parts; 0 when all is well, 1 when budgets are broken."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="check the exact work of every step, nothing is timed")
    parser.add_argument("--record", action="store_true", help="write the present work as the new budgets")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument("--cases", nargs="+", choices=[case.name for case in CASES], help="steps to measure")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps per case (default: 5)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps (default: cpu)")
    parser.add_argument("--precision", default="32", choices=["32", "bf16", "16"], help="type of the towers")
    parser.add_argument("--out", type=Path, help="folder of the results (default: benchmarks/results/DEVICE)")
    chosen = parser.parse_args(arguments)
    if chosen.record:
        record_budgets(tell)
        return 0
    if chosen.short:
        complaints = check_budgets(tell)
        print("\n".join(complaints) or "The work of every step is as recorded.")
        return 1 if complaints else 0
    device = pick_device(chosen.device)
    out = chosen.out or Path(__file__).parent / "results" / torch.device(device).type
    results: dict[str, Any] = {"machine": machine(device, chosen.precision)}
    in_process = {"steps", "profile", "levers"} & set(chosen.parts)
    if in_process:
        clip = make_clip(device, chosen.precision)
    if "steps" in chosen.parts:
        gemm, results["steps"] = gemm_for(clip), []
        for case in CASES:
            if not chosen.cases or case.name in chosen.cases:
                tell(case.title)
                results["steps"].append(measure_case(case, clip, gemm, chosen.repeats, chosen.precision))
                write_report(results, out)
    if "profile" in chosen.parts:
        results["profile"] = measure_profile(clip, tell)
        write_report(results, out)
    if "levers" in chosen.parts:
        results["levers"] = measure_levers(clip, max(2, chosen.repeats // 2), tell)
        write_report(results, out)
    if in_process:
        del clip
    if "overhead" in chosen.parts:
        results["overhead"] = measure_overhead(device, 12, tell)
        write_report(results, out)
    if "evaluation" in chosen.parts:
        results["evaluation"] = measure_evaluation(device, chosen.repeats, tell)
        write_report(results, out)
    if "growth" in chosen.parts:
        results["growth"] = measure_growth(device, chosen.precision, 1, tell)
        write_report(results, out)
    print(markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
