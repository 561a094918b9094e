"""The table of docs/demo.md: means, intervals over scene seeds, and where it is put."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from dapt.demo.figures import MEASURES

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    import demo_figures

    return demo_figures


def test_an_interval_is_that_of_a_mean(tool: ModuleType) -> None:
    """Five values with a standard deviation of 1.5811: 2.776 x 1.5811 / sqrt(5) = 1.963."""
    assert tool.interval([1.0, 2.0, 3.0, 4.0, 5.0]) == "3.0 ± 2.0"
    assert tool.interval([4.0]) == "4.0"


FIGURES = {
    "zero_shot": {key: [30.0, 40.0] for key in MEASURES},
    "host": {key: [50.0, 60.0] for key in MEASURES},
    "phased": {key: [53.0, 63.0] for key in MEASURES},
    "symmetric": {key: [47.0, 55.0] for key in MEASURES},
}
TITLES = {"zero_shot": "zero-shot", "host": "MaPLe", "phased": "with DAPT", "symmetric": "symmetric"}


def test_differences_are_paired(tool: ModuleType) -> None:
    lines = [line.split(" | ") for line in tool.table(FIGURES, TITLES).splitlines()]
    assert lines[0][0] == "| percent, mean over 2 scene seeds"
    assert [line[0] for line in lines[2:]] == [
        *("| zero-shot", "| MaPLe", "| with DAPT", "| symmetric"),
        *("| with DAPT, minus MaPLe", "| symmetric, minus MaPLe"),
    ]
    assert lines[3][1] == "55.0 ± 63.5"
    assert lines[6][1] == "+3.0 ± 0.0", "as far apart on both scene seeds"
    assert lines[7][1] == "-4.0 ± 12.7"


def test_the_table_is_put_into_a_page(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr(tool, "measured", lambda out, seeds, variants, jobs: FIGURES)
    monkeypatch.setattr(sys, "argv", ["x", str(tmp_path / "out"), "--variants", "phased", "--tables", str(page)])
    tool.main()
    start, rest = page.read_text().split("<!-- figures -->\n")
    table, after = rest.split("<!-- end -->")
    assert (start, after) == ("before\n", "\nafter\n")
    assert table.strip() in capsys.readouterr().out
    assert "old" not in table
    assert "minus MaPLe" in table


def test_runs_differ_in_the_variant_alone(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tool, "draw_scenes", lambda folder, settings: folder / "index.csv")
    runs = tool.planned(tmp_path, tool.DemoSettings(seeds=1, scene_seed=4), ["joint", "symmetric"])
    assert list(runs) == ["joint", "symmetric", "host", "zero_shot"]
    assert [Path(run.out).name for run in runs.values()] == ["joint", "symmetric", "host-seed1", "zero_shot"]
    assert [run.dapt.variant for run in runs.values() if run.dapt.enabled] == ["joint", "symmetric"]
    one, other = (runs[name].model_dump(exclude={"dapt", "out", "cue"}) for name in ("joint", "host"))
    assert one == other
