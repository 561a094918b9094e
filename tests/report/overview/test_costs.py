"""What runs cost."""

from __future__ import annotations

from made_up import material, run

from dapt.report.overview.costs import costs


def test_means_over_seeds_and_accuracy_per_second() -> None:
    timing = {"timing/training_seconds": 20.0, "timing/peak_memory_mb": 1500.0, "counts/trainable_parameters": 1234}
    rows = [run(seed=seed, **{**timing, "timing/training_seconds": 10.0 * seed}) for seed in (1, 3)]
    rows += [run(method="coop", **{**timing, "timing/training_seconds": 1.0})]
    part = costs(material(rows))
    maple = next(row for row in part.tables[0].rows if row[0] == "MaPLe")
    assert maple == ("MaPLe", "photos, 16 shots", "–", "20.0", "–", "–", "1,500.0", "1,234", "50.00", "2.5")
    assert list(part.charts[0].rows) == [("MaPLe", "20.0", "50.00"), ("CoOp", "1.0", "50.00")]
    assert "<svg" in part.charts[0].svg()
    assert not costs(material([run()])).shown


def test_several_devices_are_said() -> None:
    rows = [
        run(seed=seed, **{"timing/training_seconds": 1.0, "environment/device": device})
        for seed, device in enumerate(("cpu", "cuda"))
    ]
    assert "several devices (cpu, cuda)" in costs(material(rows)).notes[-1]
