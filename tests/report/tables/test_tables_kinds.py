"""Which runs belong into which table, and the averages of each."""

from __future__ import annotations

from typing import Any

import pytest

from dapt.errors import ConfigError, DataError
from dapt.report.tables.compared import to_hosts
from dapt.report.tables.grid import AVERAGE
from dapt.report.tables.kinds import free_table, tables


def run(**changes: Any) -> dict[str, Any]:
    row = {"kind": "run", "method": "maple", "dapt": False, "data": "a", "shots": 16, "seed": 1, "subset": "all"}
    return {**row, "test/accuracy": 50.0, "protocol": None, "point": None, **changes}


def test_base_to_novel_of_each_data_set_and_the_average() -> None:
    rows = [
        run(data=data, seed=seed, subset="base", **{"test/accuracy_base": base, "test/accuracy_novel": novel})
        for data, seed, base, novel in (("a", 1, 80, 60), ("a", 2, 90, 70), ("b", 1, 60, 60), ("b", 2, 70, 50))
    ]
    average, first, second = tables(rows)
    assert average.title == "base-to-novel, average of 2 data sets"
    assert (average.data, first.data, second.data) == (AVERAGE, "a", "b")
    assert average.cells["MaPLe", "base"].mean == 75.0
    assert average.cells["MaPLe", "novel"].mean == 60.0
    assert average.cells["MaPLe", "HM"].mean == pytest.approx(2 * 75 * 60 / 135)
    assert first.cells["MaPLe", "base"].std == 5.0
    assert average.main == "HM"
    assert average.notes == ["In percent: means over 2 seeds, ± their standard deviation."]


def test_few_shot() -> None:
    rows = [run(shots=shots, seed=seed, **{"test/accuracy": shots + seed}) for shots in (0, 4, 16) for seed in (1, 3)]
    (grid,) = tables(rows, "few-shot")
    assert grid.columns == ["4", "16", "all"]
    assert grid.cells["MaPLe", "16"].mean == 18.0
    assert grid.main == "all"


def test_transfer() -> None:
    rows = [run(protocol="cross_dataset", point="a", **{"test/accuracy": 70.0})]
    rows += [
        run(kind="evaluation", protocol="cross_dataset", point=point, **{"test/accuracy": value})
        for point, value in (("b", 20.0), ("c", 40.0))
    ]
    rows += [run(kind="evaluation", protocol="cross_dataset", method="coop", point="b")]
    (grid,) = tables(rows, "cross")
    assert grid.columns == ["a", "b", "c", AVERAGE]
    assert [grid.cells["MaPLe", column].mean for column in grid.columns] == [70.0, 20.0, 40.0, 30.0]
    assert ("CoOp", AVERAGE) not in grid.cells, "a mean over fewer targets is no mean"
    assert ("CoOp", "c") not in grid.cells


def test_data_efficient() -> None:
    rows = [run(**{"set/fraction": fraction, "set/select": "herding"}) for fraction in (0.1, 0.5)]
    (grid,) = tables(rows, "data-efficient")
    assert grid.columns == ["10%", "50%"]


def test_selectors_are_rows_of_their_own_and_differences_are_within_one() -> None:
    cells = [("herding", False, 10.0), ("herding", True, 12.0), ("cal", False, 30.0), ("cal", True, 20.0)]
    rows = [
        run(dapt=dapt, **{"set/fraction": 0.1, "set/select": select, "test/accuracy": value})
        for select, dapt, value in cells
    ]
    (grid,) = tables([*rows, run(protocol="data_efficient")], "data-efficient")
    assert grid.cells["herding: MaPLe", "10%"].mean == 10.0
    assert {row: gap.mean for row, gap in to_hosts(grid).items()} == {
        "herding: MaPLe + DAPT": 2.0,
        "cal: MaPLe + DAPT": -10.0,
    }
    assert grid.cells["MaPLe", "100%"].mean == 50.0


def test_two_runs_of_one_seed_are_told_and_count_once() -> None:
    (grid,) = tables([run(), run(**{"test/accuracy": 60.0}), run(method="coop")], "few-shot")
    assert grid.cells["MaPLe", "16"].mean == 55.0
    assert grid.cells["MaPLe", "16"].seeds == 1
    assert "Several runs of one data set and seed count as one, their mean: MaPLe." in grid.notes


def test_all_kinds_that_there_are() -> None:
    rows = [run(), run(subset="base", **{"test/accuracy_base": 1.0, "test/accuracy_novel": 2.0})]
    assert [grid.kind for grid in tables(rows)] == ["base-to-novel", "few-shot"]


def test_nothing_to_show() -> None:
    with pytest.raises(DataError, match="no run that belongs into the table cross"):
        tables([run()], "cross")
    with pytest.raises(DataError, match="no finished run"):
        tables([])
    with pytest.raises(ConfigError, match="Did you mean 'few-shot'"):
        tables([run()], "fewshot")


def test_free() -> None:
    rows = [run(data=data, shots=shots, **{"x": 1.0 * shots}) for data in "ab" for shots in (1, 4)]
    grid = free_table(rows, "x", ["method"], ["data", "shots"])
    assert grid.columns == ["a, 1", "a, 4", "b, 1", "b, 4"]
    assert grid.cells["maple", "b, 4"].mean == 4.0
    with pytest.raises(ConfigError, match="Did you mean 'shots'"):
        free_table(rows, "x", ["method"], ["shot"])
    with pytest.raises(DataError, match="No run has the figure protocol"):
        free_table(rows, "protocol", ["method"], ["data"])


def test_what_is_no_figure_is_refused() -> None:
    with pytest.raises(ConfigError, match="method is no figure: a run has 'maple'"):
        free_table([run()], "method", ["label"], ["data"])


def test_errors_and_times_are_better_when_lower() -> None:
    rows = [
        run(method=method, **{"test/calibration_error": value, "timing/images_per_second": value})
        for method, value in [("coop", 5.0), ("maple", 50.0)]
    ]
    best = {
        figure: [label for (label, _), cell in grid.cells.items() if cell.rank == 1]
        for figure in ("test/calibration_error", "timing/images_per_second")
        for grid in [free_table(rows, figure, ["label"], ["data"])]
    }
    assert best == {"test/calibration_error": ["CoOp"], "timing/images_per_second": ["MaPLe"]}


def test_numbers_of_shots_are_not_put_together() -> None:
    rows = [
        run(subset="base", shots=shots, dapt=dapt, **{"test/accuracy_base": shots + dapt, "test/accuracy_novel": 40.0})
        | {"set/shots": shots}
        for shots, dapt in [(1, False), (16, False), (16, True)]
    ]
    (grid,) = tables(rows, "base-to-novel")
    assert grid.rows == ["MaPLe (shots 1)", "MaPLe (shots 16)", "MaPLe + DAPT (shots 16)"]
    assert tables([rows[0]], "base-to-novel")[0].rows == ["MaPLe"]


def test_rows_without_all_data_sets_are_not_in_the_average() -> None:
    rows = [
        {"method": method, "subset": "base", "data": data, "seed": 1, "shots": 16, "kind": "run"}
        | {"test/accuracy_base": 60.0, "test/accuracy_novel": 40.0}
        for method, data in [("coop", "a"), ("coop", "b"), ("maple", "a")]
    ]
    average, first, _ = tables(rows, "base-to-novel")
    assert average.rows == ["CoOp"]
    assert "Without all 2 data sets, so not in the average: MaPLe." in average.notes
    assert first.rows == ["CoOp", "MaPLe"]


def test_of_which_classes_a_free_table_is() -> None:
    base = [run(subset="base", seed=seed, **{"test/accuracy_novel": 20.0}) for seed in (1, 2)]
    grid = free_table(base, "test/accuracy", ["label"], ["seed"])
    assert grid.title == "test/accuracy (base classes)"
    assert grid.notes[0].startswith(
        "All runs were trained on base classes (subset: base), and test/accuracy is of these"
    )
    mixed = free_table([*base, run()], "test/accuracy", ["subset"], ["seed"])
    assert mixed.title == "test/accuracy"
    assert "of base classes alone in 2 of 3 runs" in mixed.notes[-2]
    assert "--where subset=base" in mixed.notes[-2]
    novel = free_table(base, "test/accuracy_novel", ["label"], ["seed"])
    assert (novel.title, len(novel.notes)) == ("test/accuracy_novel", 1)
    assert free_table([run()], "test/accuracy", ["label"], ["seed"]).title == "test/accuracy"
