"""The plain way of the benchmark computes the same as dapt; the figures say what they claim."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.cases import CASES, Case, make_work
from benchmarks.levers import SWITCHES, without
from benchmarks.measure import gflop, kept_mb
from benchmarks.report import markdown, write_report
from dapt.clip.savings import Savings
from helpers import tiny_clip


@pytest.fixture(scope="module")
def clip():
    # room for the background texts of DAPT; as many layers as MaPLe wants
    return tiny_clip(
        quick_gelu=True,
        vision_cfg={"image_size": 32, "layers": 9, "width": 32, "head_width": 16, "patch_size": 8},
        text_cfg={"context_length": 32, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 9},
    )


@pytest.mark.parametrize(
    "case",
    [Case("m", "maple", 5), Case("v", "maple", 5, "L_v"), Case("f", "maple", 5, "L_f+L_b"), Case("c", "coop", 6)],
    ids=lambda case: case.name,
)
def test_the_plain_way_has_the_same_loss_and_gradients(clip, case):
    ours, plain = make_work(case, clip, "ours"), make_work(case, clip, "plain")
    assert float(ours.run()) == pytest.approx(float(plain.run()), rel=1e-5)
    expected = plain.gradients()
    assert ours.gradients().keys() == expected.keys()
    for name, value in ours.gradients().items():
        assert torch.allclose(value, expected[name], atol=1e-4 * float(expected[name].abs().max())), name
        assert float(value.abs().max()) > 0
    assert gflop(ours.run) < gflop(plain.run)


def test_fused_attention_is_counted_on_request(clip):
    work = make_work(Case("m", "maple", 5), clip, "ours")
    assert gflop(work.run) > gflop(work.run, fused_attention=False) > 0


def test_matrix_work_is_counted_exactly():
    a, b = torch.randn(3, 4, requires_grad=True), torch.randn(4, 5)
    assert gflop(lambda: (a @ b).sum().backward()) * 1e9 == pytest.approx(2 * (2 * 3 * 4 * 5))


def test_what_is_kept_for_backward():
    x, weight = torch.randn(256, 1024, requires_grad=True), torch.randn(1024, 1024)
    assert kept_mb(lambda: x.exp() * x, []) == pytest.approx(2.0)
    assert kept_mb(lambda: x.exp() * x, [x]) == pytest.approx(1.0)
    assert kept_mb(lambda: x @ weight, [weight]) == 0.0


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of the process from /proc")
def test_what_was_kept_is_given_back():
    x = torch.zeros(1024, 5120, requires_grad=True)  # 20 MB

    def resident_mb():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

    kept_mb(lambda: x.exp(), [])
    before = resident_mb()
    for _ in range(20):
        kept_mb(lambda: x.exp(), [])
    gc.collect()  # when that happens by itself hangs on how much the tests before have left
    assert resident_mb() - before < 200  # of 400


def test_every_saving_can_be_switched_off_and_comes_back(clip):
    for name in ["nothing", "everything", "fused_attention", *SWITCHES]:
        with without(clip, name):
            off = [switch for switch in SWITCHES if not getattr(clip.savings, switch)]
            assert off == (SWITCHES if name == "everything" else [name] if name in SWITCHES else [])
        assert clip.savings == Savings()


def test_the_report_marks_goals_that_are_missed(tmp_path):
    goals = {"time_ratio": 0.3, "memory_ratio": 0.5, "peak_mb": None, "roofline_share": 0.75, "published_gflop": 1}
    row = {
        "title": "MaPLe, 37 classes", "batch": 4, "plain_seconds": 4.0, "seconds": 2.0, "time_ratio": 0.5,
        "plain_peak_mb": 100.0, "peak_mb": 40.0, "memory_ratio": 0.4, "memory_ratio_above_idle": 0.2,
        "plain_gflop": 9.0, "gflop": 3.0,
        "gemm_gflops": 2.0, "roofline_share": 0.75, "loss_apart": 1e-6, "gradients_apart": 2e-6,
        "all_seconds": [2.0], "goals": goals,
    }  # fmt: skip
    points = [
        {"along": along, "way": "ours", "method": "maple", "classes": 10, "batch": 4, "seconds": 1.0, "peak_mb": 5.0}
        for along in ("classes", "batch")
    ]
    results = {"machine": {"sentences": ["a machine"]}, "steps": [row], "growth": points}
    text = markdown(results)
    assert "0.500 (<= 0.300, missed)" in text
    assert "0.40 (<= 0.50)" in text
    assert "0.75 (>= 0.75)" in text
    write_report(results, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "results.md", "steps.png", "growth.png"}


def test_cases_have_the_goals_of_every_published_figure():
    assert len({case.name for case in CASES}) == len(CASES)
    assert [case.classes for case in CASES if case.published_gflop] == [37, 100, 37, 37, 100, 100]
