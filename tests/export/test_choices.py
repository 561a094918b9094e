"""What is asked of an export: what belongs together, and what is refused before anything is loaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from dapt.errors import ConfigError, NotSupportedError
from dapt.export import choices
from dapt.export.choices import Choices, need_packages

PHOTOS = Path("photos")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"to": "onx"}, "There is no 'onx'. (--to)\nDid you mean 'onnx'?"),
        ({"to": "onnx", "preprocess": "inside"}, "There is no 'inside'. (--preprocess)"),
        ({"to": "onnx", "precision": "8"}, "There is no '8'. (--precision)"),
        ({"to": "hf", "precision": "16"}, "--precision 16 belongs to formats that are one graph"),
        ({"to": "openclip", "preprocess": "in-graph"}, "--preprocess in-graph belongs to formats"),
        ({"to": "torch-export", "precision": "int8", "calibrate": PHOTOS}, "int8 is made by onnxruntime"),
        ({"to": "onnx", "precision": "int8"}, "Name some dozens with --calibrate FOLDER"),
        ({"to": "onnx", "calibrate": PHOTOS}, "Only int8 is calibrated. (--calibrate)"),
        ({"to": "onnx", "tolerance": 0.1}, "Nothing is checked. (--tolerance)\nAdd --check PHOTOS."),
    ],
)
def test_mistakes(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Choices(**given)  # type: ignore[arg-type]
    assert message in caught.value.message


def test_the_tolerance_follows_what_is_rounded() -> None:
    asked = [
        Choices("onnx"),
        Choices("onnx", "in-graph"),
        Choices("onnx", precision="16"),
        Choices("onnx", precision="int8", calibrate=PHOTOS),
    ]
    found = [each.allowed for each in asked]
    assert found == sorted(found)
    assert found[0] == Choices("hf").allowed == choices.EXACT
    assert Choices("onnx", check=PHOTOS, tolerance=0.5).allowed == 0.5


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name))
    with pytest.raises(NotSupportedError, match=r"needs onnxscript, which is not installed.\n.*dapt\[export\]"):
        need_packages("onnx")
    need_packages("torch-export")
