"""model.json has all that a program needs, and no path of this machine."""

from __future__ import annotations

import json

import pytest

from dapt.export.choices import Choices
from dapt.export.description import describe_export, shortened
from dapt.runs.load_run import load_run
from dapt.runs.run_folder import find_run


@pytest.mark.parametrize("preprocess", ["outside", "in-graph"])
def test_content(maple, preprocess: str) -> None:
    model, config = load_run(maple.run, device="cpu")
    choices = Choices("onnx", preprocess)
    found = describe_export(find_run(maple.run), config, model, choices, "model.onnx", {"more": 1})
    text = json.dumps(found)
    assert found["labels"] == ["red square", "blue disc", "green bar", "white ring"]
    assert found["thresholds"] is None
    assert found["temperature"] == 1.0
    assert found["logit_scale"] == pytest.approx(float(model.clip.logit_scale))
    pixels = found["preprocessing"]
    assert pixels["in_graph"] == (preprocess == "in-graph")
    assert (pixels["size"], pixels["crop"], pixels["interpolation"]) == ([32, 32], "center", "bicubic")
    assert pixels["mean"] == list(model.clip.preprocess.mean)
    assert found["input"]["type"] == ("uint8" if preprocess == "in-graph" else "float32")
    assert (found["run"]["method"], found["run"]["shots"], found["run"]["data"]) == ("maple", 2, "index.csv")
    assert found["run"]["backbone"]["fingerprint"] == model.clip.fingerprint()
    assert {"dapt", "torch"} <= set(found["versions"])
    assert found["more"] == 1
    assert str(maple.run.parent) not in text


def test_a_model_folder_has_no_graph_input(maple) -> None:
    model, config = load_run(maple.run, device="cpu")
    found = describe_export(find_run(maple.run), config, model, Choices("hf"), "model.safetensors", {})
    assert not {"input", "outputs"} & set(found)


def test_backbones_are_named_without_their_folders() -> None:
    assert shortened("local-dir:/home/me/models/clip") == "local-dir:clip"
    assert shortened("ViT-B-16:/home/me/w.pt") == "ViT-B-16:w.pt"
    assert shortened("hf-hub:owner/name") == "hf-hub:owner/name"
    assert shortened("ViT-B-16/openai") == "ViT-B-16/openai"
