"""What results.json owns up to, and what happens when the numbers go wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dapt.config import make_config
from dapt.errors import ConfigError, DaptError, NotSupportedError
from dapt.model.classifier import Classifier
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.finish import training_flags
from dapt.runs.train import run_training
from helpers import run_with


def test_the_title_tells_what_was_changed_of_a_variant(table: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    results = run_training(make_config(run_with(table, tiny_spec, out, dapt={"fill": "mean"}, cue="masks", epochs=1)))
    assert results.title == results.called == "maple + DAPT (swap, fill=mean)"
    assert "maple + DAPT (swap, fill=mean) on local-dir:" in (out / "log.txt").read_text()
    assert evaluate_saved(out, device="cpu")[0].title == results.title


@pytest.mark.long
def test_selection_is_named(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    for selection in ("last", "best_val", "best_test"):
        config = make_config(run_with(table, tiny_spec, tmp_path / selection, model_selection=selection))
        assert run_training(config)["model_selection"] == selection
    config = make_config(run_with(table, tiny_spec, tmp_path / "average", method="promptsrc"))
    results = run_training(config)
    assert results["model_selection"] == "average"
    assert results["transductive"] is False
    assert results["flags"] == []


def test_best_test_chooses_by_the_test_images(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    results = run_training(make_config(run_with(table, tiny_spec, out, model_selection="best_test", epochs=3, lr=0.05)))
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    best = max(line["val/accuracy"] for line in lines)
    assert results["metrics"]["test/accuracy"] == pytest.approx(best)


def test_a_loss_that_is_not_finite_names_step_and_term(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch
) -> None:
    import dapt.objectives.classification as module

    original = module.Classification.terms
    calls = []

    def broken(self, outputs, batch, epoch, epochs):
        terms = original(self, outputs, batch, epoch, epochs)
        calls.append(epoch)
        if epoch == 1 and calls.count(1) == 2:
            terms["L_cls"] = module.Term(terms["L_cls"].value * float("nan"), 1.0)
        return terms

    monkeypatch.setattr(module.Classification, "terms", broken)
    out = tmp_path / "run"
    with pytest.raises(DaptError, match=r"epoch 2, step 2 \(L_cls\).*after epoch 1 is kept in last\.ckpt"):
        run_training(make_config(run_with(table, tiny_spec, out, shots=4)))
    state = torch.load(out / "last.ckpt", weights_only=True)
    assert state["epoch"] == 1
    assert all(torch.isfinite(value).all() for value in state["prompts"].values())
    assert not (out / "results.json").exists()


def test_flags() -> None:
    def lines(*accuracies: float) -> list[dict]:
        return [{"train/accuracy": value} for value in accuracies]

    assert training_flags(lines(40, 60, 80), 10) == []
    assert training_flags(lines(60, 70, 12), 10) == ["collapsed", "at_chance"]
    assert training_flags(lines(60, 70, 30), 10) == ["collapsed"]
    assert training_flags(lines(8, 9, 10), 10) == ["at_chance"]
    assert training_flags([], 10) == []


def test_transductive_is_for_methods_without_labels() -> None:
    with pytest.raises(ConfigError, match="learns from labels"):
        make_config({"data": "-", "method": "maple", "transductive": True})


def test_the_released_code_has_more_columns_and_says_the_same_twice(
    table: Path, tiny_spec: str, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    config = make_config(run_with(table, tiny_spec, out, dapt={"released": True}, cue="masks"))
    results = run_training(config)
    again, _ = evaluate_saved(out, device="cpu")
    assert again["metrics"]["test/accuracy"] == results["metrics"]["test/accuracy"]
    from dapt.runs.load_run import load_run

    model, _ = load_run(out, device="cpu")
    assert Classifier(model)(torch.zeros(1, 3, 32, 32)).shape == (1, 4 + 7)


@pytest.mark.parametrize("method", ["promptsrc", "kgcoop", "prograd", "coop.csc", "clap"])
def test_the_released_columns_are_refused_where_they_do_not_fit(method: str, table, tiny_spec, tmp_path) -> None:
    given = run_with(table, tiny_spec, tmp_path / "run", method=method, dapt={"released": True}, cue="masks")
    del given["depth"]
    with pytest.raises(NotSupportedError, match="no place for"):
        run_training(make_config(given))
    assert not (tmp_path / "run").exists()


def test_predictions_name_classes_only(table, tiny_spec, tmp_path) -> None:
    from dapt.runs.load_run import load_run
    from dapt.runs.predict import predict_images

    run_training(make_config(run_with(table, tiny_spec, tmp_path / "run", dapt={"released": True}, cue="masks")))
    model, _ = load_run(tmp_path / "run", device="cpu")
    model.set_classes(["red square"])
    found = predict_images(model, sorted((table.parent / "images").glob("*.png"))[:4])
    assert {prediction.classes for prediction in found} == {("red square",)}


def test_parameters_that_are_not_finite_are_not_kept(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """A step that blows up is noticed before its epoch is kept, even if no further loss is computed."""
    out = tmp_path / "run"
    given = run_with(table, tiny_spec, out, epochs=1, batch_size=8, lr=1e38, warmup_epochs=0)
    with pytest.raises(DaptError, match="not finite"):
        run_training(make_config(given))
    assert not (out / "last.ckpt").exists()
    assert not (out / "results.json").exists()


def test_clear_errors_of_options() -> None:
    def refused(match: str, **given: object) -> None:
        with pytest.raises(ConfigError, match=match):
            make_config({"data": "-", **given})

    refused("no words", method="coop", prompt={"ctx_init": "   "})
    refused("ctx_init=null", method="kgcoop", n_ctx=8)
    refused(r"prompt\.templates", method="zero_shot", prompt={"templates": [["a {}"]]})
    refused("32 words", dapt={"word_count": 99})
