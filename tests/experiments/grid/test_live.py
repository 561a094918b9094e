"""How an experiment gets on: counts, time left, and the best so far."""

from __future__ import annotations

import time

import pytest

from dapt.experiments.grid.live import Progress, View, main_figure, spoken


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (3540, "59 min"), (7800, "2 h 10 min"), (300_000, "3 d 11 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


def test_the_figure_of_a_cell() -> None:
    assert main_figure({"run": {"test/accuracy": 70.0, "test/harmonic_mean": 60.0}}) == ("harmonic mean", 60.0)
    assert main_figure({"1": {"test/accuracy": 50.0}, "2": {"test/accuracy": 60.0}}) == ("accuracy", 55.0)
    assert main_figure({"run": {"test/accuracy": None}}) is None


def test_counts_and_time_left() -> None:
    progress = Progress(3, {"a": 10, "b": 10, "c": 20}, before=2, started=time.monotonic() - 100)
    assert progress.left_seconds() is None
    assert progress.line() == "0 of 3 done, 2 were done before"
    progress.running = {"a": 5, "b": 5}
    assert progress.left_seconds() == pytest.approx(300, abs=2)
    progress.ended("a")
    progress.done = 1
    assert progress.left_seconds() == pytest.approx(100 / 15 * 25, abs=2)
    progress.failed = 1
    assert progress.line().startswith("1 of 3 done, 1 failed, 2 were done before, about ")
    progress.take("d", "a", {"run": {"test/accuracy": 50.0}})
    progress.take("d", "b", {"run": {"test/accuracy": 40.0}})
    assert progress.best == {"d": (50.0, "a")}


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with View(Progress(2, {"a": 1, "b": 1}, done=1)).shown() as view:
        view.tell("a: accuracy 50.00 after 3 s")
    assert capsys.readouterr().err == "a: accuracy 50.00 after 3 s; 1 of 2 done\n"


def test_table_of_what_is_running() -> None:
    from rich.console import Console

    progress = Progress(20, {f"cell {number}": 3 for number in range(20)}, running={f"cell {n}": 1 for n in range(14)})
    progress.best = {"photos": (61.5, "cell 3")}
    console = Console(width=100)
    with console.capture() as caught:
        console.print(progress.table())
    text = caught.get()
    assert "cell 11" in text
    assert "cell 12" not in text
    assert "and 2 more" in text
    assert "1 of 3 epochs" in text
    assert "61.50" in text
