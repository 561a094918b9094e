"""The frozen layers of both towers by oneDNN and by the library behind torch's own function, shape by shape.

All that is compared is computed in turn, again and again, so that what else runs on the machine meets both alike; the
medians count, with one thread of its processor's time. The roofline is the fastest product of the table. The choice of
`dapt.clip.linear_choice` is made from a short measurement of the same kind.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch

from dapt.clip.linear import HAS_ONEDNN, multiply
from dapt.clip.linear_choice import plain_name
from dapt.clip.linear_times import usual_clock

ROUNDS = 6  # per repeat
WIDTHS = {"image": 768, "text": 512}  # of ViT-B/16
ROWS = {
    "image": (197, 788, 2364),
    "text": (256, 1024),
}  # one image, four, four in three views; 37 classes, 100 and more
SQUARE = 2048
LAYERS = (("queries, keys, values", 1, 3), ("attention out", 1, 1), ("MLP in", 1, 4), ("MLP out", 4, 1))


def measure_linear(repeats: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per tower, number of tokens and layer; none where there is one library."""
    if not HAS_ONEDNN:
        return []
    tell(f"a product of {SQUARE} by {SQUARE}")
    found = [{"tower": "square", "layer": "", "rows": SQUARE, **_both(SQUARE, SQUARE, SQUARE, repeats)}]
    for tower, width in WIDTHS.items():
        for rows in ROWS[tower]:
            tell(f"products of the {tower} tower, {rows} tokens")
            for name, wide, out in LAYERS:
                times = _both(rows, wide * width, out * width, repeats)
                found.append({"tower": tower, "layer": name, "rows": rows, **times})
    fastest = max(1e3 * row["gflop"] / row[key] for row in found for key in row if key.endswith("_ms"))
    return [{**row, "gemm_gflops": fastest, "plain": plain_name()} for row in found]


def _both(rows: int, inputs: int, outputs: int, repeats: int) -> dict[str, float]:
    """Milliseconds of a layer forward and backward by both, and its work one way."""
    x, gradient = torch.randn(rows, inputs), torch.randn(rows, outputs)
    weight, bias = torch.randn(outputs, inputs), torch.randn(outputs)

    def forward(onednn: bool) -> None:
        multiply(x, weight, bias, onednn=onednn)

    def backward(onednn: bool) -> None:
        multiply(gradient, weight.t(), None, onednn=onednn)

    found: dict[str, float] = {"gflop": 2e-9 * rows * inputs * outputs}
    for way, run in (("forward", forward), ("backward", backward)):
        times = in_turn(run, ROUNDS * repeats)
        found[f"onednn_{way}_ms"], found[f"plain_{way}_ms"] = times
    return found


def in_turn(run: Callable[[bool], None], rounds: int) -> tuple[float, float]:
    """Median milliseconds of ``run(True)`` and of ``run(False)``; the one that begins changes with every round."""
    clock = usual_clock()
    times: dict[bool, list[float]] = {True: [], False: []}
    for onednn in (True, False):
        run(onednn)
    for number in range(rounds):
        for onednn in (True, False) if number % 2 else (False, True):
            start = clock()
            run(onednn)
            times[onednn].append(clock() - start)
    return 1e3 * statistics.median(times[True]), 1e3 * statistics.median(times[False])
