"""Masks of training, and attention."""

from __future__ import annotations

from pathlib import Path

from made_up import in_folder, material, run

from dapt.report.overview.cue_figures import LISTED, _on_two_lines, cue_figures


def test_how_many_masks_could_be_used_and_what_they_cover(tmp_path: Path) -> None:
    folder = in_folder(tmp_path / "a", {"cue_coverage": {"mean": 30.4, "p10": 10.0, "p90": 60.0}})
    counts = {"counts/cue_images": 160, "counts/cue_usable": 156, "counts/cue_empty": 4}
    part = cue_figures(material([run(run=folder, dapt=True, cue="border", **counts), run()]))
    (row,) = part.tables[0].rows
    assert row == ("MaPLe + DAPT", "photos, 16 shots", "border", "160", "97.5", "4", "–", "–", "–", "30 (10 to 60)")
    assert list(part.charts[0].rows) == [("MaPLe + DAPT, photos, 16 shots", "30.4", "10.0", "60.0")]
    assert "<svg" in part.charts[0].svg()


def test_a_long_table_is_cut_and_says_so() -> None:
    rows = [run(dapt=True, shots=shots, **{"counts/cue_images": 1}) for shots in range(LISTED + 1)]
    part = cue_figures(material(rows))
    assert len(part.tables[0].rows) == LISTED
    assert "150 of 151 rows of the table are shown." in part.notes


def test_a_long_name_has_two_lines() -> None:
    assert _on_two_lines("CoOp + DAPT (joint, border)", 20) == "CoOp + DAPT\n(joint, border)"
    assert _on_two_lines("CoOp (joint)", 20) == "CoOp (joint)"


def test_attention_of_the_setting_with_most_rows() -> None:
    rows = [
        run(dapt=dapt, seed=seed, **{"cue/foreground_attention": 40.0 + seed}) for dapt in (0, 1) for seed in (1, 3)
    ]
    rows += [run(shots=4, **{"cue/foreground_attention": 1.0})]
    (chart,) = cue_figures(material(rows)).charts
    assert chart.title == "Attention on the foreground: photos, 16 shots"
    assert list(chart.rows) == [("MaPLe", "42.00", "1.00"), ("MaPLe + DAPT", "42.00", "1.00")]
    assert not cue_figures(material([run()])).shown


def test_a_method_and_its_rows_with_dapt_share_a_colour() -> None:
    rows = [
        run(method=method, dapt=dapt, **{"cue/foreground_attention": 40.0})
        for method in ("maple", "coop")
        for dapt in (False, True)
    ]
    part = cue_figures(material(rows))
    bars = part.charts[0].figure().axes[0].patches
    edges = [bar.get_edgecolor() for bar in bars]
    assert edges[0] == edges[1] != edges[2] == edges[3]
    assert [bar.get_facecolor()[3] for bar in bars] == [0.0, 1.0, 0.0, 1.0], "open without DAPT"
    assert "dapt masks with --against" in part.notes[-1]
