"""Test and validation images are looked at once for all methods, seeds and settings, with the figures of each run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from dapt.config import make_config
from dapt.data.resolve import load_data
from dapt.evaluation.evaluate import MaskSource, encode_images
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.runs import kept_encodings as module
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.kept_encodings import kept_encodings
from dapt.runs.train import run_training
from dapt.training.feature_bank import FeatureBank
from helpers import run_with, tiny_clip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "bank"))
    return tmp_path / "bank"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The images of every pass through the image tower."""
    seen: list[int] = []
    kind = type(tiny_clip().image)
    encode = kind.encode

    def look(self: Any, pixels: torch.Tensor, *args: Any, **how: Any) -> torch.Tensor:
        seen.append(len(pixels))
        return encode(self, pixels, *args, **how)

    monkeypatch.setattr(kind, "encode", look)
    return seen


def encoded(method: str, table: Path, bank: Path | None, masks: MaskSource | None = None, **changes: Any):
    source = load_data(str(table))
    config = make_config({"data": "-", "method": method, "features": "on", **changes})
    model = build_model(config, tiny_clip(), source.names)
    keep = None if bank is None else kept_encodings(config, model, FeatureBank(bank, {}))
    return encode_images(Classifier(model), source.split("test"), batch_size=3, masks=masks, keep=keep)


@pytest.mark.parametrize("method", ["zero_shot", "coop", "prolip", "clip_adapter"])
def test_what_is_read_is_what_was_seen(method: str, table: Path, tmp_path: Path, passes: list[int]) -> None:
    bank, masks = tmp_path / "bank", MaskSource()
    plain = encoded(method, table, None, masks)
    assert plain.attention is not None
    first = encoded(method, table, bank, masks)
    assert len(passes) > 2
    passes.clear()
    again = encoded(method, table, bank, masks)
    assert not passes
    for found in (first, again):
        assert torch.equal(found.features, plain.features)
        assert found.attention == plain.attention


def test_methods_share_what_the_tower_makes(table: Path, tmp_path: Path, passes: list[int]) -> None:
    bank = tmp_path / "bank"
    encoded("zero_shot", table, bank)
    passes.clear()
    for method in ("coop", "kgcoop", "clip_adapter"):
        encoded(method, table, bank)
    assert not passes
    encoded("prolip", table, bank)
    assert passes, "it reads what is before the projection"
    passes.clear()
    encoded("zero_shot", table, bank, MaskSource())
    assert passes, "now it is asked where the tower looks"
    passes.clear()
    mask = next(csv.DictReader(table.open()))["mask"]
    for path in (table.parent / mask).parent.iterdir():
        path.write_bytes((table.parent / mask).read_bytes())
    encoded("zero_shot", table, bank, MaskSource())
    assert passes, "other masks"


def test_a_tower_with_prompts_keeps_nothing(table: Path, tmp_path: Path) -> None:
    for method in ("maple", "vpt"):
        config = make_config({"data": "-", "method": method, "prompt": {"depth": 2}})
        model = build_model(config, tiny_clip(), load_data(str(table)).names)
        assert kept_encodings(config, model, FeatureBank(tmp_path, {})) is None
        assert kept_encodings(config, model, None) is None


def test_images_that_do_not_fit_are_said_and_not_kept(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FULL_BYTES", 10**9)
    encoded("coop", table, tmp_path / "bank")
    assert "features of 8 evaluated images are not kept" in capsys.readouterr().err
    assert not (tmp_path / "bank").exists()


def test_a_run_has_the_figures_that_it_has_without(
    table: Path, tiny_spec: str, tmp_path: Path, place: Path, passes: list[int]
) -> None:
    def run(name: str, **changes: Any) -> Any:
        given = {"method": "coop", "model_selection": "best_val", "epochs": 2, "lr": 0.05, "shots": 2, **changes}
        given = run_with(table, tiny_spec, tmp_path / name, **given)
        del given["depth"]
        return run_training(make_config(given))

    plain = run("plain", method="zero_shot", model_selection="last", epochs=0)
    kept = run("kept", method="zero_shot", model_selection="last", epochs=0, features="on")
    assert kept["metrics"] == plain["metrics"]
    run("first", features="on")
    assert len([*place.rglob("*.safetensors")]) > 2
    passes.clear()
    run("second", features="on", lr=0.01)
    assert not passes, "training, validation and test images are all read"
    assert evaluate_saved(tmp_path / "second", device="cpu")[0].metrics is not None
    assert not passes, "and those of a later evaluation"
