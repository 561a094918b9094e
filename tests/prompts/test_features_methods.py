"""Methods that act on features: Tip-Adapter, the linear probe, CLAP. Small cases by hand, and whole runs."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from dapt.config import make_config
from dapt.errors import NotSupportedError
from dapt.model.classifier import Classifier
from dapt.prompts.cache import count_correct, grid, votes
from dapt.prompts.probe import fit_probe, logistic_regression, search_c
from dapt.prompts.prototypes import own_class_probability
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.load_run import load_run
from dapt.runs.train import run_training


def run(data: Path, spec: str, out: Path, method: str, **changes: object) -> dict:
    given = {"data": str(data), "model": spec, "method": method, "shots": 2, "out": str(out), "device": "cpu"}
    return run_training(make_config({**given, **changes}))


def test_votes_by_hand() -> None:
    affinity = torch.tensor([[1.0, 0.5, 0.0]])
    found = votes(affinity, torch.tensor([0, 1, 1]), 2.0, 3)
    assert found[0].tolist() == pytest.approx([1.0, math.exp(-1.0) + math.exp(-2.0), 0.0])


def test_the_search_counts_what_a_plain_loop_counts() -> None:
    generator = torch.Generator().manual_seed(0)
    zero_shot, affinity = torch.randn(40, 3, generator=generator), torch.rand(40, 6, generator=generator)
    key_labels, labels = torch.arange(6) % 3, torch.randint(0, 3, (40,), generator=generator)
    alphas, betas = grid(3.0, 20)[:4], grid(7.0, 200)[::60]
    found = count_correct(zero_shot, affinity, key_labels, labels, alphas, betas)
    values = F.one_hot(key_labels).float()
    for row, beta in enumerate(betas):
        for column, alpha in enumerate(alphas):
            logits = zero_shot + alpha * torch.exp(-(beta - beta * affinity)) @ values
            assert int(found[row, column]) == int((logits.argmax(dim=1) == labels).sum())


def test_the_grid_is_the_released_one() -> None:
    betas, alphas = grid(7.0, 200), grid(3.0, 20)
    assert (len(betas), len(alphas)) == (200, 20)
    assert betas[:2] == pytest.approx([0.1, 0.1 + 6.9 / 200])
    assert alphas[-1] == pytest.approx(0.1 + 19 * 2.9 / 20)


@pytest.mark.parametrize("peak", [-5.3, -0.4, 0.0, 2.7, 5.9])
def test_the_search_for_c_ends_near_a_single_peak(peak: float) -> None:
    asked: list[float] = []

    def score(c: float) -> float:
        asked.append(c)
        return -abs(math.log10(c) - peak)

    found = math.log10(search_c(score, 8))
    assert abs(found - peak) < 0.05
    assert [round(math.log10(c)) for c in asked[:7]] == [6, 4, 2, 0, -2, -4, -6]
    assert len(asked) == len(set(asked))


def test_equal_ends_keep_the_lower_one() -> None:
    assert search_c(lambda c: 1.0 if c >= 1e6 else 0.0, 1) == pytest.approx(1e7)
    assert search_c(lambda c: 0.0, 1) == pytest.approx(1e5)


def test_the_probe_is_the_minimum_of_its_objective() -> None:
    generator = torch.Generator().manual_seed(1)
    features, labels = torch.randn(60, 5, generator=generator).double(), torch.arange(60) % 3
    features[:, :3] += F.one_hot(labels).double()
    fit = fit_probe(logistic_regression(), features, labels, 4, 0.5, 1000)
    assert fit.converged
    assert torch.isinf(fit.bias[3])  # a class without images is never predicted
    weight, bias = (part[:3].clone().requires_grad_() for part in (fit.weight, fit.bias))
    loss = weight.square().sum() / 2 + 0.5 * F.cross_entropy(features @ weight.t() + bias, labels, reduction="sum")
    loss.backward()
    tolerance = 1e-4 * 0.5 * 60  # scikit-learn stops by the gradient of the mean
    assert float(weight.grad.abs().max()) < tolerance
    assert float(bias.grad.abs().max()) < tolerance


def test_two_classes_are_no_special_case() -> None:
    features, labels = torch.tensor([[0.0], [1.0], [3.0], [4.0]]).double(), torch.tensor([0, 0, 1, 1])
    fit = fit_probe(logistic_regression(), features, labels, 2, 100.0, 1000)
    assert fit.predict(features).tolist() == labels.tolist()


def test_without_scikit_learn_the_error_says_what_to_install(table, tiny_spec, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(NotSupportedError, match="scikit-learn") as error:
        run(table, tiny_spec, tmp_path / "run", "linear_probe")
    assert "dapt[probe]" in str(error.value)
    assert not (tmp_path / "run").exists()


def test_lambdas_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.2, 0.8, 1e-9], [0.6, 0.4, 1e-9], [0.5, 0.5, 1e-9]]))
    found = own_class_probability(logits, torch.tensor([0, 0, 1]))
    assert found.tolist() == pytest.approx([0.4, 0.5, 0.0], abs=1e-6)


def test_clap_starts_at_zero_shot_and_its_penalty_is_by_hand(table, tiny_spec, tmp_path) -> None:
    run(table, tiny_spec, tmp_path / "zero", "zero_shot")
    run(table, tiny_spec, tmp_path / "clap", "clap", epochs=2, lr=1e-9)
    zero, clap = (load_run(tmp_path / name, device="cpu")[0] for name in ("zero", "clap"))
    pixels = torch.randn(3, 3, 32, 32)
    assert torch.allclose(Classifier(zero)(pixels), Classifier(clap)(pixels), atol=1e-3)
    prompts = clap.prompts
    assert float(prompts.lambdas.min()) > 0
    with torch.no_grad():
        prompts.prototypes.copy_(prompts.zero_shot)
        prompts.prototypes[0, 0] += 2.0
    assert float(prompts.penalty().detach()) == pytest.approx(4.0 * float(prompts.lambdas[0]) / 4, rel=1e-4)


def test_clap_reports_its_term_and_the_plain_probe_has_none(table, tiny_spec, tmp_path) -> None:
    for method, terms in (("clap", {"L_cls", "L_clap"}), ("clap.plain", {"L_cls"})):
        out = tmp_path / method
        run(table, tiny_spec, out, method, epochs=2)
        line = json.loads((out / "metrics.jsonl").read_text().splitlines()[0])
        assert {name for name in line if name.startswith("L_")} == terms


@pytest.mark.parametrize("method", ["tip_adapter", "tip_adapter.tuned", "linear_probe", "clap"])
def test_whole_runs_repeat_and_refuse_other_classes(method: str, table, tiny_spec, tmp_path) -> None:
    epochs = {} if method in ("tip_adapter", "linear_probe") else {"epochs": 2}
    out = tmp_path / "run"
    results = run(table, tiny_spec, out, method, subset="base", **epochs)
    assert results["metrics"]["test/accuracy_novel"] is None
    assert "cannot name others" in (out / "log.txt").read_text()
    count = {"tip_adapter": 0, "tip_adapter.tuned": 4 * 32, "linear_probe": 2 * 33, "clap": 2 * 32}[method]
    assert results["counts"]["trainable_parameters"] == count
    again, _ = evaluate_saved(out, device="cpu")
    assert again["metrics"]["test/accuracy_base"] == results["metrics"]["test/accuracy_base"]
    model, _ = load_run(out, device="cpu")
    with pytest.raises(NotSupportedError, match="training classes"):
        model.set_classes(["unicorn"])


def test_the_cache_answers_with_the_class_of_an_image_it_holds(table, tiny_spec, tmp_path) -> None:
    prompt = {"views": 0, "search": False, "alpha": 1000.0, "beta": 50.0}
    run(table, tiny_spec, tmp_path / "run", "tip_adapter", prompt=prompt)
    model, _ = load_run(tmp_path / "run", device="cpu")
    keys, labels = model.prompts.keys.detach(), model.prompts.key_labels
    predicted = Classifier(model).logits(keys).argmax(dim=1)
    assert float((predicted == labels).float().mean()) >= 0.75  # some of the tiny model's features nearly coincide


def test_dapt_goes_with_trained_ones_and_is_refused_by_the_others(table, tiny_spec, tmp_path) -> None:
    for method in ("tip_adapter.tuned", "clap"):
        run(table, tiny_spec, tmp_path / method, method, epochs=2, dapt={"variant": "joint"}, cue="masks")
        line = json.loads((tmp_path / method / "metrics.jsonl").read_text().splitlines()[0])
        assert "L_f" in line
        assert "L_v" not in line
    with pytest.raises(NotSupportedError, match="no training steps"):
        run(table, tiny_spec, tmp_path / "tip", "tip_adapter", dapt=True)
