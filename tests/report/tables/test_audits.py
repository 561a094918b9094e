"""The table of background audits."""

from __future__ import annotations

from typing import Any

import pytest

from dapt.report.tables.audits import CHANGED, COLUMNS, GAP
from dapt.report.tables.compared import to_hosts
from dapt.report.tables.kinds import tables


def audited(gap: float, seed: int = 1, **changes: Any) -> dict[str, Any]:
    row = {"kind": "audit", "method": "maple", "dapt": False, "data": "a", "shots": 16, "seed": seed, "subset": "all"}
    figures = dict.fromkeys(COLUMNS.values(), 50.0) | {"audit/bg_gap": gap}
    about = {"audit/split": "test", "audit/images": 9.0, "audit/masks": "masks", "audit/seed": seed}
    return {**row, **figures, **about, **changes}


def test_methods_by_what_is_asked_over_seeds() -> None:
    rows = [audited(4.0), audited(6.0, 2), audited(1.0, dapt=True), audited(2.0, 2, dapt=True)]
    runs = [{**audited(0.0), "kind": "run", "test/accuracy": 70.0}]
    (grid,) = tables([*rows, *runs], "audit")
    assert (grid.title, grid.columns[-2:]) == ("background audit, a", [GAP, CHANGED])
    assert (grid.cells["MaPLe", GAP].mean, grid.cells["MaPLe", GAP].std) == (5.0, 1.0)
    assert grid.cells["MaPLe + DAPT", GAP].rank == 1, "a smaller gap is better"
    assert to_hosts(grid)["MaPLe + DAPT"].mean == -3.5
    assert any("9 images (test)" in note for note in grid.notes)


def test_audits_of_other_pictures_and_several_of_one_run_are_told() -> None:
    rows = [audited(4.0), audited(8.0, **{"audit/seed": 7}), audited(1.0, method="coop", **{"audit/split": "val"})]
    (grid,) = tables(rows, "audit")
    assert grid.cells["MaPLe", GAP].mean == 6.0
    notes = " ".join(grid.notes)
    assert "not of the same pictures: their splits are test and val" in notes
    assert "Several audits of one run" in notes


def test_a_figure_that_was_not_measured_is_missing() -> None:
    (grid,) = tables([audited(1.0, **{"audit/bg_gap": None}), audited(1.0, method="coop")], "audit")
    assert ("MaPLe", GAP) not in grid.cells
    assert grid.cells["CoOp", GAP].mean == pytest.approx(1.0)


def test_audits_that_a_protocol_made_are_in_the_same_table() -> None:
    """Its rows are evaluations, and do not say which split and masks: test, and those of the run."""
    by_protocol = {"kind": "evaluation", "protocol": "background_audit", "point": "audit"}
    own = {key: value for key, value in audited(3.0).items() if key not in ("audit/split", "audit/masks", "audit/seed")}
    (grid,) = tables([{**own, **by_protocol}, audited(1.0, method="coop")], "audit")
    assert (grid.cells["MaPLe", GAP].mean, grid.cells["CoOp", GAP].mean) == (3.0, 1.0)
    assert any("9 images" in note for note in grid.notes)


def test_backgrounds_of_different_other_data_have_columns_of_their_own() -> None:
    """Also where nothing else tells two audits of one run apart."""
    rows = [
        audited(3.0, **{"audit/backgrounds": name, "audit/mixed_other": value})
        for name, value in (("lands", 10.0), ("seas", 90.0))
    ]
    (grid,) = tables(rows, "audit")
    assert grid.cells["MaPLe", "mixed_other (lands)"].mean == 10.0
    assert grid.cells["MaPLe", "mixed_other (seas)"].mean == 90.0
    assert {"mixed_other (lands)", "mixed_other (seas)"} <= set(grid.columns)
    (grid,) = tables(rows[:1], "audit")
    assert grid.cells["MaPLe", "mixed_other"].mean == 10.0


def test_other_data_of_one_name_in_two_folders_has_columns_of_its_own() -> None:
    rows = [
        audited(
            3.0,
            **{"audit/backgrounds": "lands", "audit/backgrounds_place": f"/{place}/lands"},
            **{"audit/backgrounds_of": number, "audit/mixed_other": value},
        )
        for place, number, value in (("a", 5, 10.0), ("b", 7, 90.0))
    ]
    (grid,) = tables(rows, "audit")
    assert grid.cells["MaPLe", "mixed_other (lands (/a/lands))"].mean == 10.0
    assert grid.cells["MaPLe", "mixed_other (lands (/b/lands))"].mean == 90.0


def test_guesses_are_said() -> None:
    guessed = audited(1.0, **{"audit/guesses": "of the cue border, from /m"})
    (grid,) = tables([guessed], "audit")
    assert any(note.startswith("Masks are guesses of the cue border, from /m") for note in grid.notes)
    (grid,) = tables([guessed, audited(1.0, method="coop")], "audit")
    assert any(note.startswith("In 1 of 2 audits masks are guesses of the cue border") for note in grid.notes)
