"""Terms of the loss by epoch."""

from __future__ import annotations

from pathlib import Path

from made_up import in_folder, material, run

from dapt.report.overview.learning_curves import _look, curves_of, learning_curves


def test_terms_by_epoch_of_several_runs() -> None:
    runs = [[{"epoch": 1, "loss": 3.0, "L_v": 1.0}, {"epoch": 2, "loss": 2.0}], [{"epoch": 1, "loss": float("nan")}]]
    assert curves_of(runs) == {"loss": [[3.0, 2.0], [None, None]], "L_v": [[1.0, None], [None, None]]}


def test_a_chart_of_each_row_and_of_accuracies(tmp_path: Path) -> None:
    lines = [{"epoch": epoch, "loss": 3.0 / epoch, "L_cls": 2.0 / epoch, "val/accuracy": 50.0} for epoch in (1, 2)]
    rows = [run(run=in_folder(tmp_path / str(seed), {}, lines), seed=seed) for seed in (1, 2)]
    terms, accuracy = learning_curves(material(rows)).charts
    assert terms.head == ("epoch", "loss", "L_cls")
    assert list(terms.rows) == [("1", "3", "2"), ("2", "1.5", "1")]
    assert accuracy.title == "Accuracy on validation images: photos, 16 shots"
    assert "<svg" in terms.svg()


def test_terms_of_many_are_told_apart() -> None:
    assert len({(look.colour, look.dash) for look in map(_look, range(11))}) == 11


def test_runs_without_curves() -> None:
    assert "metrics.jsonl" in learning_curves(material([run()])).missing
