"""How many kernels a step launches on a GPU, counted on a CPU."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import launches as module
from benchmarks.__main__ import main
from benchmarks.launches import FILE, check_launches, count_launches, launches

MOST = {"maple-100": 900, "dapt-lv-100": 1200, "dapt-lf-lb-100": 1500}
SEEN_ON_AN_H100 = {"maple-100": 3080, "dapt-lv-100": 3429, "dapt-lf-lb-100": 4800}  # of the other profile


def test_steps_keep_to_their_kernels():
    counted = count_launches()
    assert counted == json.loads(FILE.read_text())
    assert all(counted[name] <= most for name, most in MOST.items())


@pytest.mark.long
def test_the_rule_agrees_with_what_a_gpu_was_seen_to_launch():
    for name, count in count_launches("cpu").items():
        assert abs(count / SEEN_ON_AN_H100[name] - 1) < 0.03


def test_a_cpu_counts_them_too(monkeypatch, tmp_path, capsys):
    counts = {"cpu": dict.fromkeys(MOST, 3000), "cuda": dict.fromkeys(MOST, 900)}
    monkeypatch.setattr(module, "count_launches", lambda profile="cuda": counts[profile])
    assert main(["--parts", "kernels", "--out", str(tmp_path)]) == 0
    assert "| MaPLe, 100 classes | 3000 | 900 |" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "results.json").read_text())["launches"]) == len(MOST)


def test_more_and_fewer_kernels_than_recorded_are_told(monkeypatch):
    recorded = json.loads(FILE.read_text())
    changed = {**recorded, "maple-100": recorded["maple-100"] + 1, "dapt-lv-100": recorded["dapt-lv-100"] - 1}
    monkeypatch.setattr(module, "count_launches", lambda: changed)
    more, less = check_launches(lambda text: None)
    assert more.startswith(f"maple-100 launches {changed['maple-100']} kernels, more than")
    assert less.startswith(f"dapt-lv-100 launches {changed['dapt-lv-100']} kernels, less than")


def test_views_and_room_are_not_counted():
    x = torch.randn(2, 3, requires_grad=True)

    def run():
        torch.empty_like(x).view(6)
        (x * 2)[0].sum().backward()

    # mul and sum; ones for the start, the selected row among zeros, and mul backward
    assert launches(run) == {"mul": 2, "sum": 1, "ones_like": 1, "select_backward": 2}
