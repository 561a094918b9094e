"""How many kernels a step launches on a GPU, counted on a CPU."""

from __future__ import annotations

import json

import torch

from benchmarks.launches import FILE, count_launches, launches

MOST = {"maple-100": 900, "dapt-lv-100": 1200, "dapt-lf-lb-100": 1500}
SEEN_ON_AN_H100 = {"maple-100": 3080, "dapt-lv-100": 3429, "dapt-lf-lb-100": 4800}  # of the other profile


def test_steps_keep_to_their_kernels():
    counted = count_launches()
    assert counted == json.loads(FILE.read_text())
    assert all(counted[name] <= most for name, most in MOST.items())


def test_the_rule_agrees_with_what_a_gpu_was_seen_to_launch():
    for name, count in count_launches("cpu").items():
        assert abs(count / SEEN_ON_AN_H100[name] - 1) < 0.03


def test_views_and_room_are_not_counted():
    x = torch.randn(2, 3, requires_grad=True)

    def run():
        torch.empty_like(x).view(6)
        (x * 2)[0].sum().backward()

    # mul and sum; ones for the start, the selected row among zeros, and mul backward
    assert launches(run) == {"mul": 2, "sum": 1, "ones_like": 1, "select_backward": 2}
