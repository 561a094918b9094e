"""The tool that trains the network of the tests of `salient`."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import REPOSITORY

pytestmark = pytest.mark.long


def test_a_trained_network_is_written_as_the_map_it_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    tool = importlib.import_module("train_tiny_segmenter")
    made: list[torch.nn.Module] = []
    train = tool.train
    monkeypatch.setattr(tool, "train", lambda *given: made.append(train(*given)) or made[-1])
    out = tmp_path / "tiny.onnx"
    monkeypatch.setattr("sys.argv", ["tool", "--out", str(out), "--scenes", "64", "--epochs", "2", "--device", "cpu"])
    tool.main()
    assert "IoU on 200 new scenes: " in capsys.readouterr().err
    photos = torch.rand(1, 3, tool.SIZE, tool.SIZE)
    session = runtime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    (found,) = session.run(["foreground"], {"photo": photos.numpy()})
    with torch.no_grad():
        expected = made[0](photos).sigmoid().numpy()
    assert np.allclose(found, expected, atol=1e-4)
    monkeypatch.setattr("sys.argv", ["tool", "--out", str(out), "--scenes", "31"])
    with pytest.raises(SystemExit):
        tool.main()
    assert "at least 32 scenes" in capsys.readouterr().err
