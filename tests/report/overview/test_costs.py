"""What runs cost."""

from __future__ import annotations

from made_up import material, run

from dapt.report.overview.costs import costs, front


def test_means_over_seeds_and_the_front() -> None:
    timing = {
        "timing/training_seconds": 20.0,
        "timing/preparation_seconds": 4.0,
        "timing/peak_memory_mb": 1500.0,
        "counts/trainable_parameters": 1234,
    }
    rows = [run(seed=seed, **{**timing, "timing/training_seconds": 10.0 * seed}) for seed in (1, 3)]
    rows += [run(method="coop", **{**timing, "timing/training_seconds": 1.0})]
    rows += [run(method="gda", **{**timing, "timing/training_seconds": 0.0, "timing/preparation_seconds": 5.5})]
    part = costs(material(rows))
    maple = next(row for row in part.tables[0].rows if row[0] == "MaPLe")
    assert maple == ("MaPLe", "photos, 16 shots", "–", "4.0", "20.0", "–", "–", "1,500.0", "1,234", "50.00", "")
    drawn = [("MaPLe", "24.0", "50.00", ""), ("CoOp", "5.0", "50.00", "yes"), ("GDA", "5.5", "50.00", "")]
    assert list(part.charts[0].rows) == drawn
    assert "<svg" in part.charts[0].svg()
    assert not costs(material([run()])).shown


def test_several_devices_are_said() -> None:
    rows = [
        run(seed=seed, **{"timing/training_seconds": 1.0, "environment/device": device})
        for seed, device in enumerate(("cpu", "cuda"))
    ]
    assert "several devices (cpu, cuda)" in costs(material(rows)).notes[-1]


def test_on_the_front_is_what_nothing_beats_in_both() -> None:
    points = {
        "slow": (9.0, 80.0),
        "quick": (1.0, 60.0),
        "worse": (2.0, 55.0),
        "middle": (2.0, 70.0),
        "as good": (8.0, 70.0),
    }
    assert front(points) == ["quick", "middle", "slow"]


def test_runs_without_the_time_of_preparing_are_told() -> None:
    assert "training alone counts" in costs(material([run(**{"timing/training_seconds": 1.0})])).notes[-1]
