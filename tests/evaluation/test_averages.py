"""Averages over seeds and data sets: by hand, and against published tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dapt.evaluation.averages import Average, average, base_to_novel, over_data_sets, over_seeds, with_harmonic_mean
from helpers import SHARED

PUBLISHED = SHARED / "facts" / "published.json"
needs_published = pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published figures are not beside the project")

# published harmonic means that do not follow from the published averages beside them: misprints of the sources
MISPRINTS = {("PromptKD", "StanfordCars"), ("PromptKD", "UCF101"), ("ProDA", "average11")}
CELL = 0.01  # figures of two decimals determine a harmonic mean no better


def run(base: float | None, novel: float | None) -> dict[str, float | None]:
    return {"test/accuracy": base, "test/accuracy_base": base, "test/accuracy_novel": novel}


def test_over_seeds_is_mean_and_population_spread() -> None:
    values = [70.2, 71.4, 69.9]
    found = over_seeds([{"test/accuracy": value, "test/worst_group": None} for value in values])
    assert list(found) == ["test/accuracy"]
    one = found["test/accuracy"]
    assert one.mean == pytest.approx(np.mean(values))
    assert one.std == pytest.approx(np.std(values))
    assert one.count == 3
    assert one.ci95 == pytest.approx(1.96 * np.std(values) / np.sqrt(3))
    assert over_seeds([]) == {}


def test_missing_values_are_left_out() -> None:
    assert average([None, 4.0, 8.0]) == Average(6.0, 2.0, 2)
    assert average([None]) is None


def test_rounding_comes_before_the_mean() -> None:
    values = [83.333, 83.444, 83.551]
    assert average(values, rounded=1).mean == pytest.approx((83.3 + 83.4 + 83.6) / 3)  # a published "83.43"
    assert average(values).mean == pytest.approx(83.4427, abs=1e-4)
    assert average([0.25, 0.35], rounded=1).mean == pytest.approx((0.2 + 0.3) / 2)  # as printing does


def test_harmonic_mean_of_a_data_set_is_that_of_the_averages() -> None:
    runs = [run(90.0, 10.0), run(10.0, 90.0), run(50.0, None)]
    assert base_to_novel(runs) == {"base": 50.0, "novel": 50.0, "harmonic_mean": 50.0}  # each seed alone: 18
    assert base_to_novel([run(50.0, None)]) is None
    assert base_to_novel([]) is None
    assert base_to_novel([run(33.34, 66.66)], rounded=1)["base"] == 33.3


def test_harmonic_mean_over_data_sets_is_made_anew() -> None:
    figures = {
        "a": with_harmonic_mean({"base": 90.0, "novel": 10.0}),
        "b": with_harmonic_mean({"base": 10.0, "novel": 90.0}),
    }
    assert figures["a"]["harmonic_mean"] == pytest.approx(18.0)
    assert over_data_sets(figures) == {"base": 50.0, "novel": 50.0, "harmonic_mean": 50.0}
    assert over_data_sets({"a": {"accuracy": 1.0, "other": 2.0}, "b": {"accuracy": 3.0}}) == {"accuracy": 2.0}
    assert over_data_sets({}) == {}


def test_the_published_average_of_clip() -> None:
    assert with_harmonic_mean({"base": 69.34, "novel": 74.22})["harmonic_mean"] == pytest.approx(71.70, abs=0.005)


def published() -> dict[tuple[str, str], dict[str, float]]:
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for row in json.loads(PUBLISHED.read_text()):
        if row["protocol"] == "base_to_novel_16shot":
            rows.setdefault((row["method"], row["dataset"]), {})[row["metric"]] = row["value"]
    return rows


@needs_published
def test_published_harmonic_means_follow_from_published_averages() -> None:
    complete = {key: row for key, row in published().items() if set(row) >= {"base", "novel", "HM"}}
    assert len(complete) > 60
    for key, row in complete.items():
        if key not in MISPRINTS:
            made = with_harmonic_mean({"base": row["base"], "novel": row["novel"]})["harmonic_mean"]
            assert made == pytest.approx(row["HM"], abs=CELL), key


@needs_published
@pytest.mark.parametrize("method", ["CLIP", "CoOp", "CoCoOp", "MaPLe", "PromptSRC", "PromptKD"])
def test_published_averages_follow_from_published_data_sets(method: str) -> None:
    rows = {data: row for (name, data), row in published().items() if name == method}
    theirs = rows.pop("average11")
    assert len(rows) == 11
    ours = over_data_sets({data: {"base": row["base"], "novel": row["novel"]} for data, row in rows.items()})
    for name, key in (("base", "base"), ("novel", "novel"), ("harmonic_mean", "HM")):
        assert ours[name] == pytest.approx(theirs[key], abs=CELL), name
