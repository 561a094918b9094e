"""The plain way of the benchmark computes the same as dapt; the figures say what they claim."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import SimpleNamespace

import open_clip
import pytest
import torch
from torch.autograd import DeviceType

from benchmarks.__main__ import file_safe, joined, main
from benchmarks.cases import CASES, Case, chosen_cases, make_work
from benchmarks.kernels import counted
from benchmarks.levers import SWITCHES, without
from benchmarks.measure import gflop, kept_mb
from benchmarks.profile import seconds_by_kind
from benchmarks.report import markdown, write_report
from benchmarks.steps import NO_GOALS
from benchmarks.syncs import make_fitter
from benchmarks.worker import Job, run_job
from dapt.clip.savings import Savings
from helpers import tiny_clip

# room for the background texts of DAPT; as many layers as MaPLe wants
SIZES = {
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 9, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 9},
}


@pytest.fixture(scope="module")
def clip():
    return tiny_clip(**SIZES)


@pytest.fixture(scope="module")
def half_clip():
    clip = tiny_clip(**SIZES, cast_dtype=torch.bfloat16)
    open_clip.model.convert_weights_to_lp(clip.model, torch.bfloat16)
    return clip


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


@pytest.mark.parametrize("phase", ["", "L_v", "L_f+L_b"])
def test_both_ways_run_in_half_precision(clip, half_clip, phase):
    case = Case("m", "maple", 5, phase)
    exact = make_work(case, clip, "ours")
    loss = float(exact.run())
    expected = torch.cat([value.flatten() for value in exact.gradients().values()])
    for way in ("ours", "plain"):
        work = make_work(case, half_clip, way)
        assert float(work.run()) == pytest.approx(loss, rel=0.05)
        found = torch.cat([value.flatten() for value in work.gradients().values()])
        assert found.dtype == torch.float32
        assert float((found - expected).norm() / expected.norm()) < 0.3, way


def test_a_job_measures_a_model_that_is_there(clip):
    found = run_job(Job(Case("m", "maple", 3), "ours", 2, "cpu", "32"), clip)
    assert len(found["seconds"]) == 2
    assert found["peak_mb"] >= found["idle_mb"] > 0


def test_steps_are_chosen_by_name_classes_and_batch():
    assert chosen_cases() == list(CASES)
    assert [case.name for case in chosen_cases(["maple-100"])] == ["maple-100"]
    found = chosen_cases(classes=[37, 1000], batches=[4, 32])
    kinds = ["maple", "dapt-lv", "dapt-lf-lb"]
    names = [f"{kind}-{count}" for count in (37, 1000) for kind in kinds] + ["coop-1000"]
    assert [(case.name, case.batch) for case in found] == [(name, batch) for name in names for batch in (4, 32)]
    assert found[0] == CASES[0]
    assert found[1].time_goal is None
    with pytest.raises(KeyError):
        chosen_cases(["maple-38"])


def test_what_only_a_gpu_can_do_is_refused_elsewhere(capsys):
    for wrong in (
        ["--precision", "tf32"],
        ["--parts", "kernels", "syncs"],
        ["--parts", "syncs"],
        ["--cases", "maple-38"],
    ):
        with pytest.raises(SystemExit):
            main(["--device", "cpu", *wrong])
        assert "--device cuda" in capsys.readouterr().err or wrong[0] == "--cases"


def test_folders_are_named_after_the_card():
    assert file_safe("NVIDIA H100 80GB HBM3") == "nvidia-h100-80gb-hbm3"


def test_kernels_are_counted_once_and_apart_from_copies():
    def event(name, us, device=DeviceType.CUDA, note=False):
        span = SimpleNamespace(elapsed_us=lambda: us)
        return SimpleNamespace(name=name, device_type=device, time_range=span, is_user_annotation=note)

    events = [
        event("gemm", 5), event("gemm", 6), event("softmax", 1), event("Memcpy HtoD", 2), event("Memset", 1),
        event("aten::mm", 40, DeviceType.CPU), event("Optimizer.step", 30, note=True),
    ]  # fmt: skip
    found = counted(events)
    assert (found["kernels"], found["copies"], found["device_seconds"]) == (3, 2, pytest.approx(15e-6))
    assert found["longest"][0] == ["gemm", 2, pytest.approx(11e-6)]


def test_a_profile_of_a_gpu_counts_nothing_twice():
    def average(key, cpu, gpu, device):
        return SimpleNamespace(key=key, self_cpu_time_total=cpu, self_device_time_total=gpu, device_type=device)

    averages = [average("aten::mm", 7, 100, DeviceType.CPU), average("sgemm_kernel", 0, 100, DeviceType.CUDA)]
    assert seconds_by_kind(averages, on_gpu=True) == {"matrix products": pytest.approx(1e-4)}
    assert seconds_by_kind(averages, on_gpu=False) == {"matrix products": pytest.approx(7e-6)}


def test_the_report_of_a_gpu():
    step = {
        "title": "MaPLe, 37 classes", "batch": 4, "precision": "bf16", "on_gpu": True, "goals": dict(NO_GOALS),
        "plain_seconds": 0.0123, "seconds": 0.0042, "time_ratio": 0.34, "peak_mb": 40.0, "gflop": 3.0,
        "roofline_share": 0.1, "all_seconds": [1.0], "gemm_gflops": 2.0,
    }  # fmt: skip
    run = {"run_seconds": 0.0082, "run_graph_seconds": 0.0041, "run_mb": 500.0, "run_graph_mb": 700.0}
    kernels = {"title": "MaPLe, 37 classes", "batch": 4, "precision": "bf16", "way": "ours"}
    measured = {"kernels": 900, "copies": 3, "seconds": 0.004, "device_seconds": 0.002, "graph_seconds": 0.003}
    results = {
        "machine": {"sentences": ["a card"]},
        "steps": [{**step, **run}, {**step, "precision": "16", "batch": 32}],
        "kernels": [{**kernels, **measured}, {**kernels, "way": "plain", "failed": "out of memory"}],
        "syncs": [
            {"method": "coop", "waits": 1.2, "places": {"src/dapt/training/fit.py:1": 1.2}, "recorded": False},
            {"method": "promptkd", "failed": "it needs a teacher"},
        ],
    }
    text = markdown(results)
    assert "MaPLe, 37 classes, batch 32, 16 | 0.01230 | 0.00420" in text
    assert "peak of tensors on the GPU" in text
    assert "| ours | 900 | 3 | 0.00400 | 0.00200 | 0.00300 |" in text
    assert "out of memory" in text
    assert "| coop | 1.2 | no | src/dapt/training/fit.py:1 (1.2) |" in text
    assert "| MaPLe, 37 classes, batch 4, bf16 | 0.01230 | 0.00820 | 0.00410 | 0.33 | 500 | 700 |" in text
    assert "it needs a teacher" in text


def test_results_of_several_calls_become_one():
    def results(precision, **parts):
        machine = {"precision": precision, "sentences": ["a card", f"random weights, {precision}"]}
        return {"machine": machine, **parts}

    one = results("bf16", steps=[{"a": 1}], overhead={"x": 1})
    whole = joined([one, results("32, tf32", steps=[{"b": 2}], overhead={"x": 2})])
    assert whole["steps"] == [{"a": 1}, {"b": 2}]
    assert whole["overhead"] == {"x": 2}
    assert whole["machine"]["sentences"] == ["a card", "random weights, bf16, 32, tf32"]
    assert one["steps"] == [{"a": 1}]


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


@pytest.mark.parametrize(("name", "dapt"), [("vpt", True), ("tip_adapter.tuned", False)])
def test_the_steps_whose_waits_are_counted(name, dapt):
    fitter, batch = make_fitter(name, "cpu", dapt=dapt)
    assert all(torch.isfinite(fitter._step(batch, 0, number)["loss"]) for number in range(2))
