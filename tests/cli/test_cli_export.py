"""`dapt export`: what its arguments become."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.export.choices import Choices
from dapt.export.export_run import Exported

DONE = Exported(Path("out"), {"format": "onnx", "file": "model.onnx", "labels": ["a", "b"]}, None, None, 1.25, 2.5)


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.export.export_run.export_run", DONE)
    code, printed, err = dapt(
        *("export", "r", "--to", "onnx", "--out", "out", "--precision", "int8", "--calibrate", "some"),
        *("--preprocess", "in-graph", "--check", "others", "--tolerance", "0.05", "--overwrite", "--model", "demo"),
    )
    assert code == 0, err
    choices = Choices("onnx", "in-graph", "int8", Path("some"), Path("others"), 0.05)
    assert calls == [((Path("r"), Path("out"), choices), {"model_spec": "demo", "overwrite": True})]
    assert printed.splitlines() == [
        "onnx in out: model.onnx, 2 classes",
        "size: 1.2 MB (the backbone and the prompts: 2.5 MB)",
        "not checked: pass --check PHOTOS to compare it with the run",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["r", "--to", "onxx", "--out", "o"], "Did you mean 'onnx'?"),
        (["r", "--to", "onnx", "--out", "o", "--precision", "int8"], "--calibrate FOLDER"),
        (["r", "--to", "onnx"], "Missing option '--out'"),
        (["r", "--out", "o"], "Missing option '--to'"),
        (["/nowhere", "--to", "torch-export", "--out", "o"], "There is no run /nowhere"),
    ],
)
def test_mistakes(dapt, arguments: list[str], message: str) -> None:
    code, out, err = dapt("export", *arguments)
    assert (code, out) == (2, "")
    assert message in err
