"""Calibration and the generalised setting: by hand, and against plain computations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dapt.config import make_config
from dapt.data.labelled import class_labels, select_classes
from dapt.data.load.loader import EvalImages, eval_loader
from dapt.data.load.transforms import eval_transform
from dapt.data.resolve import load_data
from dapt.evaluation import halves
from dapt.evaluation.evaluate import MaskSource, classify_images, encode_images, evaluate
from dapt.evaluation.halves import evaluate_halves
from dapt.evaluation.metrics import calibration_error, harmonic_mean
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.train import run_training
from helpers import make_folder, tiny_clip


def test_calibration_error_by_hand() -> None:
    confidence = torch.tensor([0.95, 0.97, 0.50, 0.52])
    correct = torch.tensor([True, False, True, True])
    # two bins: |1/2 - 0.96| and |1 - 0.51|, each with half of the images
    assert calibration_error(confidence, correct) == pytest.approx(100 * (0.46 + 0.49) / 2, abs=1e-5)
    assert calibration_error(torch.tensor([1.0, 1.0]), torch.tensor([True, True])) == 0.0
    assert calibration_error(torch.tensor([1.0, 1.0]), torch.tensor([False, False])) == 100.0
    assert calibration_error(torch.empty(0), torch.empty(0)) is None


def test_bins_are_open_below_and_closed_above() -> None:
    edge = 3 / 15
    together = torch.tensor([edge - 0.01, edge], dtype=torch.float64)
    apart = torch.tensor([edge, edge + 0.01], dtype=torch.float64)
    correct = torch.tensor([True, False])
    assert calibration_error(together, correct) == pytest.approx(100 * abs(1 - 2 * edge + 0.01) / 2)
    assert calibration_error(apart, correct) == pytest.approx(100 * ((1 - edge) + (edge + 0.01)) / 2)


@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.booleans()), min_size=1, max_size=60))
def test_calibration_error_against_the_plain_sum(pairs: list[tuple[float, bool]]) -> None:
    confidence = torch.tensor([pair[0] for pair in pairs], dtype=torch.float64)
    correct = torch.tensor([pair[1] for pair in pairs])
    expected = 0.0
    for number in range(15):
        inside = [(c, right) for c, right in zip(confidence.tolist(), correct.tolist(), strict=True)]
        inside = [(c, right) for c, right in inside if number / 15 < c <= (number + 1) / 15]
        if inside:
            accuracy = sum(right for _, right in inside) / len(inside)
            expected += len(inside) / len(pairs) * abs(accuracy - sum(c for c, _ in inside) / len(inside))
    assert calibration_error(confidence, correct) == pytest.approx(100 * expected, abs=1e-6)


@pytest.fixture
def data(tmp_path: Path):
    return load_data(str(make_folder(tmp_path / "photos", per_class=10)))


def model_of(method: str, names: tuple[str, ...]):
    prompt = {"depth": 3} if method == "maple" else {}
    model = build_model(make_config({"data": "-", "method": method, "prompt": prompt}), tiny_clip(), names)
    with torch.no_grad():  # prompts at their start hardly say anything
        for parameter in model.prompts.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)) * 0.3)
    return model


@torch.no_grad()
def plainly(model, names, items) -> torch.Tensor:
    """Logits of the items among `names`, image by image in batches of three."""
    model.set_classes(names)
    classify = Classifier(model)
    transform = eval_transform(model.clip.image.image_size, model.clip.preprocess)
    loader = eval_loader(EvalImages(items, transform), batch_size=3, workers=0)
    return torch.cat([classify(pixels) for pixels, _ in loader])


@pytest.mark.parametrize("method", ["maple", "cocoop"])
def test_figures_of_both_halves_and_of_all_classes_together(data, method: str, monkeypatch) -> None:
    model = model_of(method, data.names[:2])
    items = data.labelled("test")
    main, novel = (select_classes(data, items, class_labels(data, part)) for part in ("base", "novel"))
    config = make_config({"data": "-", "method": method, "eval_batch_size": 3})
    encoded = []
    original = halves.encode_images
    monkeypatch.setattr(halves, "encode_images", lambda *a, **k: encoded.append(len(a[1])) or original(*a, **k))
    metrics, breakdown = evaluate_halves(model, config, main, novel, role="base", masks=MaskSource())
    assert encoded == [len(main.items), len(novel.items)], "every image goes through the tower once"

    def share(logits: torch.Tensor, labels: tuple[int, ...]) -> float:
        return 100 * float((logits.argmax(dim=1) == torch.tensor(labels)).double().mean())

    base_logits = plainly(model, main.names, main.items)
    base = share(base_logits, main.labels)
    other = share(plainly(model, novel.names, novel.items), novel.labels)
    assert metrics["test/accuracy"] == metrics["test/accuracy_base"] == base
    assert metrics["test/accuracy_novel"] == other
    together = [plainly(model, main.names + novel.names, part.items) for part in (main, novel)]
    first, second = share(together[0], main.labels), share(together[1], tuple(2 + label for label in novel.labels))
    assert metrics["test/generalised_base"] == first <= base
    assert metrics["test/generalised_novel"] == second <= other
    assert metrics["test/generalised_harmonic_mean"] == harmonic_mean(first, second)
    count, more = len(main.items), len(novel.items)
    assert metrics["test/accuracy_generalised"] == pytest.approx((count * first + more * second) / (count + more))
    top = base_logits.softmax(dim=1).max(dim=1)
    expected = calibration_error(top.values, top.indices == torch.tensor(main.labels))
    assert metrics["test/calibration_error"] == pytest.approx(expected)
    assert metrics["test/mean_average_precision"] is None
    assert set(breakdown["per_class"]) == set(data.names)
    for part in (main, novel):
        for label, name in enumerate(part.names):
            row = breakdown["confusion"][name]
            assert sum(row.values()) == part.labels.count(label)
            assert set(row) <= set(part.names), "answered among the classes of its half"
            assert 100 * row.get(name, 0) / sum(row.values()) == pytest.approx(breakdown["per_class"][name])
    assert sum(row["images"] for row in breakdown["calibration"]) == len(main.items)


def test_all_classes_at_once_give_the_same_generalised_figures(data) -> None:
    model = model_of("maple", data.names[:2])
    items = data.labelled("test")
    parts = {name: select_classes(data, items, class_labels(data, name)) for name in ("all", "base", "novel")}
    config = make_config({"data": "-", "method": "maple"})
    halved, _ = evaluate_halves(model, config, parts["base"], parts["novel"], role="base", masks=MaskSource())
    whole, _ = evaluate_halves(model, config, parts["all"], None, role="all", masks=MaskSource(), base_classes=2)
    names = [name for name in whole if "generalised" in name]
    assert len(names) == 4
    assert {name: whole[name] for name in names} == {name: halved[name] for name in names}
    assert whole["test/accuracy"] == whole["test/accuracy_generalised"]
    plain, _ = evaluate_halves(model, config, parts["all"], None, role="all", masks=MaskSource())
    assert all(plain[name] is None for name in names)


def test_classifying_encoded_images_is_classifying_images(data) -> None:
    model = model_of("maple", data.names)
    items = data.labelled("test")
    labels = [item.label for item in items]
    found = evaluate(model, items, labels, batch_size=3)
    logits = plainly(model, data.names, items)
    top = logits.softmax(dim=1).max(dim=1)
    assert torch.equal(found.confidence, top.values)
    assert torch.equal(found.predicted, top.indices)
    classify: Classifier = Classifier(model)
    encoded = encode_images(classify, items, batch_size=3)
    assert encoded.features.shape == (len(items), 32)
    again = classify_images(classify, encoded, labels, batch_size=3)
    assert torch.equal(again.confidence, found.confidence)


def test_no_images(data) -> None:
    for method in ("maple", "cocoop"):
        model = model_of(method, data.names)
        assert all(value is None for value in evaluate(model, [], []).metrics().values())


def test_base_runs_report_the_generalised_figures_and_eval_repeats_them(
    photos: Path, tiny_spec: str, tmp_path: Path
) -> None:
    given = {"data": str(photos), "model": tiny_spec, "method": "coop", "n_ctx": 2, "subset": "base"}
    given = {**given, "shots": 2, "epochs": 1, "device": "cpu", "out": str(tmp_path / "run")}
    metrics = run_training(make_config(given))["metrics"]
    names = [name for name in metrics if "generalised" in name]
    assert len(names) == 4
    assert all(0 <= metrics[name] <= 100 for name in names)
    assert 0 <= metrics["test/calibration_error"] <= 100
    again, _ = evaluate_saved(tmp_path / "run", device="cpu")
    assert again["metrics"] == metrics
    whole, _ = evaluate_saved(tmp_path / "run", classes="all", device="cpu")
    assert {name: whole["metrics"][name] for name in names} == {name: metrics[name] for name in names}
    half, _ = evaluate_saved(tmp_path / "run", classes="novel", device="cpu")
    other, _ = evaluate_saved(tmp_path / "run", data=str(photos), classes="all", device="cpu")
    for found in (half, other):
        assert all(found["metrics"][name] is None for name in names)
        assert found["metrics"]["test/calibration_error"] is not None


def test_fixed_classes_have_no_generalised_figures(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    given = {"data": str(photos), "model": tiny_spec, "method": "coop.csc", "n_ctx": 2, "subset": "base"}
    given = {**given, "shots": 2, "epochs": 1, "device": "cpu", "out": str(tmp_path / "run")}
    metrics = run_training(make_config(given))["metrics"]
    assert metrics["test/calibration_error"] is not None
    assert all(metrics[name] is None for name in metrics if "generalised" in name)
