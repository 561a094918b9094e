"""Time and memory of the coreset selectors: ``python -m benchmarks.selection``.

Random unit features stand for images; what a selector does depends on their number only. Each measurement is a process
of its own with one thread. Where the gradient matrix ``N x (C + C D)`` of the released code fits in memory, the plain
way is measured beside ours in the same run: that matrix, all pairwise distances, plain greedy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.measure import forget_peak, peak_mb
from dapt.files import write_text
from dapt.selection.base import SELECTORS, Candidates

DIM = 512
PLAIN = ("grand", "submodular", "craig")


@dataclass(frozen=True)
class Case:
    """`images` images of `classes` classes, `fraction` of which are chosen.

    Attributes:
        balanced: a budget per class, or one for all. selectors: which take part.
    """

    title: str
    images: int
    classes: int
    fraction: float = 0.1
    balanced: bool = True
    selectors: tuple[str, ...] = tuple(SELECTORS.names())


CASES = (
    Case("100 classes, 16 shots", 1600, 100),
    Case("SUN397, 16 shots", 6352, 397),
    Case("SUN397, 16 shots, one budget", 6352, 397, balanced=False),
    Case("50,000 images, 1,000 classes", 50_000, 1000),
    Case(
        "50,000 images, 1,000 classes, one budget",
        50_000,
        1000,
        balanced=False,
        selectors=("uniform", "uncertainty", "grand", "cal", "forgetting"),
    ),
)


def make_candidates(case: Case) -> Candidates:
    """Features around their class texts, and the logits that follow."""
    generator = torch.Generator().manual_seed(0)
    texts = F.normalize(torch.randn(case.classes, DIM, generator=generator), dim=1)
    labels = torch.arange(case.images) % case.classes
    noise = torch.randn(case.images, DIM, generator=generator) / DIM**0.5
    features = F.normalize(texts[labels] + 2 * noise, dim=1)
    forgotten = torch.randint(4, (case.images,), generator=generator)
    found = Candidates(labels, features, 100 * features @ texts.t(), texts, forgotten=forgotten)
    some = torch.arange(4 * case.classes)  # as many validation images as 16 shots have
    return Candidates(**{**vars(found), "val": found.rows(some)})


def run_job(case: Case, name: str, way: str) -> dict[str, float]:
    """Seconds and peak memory above what the candidates themselves take, MB."""
    torch.set_num_threads(1)
    candidates = make_candidates(case)
    device = torch.device("cpu")
    forget_peak(device)
    idle = peak_mb(device)
    start = time.perf_counter()
    if way == "ours":
        SELECTORS.get(name)().select(candidates, case.fraction, balanced=case.balanced)
    else:
        select_plainly(candidates, name, case.fraction)
    return {"seconds": time.perf_counter() - start, "mb": peak_mb(device) - idle, "idle_mb": idle}


def select_plainly(candidates: Candidates, name: str, fraction: float) -> list[int]:
    """What the released code computes: the gradient matrix of all images, pairwise work on it, plain greedy."""
    errors = candidates.probabilities - F.one_hot(candidates.labels, candidates.logits.shape[1])
    outer = (errors.unsqueeze(2) * candidates.features.unsqueeze(1)).flatten(1)
    gradients = torch.cat([errors, outer], dim=1)
    if name == "craig":
        distances = torch.cdist(gradients, gradients)
    chosen: list[int] = []
    for label in range(candidates.logits.shape[1]):
        group = (candidates.labels == label).nonzero().flatten()
        count = round(fraction * len(group))
        if name == "grand":
            order = gradients[group].norm(dim=1).argsort(descending=True, stable=True)
            chosen += group[order[:count]].tolist()
            continue
        if name == "craig":
            inside = distances[group][:, group]
            similar = inside.max() - inside + 1e-3
        else:
            unit = F.normalize(gradients[group], dim=1)
            similar = 0.5 + 0.5 * unit @ unit.t()
        chosen += group[
            torch.tensor(_plain_greedy(similar, count, facility=name == "craig"), dtype=torch.long)
        ].tolist()
    return chosen


def _plain_greedy(similar: torch.Tensor, count: int, *, facility: bool) -> list[int]:
    taken: list[int] = []
    for _ in range(count):
        if facility:
            nearest = similar[taken].amax(dim=0) if taken else torch.zeros(len(similar))
            gains = (similar - nearest).clamp_min(0).sum(dim=1)
        else:
            gains = similar.sum(dim=1) - 2 * similar[taken].sum(dim=0)
        gains[taken] = -torch.inf
        taken.append(int(gains.argmax()))
    return taken


def in_own_process(case: Case, name: str, way: str) -> dict[str, float]:
    """`run_job` in a process of its own."""
    line = json.dumps({"case": asdict(case), "name": name, "way": way})
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.selection", "--job", line], check=True, capture_output=True, text=True
    )
    return dict(json.loads(found.stdout.splitlines()[-1]))


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown, one row per case and selector."""
    lines = [
        "| images | selector | seconds | memory, MB | plain way: seconds | memory, MB | faster |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        ours, plain = row["ours"], row.get("plain")
        shown = ["–", "–", "–"]
        if plain:
            ratio = plain["seconds"] / ours["seconds"]
            shown = [f"{plain['seconds']:.2f}", f"{plain['mb']:.0f}", f"{ratio:.0f}×"]
        lines.append(
            f"| {row['case']} | {row['selector']} | {ours['seconds']:.2f} | {ours['mb']:.0f} | {' | '.join(shown)} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure everything, or do one job."""
    parser = argparse.ArgumentParser("python -m benchmarks.selection", description=__doc__)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "cpu" / "selection.md")
    options = parser.parse_args()
    if options.job:
        tree = json.loads(options.job)
        print(json.dumps(run_job(Case(**tree["case"]), tree["name"], tree["way"])))
        return
    rows: list[dict[str, Any]] = []
    for case in CASES:
        for name in case.selectors:
            print(f"{case.title}: {name}", file=sys.stderr, flush=True)
            row: dict[str, Any] = {"case": case.title, "selector": name, "ours": in_own_process(case, name, "ours")}
            if case is CASES[0] and name in PLAIN:
                row["plain"] = in_own_process(case, name, "plain")
            rows.append(row)
    heading = (
        "# Selectors\n\nMemory is what the selection needs above features and logits; one thread, float32 features."
    )
    write_text(options.out, f"{heading}\n\n{table(rows)}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
