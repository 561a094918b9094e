"""The linear probe: the path of the search for C, and what happens where there is nothing to search with."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import torch

from dapt.config import make_config
from dapt.model.classifier import Classifier
from dapt.prompts.probe import search_c
from dapt.runs.load_run import load_run
from dapt.runs.train import run_training


def steps_of_the_rule(score, steps: int) -> tuple[float, list[tuple[float, float]]]:
    """The rule as described, in C itself, every fit made anew: the result, and both ends of every step."""
    scores = [score(c) for c in (1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6)]
    peak = (1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6)[scores.index(max(scores))]
    left, right, path = 0.1 * peak, 10 * peak, []
    result = math.nan
    for _ in range(steps):
        path.append((left, right))
        middle = math.sqrt(left * right)
        if score(left) < score(right):
            result, left = right, middle
        else:
            result, right = left, middle
    return result, path


@pytest.mark.parametrize("seed", range(20))
def test_the_search_goes_the_way_of_the_rule(seed: int) -> None:
    """On rough scores with many ties, as accuracies on few images are."""
    draw = random.Random(seed)
    level = [draw.randrange(4) for _ in range(60)]

    def score(c: float) -> float:
        return float(level[math.floor(4 * math.log10(c) + 30.1)])  # never at the edge of a level

    asked: list[float] = []

    def heard(c: float) -> float:
        asked.append(math.log10(c))
        return score(c)

    found = search_c(heard, 8)
    expected, path = steps_of_the_rule(score, 8)
    assert found == pytest.approx(expected)
    ends = {round(math.log10(end), 6) for step in path for end in step}
    assert ends <= {round(exponent, 6) for exponent in asked}
    assert {round(exponent, 6) for exponent in asked[7:]} <= ends


def run(data: Path, spec: str, out: Path, **prompt: object) -> None:
    given = {"data": str(data), "model": spec, "method": "linear_probe", "shots": 2, "device": "cpu"}
    run_training(make_config({**given, "out": str(out), "prompt": prompt}))


def only_training_rows(table: Path, out: Path) -> Path:
    """The same data set without its validation images."""
    source = table if table.suffix == ".csv" else table / "index.csv"
    rows = [line for line in source.read_text().splitlines() if ",val," not in line]
    (source.parent / out.name).write_text("\n".join(rows) + "\n")
    return source.parent / out.name


def test_without_validation_images_c_is_one_and_a_warning_says_so(table, tiny_spec, tmp_path) -> None:
    data = only_training_rows(table, tmp_path / "noval.csv")
    run(data, tiny_spec, tmp_path / "run")
    assert "no validation images to choose C by" in (tmp_path / "run" / "log.txt").read_text()
    assert float(load_run(tmp_path / "run", device="cpu")[0].prompts.c) == 1.0
    run(data, tiny_spec, tmp_path / "given", c=0.01)
    assert "warning" not in (tmp_path / "given" / "log.txt").read_text()
    assert float(load_run(tmp_path / "given", device="cpu")[0].prompts.c) == pytest.approx(0.01)


def test_too_few_iterations_are_reported(table, tiny_spec, tmp_path) -> None:
    run(table, tiny_spec, tmp_path / "run", c=1e6, max_iter=1)
    assert "had not converged after 1 iterations" in (tmp_path / "run" / "log.txt").read_text()


def test_logits_are_those_of_the_regression_on_raw_features(table, tiny_spec, tmp_path) -> None:
    run(table, tiny_spec, tmp_path / "run")
    model, _ = load_run(tmp_path / "run", device="cpu")
    pixels = torch.randn(4, 3, 32, 32)
    raw = model.clip.image.encode(pixels).float()
    expected = raw @ model.prompts.weight.t() + model.prompts.bias
    assert torch.allclose(Classifier(model)(pixels), expected.detach(), atol=1e-5)
