"""``python -m benchmarks``: measure everything, or check the exact work (``--short``)."""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

import torch

from benchmarks.budgets import check_budgets, record_budgets
from benchmarks.cases import CASES, Case, chosen_cases, make_clip
from benchmarks.evaluation import measure_evaluation
from benchmarks.feeding import measure_feeding
from benchmarks.growth import measure_growth
from benchmarks.kernels import measure_kernels
from benchmarks.launches import check_launches, measure_launches, record_launches
from benchmarks.levers import measure_levers
from benchmarks.linear import measure_linear
from benchmarks.overhead import measure_overhead
from benchmarks.profile import measure_profile
from benchmarks.report import markdown, write_report
from benchmarks.steps import gemm_for, measure_case, measure_training
from benchmarks.syncs import measure_syncs
from dapt.clip.frozen import FrozenClip
from dapt.devices import pick_device
from dapt.environment import describe
from dapt.processor import processor_name, vector_instructions

PARTS = ("steps", "profile", "levers", "growth", "overhead", "evaluation", "feeding")
GPU_PARTS = ("kernels", "syncs")
CPU_PARTS = ("linear",)
PARTS_HELP = (
    "what to measure (default: all there are for the device; kernels without a GPU:\ncounted by a rule, not seen)"
)
EXAMPLES = """examples:
  python -m benchmarks                                everything (about 30 minutes on two cores)
  python -m benchmarks --short                        exact work against the recorded budgets (about a minute)
  python -m benchmarks --parts steps --cases maple-37 one row of the main table
  python -m benchmarks --parts linear                 oneDNN beside MKL, shape by shape
  python -m benchmarks --device cuda --precision bf16 on a GPU
  python -m benchmarks --device cuda --parts steps kernels --classes 37 100 1000 --batch 4 32 --precision bf16 16
                                                      the steps alone, of every size and type"""


def tell(text: str) -> None:
    """Progress, beside the results."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def place_of(device: str) -> str:
    """The name of the folder of a device's results: that of the card, or the kind of device."""
    kind = torch.device(device).type
    name = torch.cuda.get_device_name(device) if kind == "cuda" else kind
    return file_safe(name) or kind


def file_safe(name: str) -> str:
    """The name of a card in small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def machine(device: str, precisions: list[str]) -> dict[str, Any]:
    """Where and how the figures were measured."""
    precision = ", ".join(precisions)
    facts = describe(device)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    name = facts.get("gpu") or processor_name()
    sentences = [
        f"{name}, {facts['cpu_count']} cores, {torch.get_num_threads()} threads",
        *([] if facts.get("gpu") else [f"instructions: {' '.join(vector_instructions()) or 'not told by the system'}"]),
        f"torch {facts['torch']}, open_clip {facts['open-clip-torch']}, dapt {facts['dapt']}",
        f"ViT-B/16 at 224 px with random weights, {precision}",
        time.strftime("%Y-%m-%d") + (f", load at the start {load:.2f}" if load is not None else ""),
    ]
    if torch.device(device).type == "cpu":
        facts["instructions"] = list(vector_instructions())
    return {**facts, "processor": name, "load": load, "precision": precision, "sentences": sentences}


def tell_library(machine: dict[str, Any], clip: FrozenClip) -> None:
    """Note which library multiplies by the frozen weights of the steps, where there is a choice."""
    choice = clip.multiplied_by
    if choice is None or "linear_library" in machine:
        return
    machine |= choice.facts()
    machine["sentences"].append(choice.sentence() or f"frozen layers by {choice.library} ({choice.by})")


def joined(several: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Results of several calls on one machine as one: rows one below the other; what comes once, from the last."""
    whole: dict[str, Any] = {}
    for results in several:
        for part, found in results.items():
            whole[part] = [*whole.get(part, []), *found] if isinstance(found, list) else found
    types = dict.fromkeys(name for results in several for name in results["machine"]["precision"].split(", "))
    own, precision = whole["machine"], ", ".join(types)
    sentences = [text.replace(f"weights, {own['precision']}", f"weights, {precision}") for text in own["sentences"]]
    whole["machine"] = {**own, "precision": precision, "sentences": sentences}
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen parts; 0 when all is well, 1 when budgets are broken."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.record:
        record_budgets(tell)
        record_launches()
        return 0
    if chosen.short:
        complaints = check_launches(tell) + check_budgets(tell)
        print("\n".join(complaints) or "The work of every step is as recorded.")
        return 1 if complaints else 0
    if chosen.join:
        results = joined([json.loads(path.read_text(encoding="utf-8")) for path in chosen.join])
        write_report(results, chosen.out or chosen.join[0].parent)
        print(markdown(results))
        return 0
    device = pick_device(chosen.device)
    on_gpu = torch.device(device).type == "cuda"
    parts = chosen.parts or PARTS + (GPU_PARTS if on_gpu else CPU_PARTS)
    if not on_gpu and ("tf32" in chosen.precision or "syncs" in parts):
        parser.error("tf32 and the part syncs are for --device cuda.")
    if "linear" in parts and torch.device(device).type != "cpu":
        parser.error("The part linear is for --device cpu.")
    try:
        cases = chosen_cases(chosen.cases, chosen.classes, chosen.batch)
    except KeyError as error:
        parser.error(f"There is no step {error} to measure.")
    out = chosen.out or Path(__file__).parent / "results" / place_of(device)
    results: dict[str, Any] = {"machine": machine(device, chosen.precision)}
    for number, precision in enumerate(chosen.precision):
        wanted = {"steps", "profile", "levers"} & set(parts) if not number else {"steps"} & set(parts)
        if wanted:
            clip = make_clip(device, precision)
            tell_library(results["machine"], clip)
            _measure_in_process(results, wanted, cases, clip, precision, chosen.repeats, out)
            del clip
            gc.collect()
    _measure_apart(results, parts, device, chosen, out)
    if "kernels" in parts and not on_gpu:
        results["launches"] = measure_launches(tell)
    for precision in chosen.precision if "kernels" in parts and on_gpu else ():
        found = measure_kernels(cases, make_clip(device, precision), precision, chosen.repeats, tell)
        results.setdefault("kernels", []).extend(found)
        write_report(results, out, pictures=False)
    write_report(results, out)
    print(markdown(results))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--short", action="store_true", help="check the exact work of every step, nothing is timed")
    add("--record", action="store_true", help="write the present work as the new budgets")
    add("--parts", nargs="+", choices=PARTS + GPU_PARTS + CPU_PARTS, help=PARTS_HELP)
    add("--cases", nargs="+", metavar="STEP", help=f"steps to measure, of {', '.join(case.name for case in CASES)}")
    add("--classes", nargs="+", type=int, metavar="N", help="steps of MaPLe with so many classes, alone and with DAPT")
    add("--batch", nargs="+", type=int, default=[4], metavar="N", help="images per step (default: 4)")
    add("--repeats", type=int, default=5, help="timings per case (default: 5)")
    add("--device", default="cpu", help="cpu, cuda, cuda:N or mps (default: cpu)")
    kinds = ["32", "tf32", "bf16", "16"]
    more = "(default: 32); several for steps and kernels, of which the\nfirst is that of profile, levers and growth"
    add("--precision", nargs="+", default=["32"], choices=kinds, help=f"type of the towers {more}")
    add("--join", nargs="+", type=Path, metavar="FILE", help="measure nothing: one report of several results.json")
    add("--out", type=Path, help="folder of the results (default: benchmarks/results/DEVICE, or the name of the card)")
    return parser


def _measure_in_process(
    results: dict[str, Any],
    parts: Set[str],
    cases: list[Case],
    clip: FrozenClip,
    precision: str,
    repeats: int,
    out: Path,
) -> None:
    """The parts that share a model."""
    if "steps" in parts:
        gemm = gemm_for(clip)
        for case in cases:
            tell(f"{case.title}, batch {case.batch}, {precision}")
            results.setdefault("steps", []).append(measure_case(case, clip, gemm, repeats, precision))
            write_report(results, out, pictures=False)
        del gemm
        rows = results["steps"][-len(cases) :] if clip.device.type == "cuda" else []
        for case, row in zip(cases, rows, strict=False):
            tell(f"the step of a run: {case.title}, batch {case.batch}, {precision}")
            row |= measure_training(case, clip, repeats, precision)
            write_report(results, out, pictures=False)
    if "profile" in parts:
        results["profile"] = measure_profile(clip, tell)
        write_report(results, out, pictures=False)
    if "levers" in parts:
        results["levers"] = measure_levers(clip, max(2, repeats // 2), tell)
        write_report(results, out, pictures=False)


def _measure_apart(
    results: dict[str, Any], parts: Sequence[str], device: str, chosen: argparse.Namespace, out: Path
) -> None:
    """The parts that make models of their own, or start processes."""
    jobs: dict[str, Callable[[], Any]] = {
        "linear": lambda: measure_linear(chosen.repeats, tell),
        "syncs": lambda: measure_syncs(device, tell),
        "overhead": lambda: measure_overhead(device, 12, tell),
        "evaluation": lambda: measure_evaluation(device, chosen.repeats, tell),
        "feeding": lambda: measure_feeding(device, chosen.repeats, tell),
        "growth": lambda: measure_growth(device, chosen.precision[0], 1, tell),
    }
    for part, job in jobs.items():
        if part in parts:
            results[part] = job()
            write_report(results, out, pictures=False)


if __name__ == "__main__":
    sys.exit(main())
