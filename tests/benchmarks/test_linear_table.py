"""The table of oneDNN beside the library behind torch's own function, and what the benchmark says of the processor."""

from __future__ import annotations

import pytest

from benchmarks import linear
from benchmarks.__main__ import machine, main, tell_library
from benchmarks.linear import in_turn, measure_linear
from benchmarks.report import markdown
from dapt.clip.linear import HAS_ONEDNN
from dapt.clip.linear_choice import Choice
from dapt.processor import processor_name
from helpers import tiny_clip


def test_both_take_turns_and_the_first_place() -> None:
    order: list[bool] = []
    in_turn(order.append, 3)
    assert order == [True, False, False, True, True, False, False, True]


@pytest.mark.skipif(not HAS_ONEDNN, reason="one library")
def test_a_row_for_each_layer_and_number_of_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "WIDTHS", {"image": 8, "text": 4})
    monkeypatch.setattr(linear, "ROWS", {"image": (2, 3), "text": (5,)})
    monkeypatch.setattr(linear, "SQUARE", 8)
    rows = measure_linear(1, lambda text: None)
    assert [(row["tower"], row["rows"]) for row in rows[1::4]] == [("image", 2), ("image", 3), ("text", 5)]
    assert rows[0]["gflop"] == pytest.approx(2e-9 * 8 * 8 * 8)
    assert rows[1]["gflop"] == pytest.approx(2e-9 * 2 * 8 * 24)
    speeds = [1e3 * row["gflop"] / row[f"{kind}_forward_ms"] for row in rows for kind in ("onednn", "plain")]
    assert {row["gemm_gflops"] for row in rows} == {max(rows[0]["gemm_gflops"], *speeds)}
    text = markdown({"machine": {"sentences": ["somewhere"]}, "linear": rows})
    assert "| image, MLP out | 3 |" in text
    assert "\n| square | 8 |" in text


def test_the_table_by_hand() -> None:
    times = {"onednn_forward_ms": 2.0, "plain_forward_ms": 4.0, "onednn_backward_ms": 3.0, "plain_backward_ms": 2.0}
    row = {"tower": "image", "layer": "MLP in", "rows": 7, "gflop": 0.1, "gemm_gflops": 100.0, "plain": "MKL", **times}
    text = markdown({"machine": {"sentences": ["somewhere"]}, "linear": [row]})
    assert "| image, MLP in | 7 | 2.00 | 4.00 | 0.50 | 3.00 | 2.00 | 1.50 | 0.50 |" in text
    assert "oneDNN 5 ms, MKL 6 ms, the former to the latter 0.83" in text


def test_the_processor_and_the_library_are_told() -> None:
    facts = machine("cpu", ["32"])
    assert processor_name() in facts["sentences"][0]
    assert f"{facts['cpu_count']} cores" in facts["sentences"][0]
    assert facts["sentences"][1].startswith("instructions: ")
    clip = tiny_clip()
    clip.savings.choice = Choice(False, "cache", 3, 2)
    tell_library(facts, clip)
    tell_library(facts, clip)
    told = [text for text in facts["sentences"] if "frozen" in text]
    assert len(told) == int(HAS_ONEDNN)
    assert ("linear_library" in facts) == HAS_ONEDNN


def test_elsewhere_there_is_nothing_to_compare(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(linear, "HAS_ONEDNN", False)
    assert measure_linear(1, print) == []
    monkeypatch.setattr("benchmarks.__main__.pick_device", lambda name: name)
    with pytest.raises(SystemExit):
        main(["--device", "cuda", "--parts", "linear"])
    assert "The part linear is for --device cpu" in capsys.readouterr().err
