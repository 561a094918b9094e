"""A model folder of another library with the classes beside it answers as the run does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from dapt.data.load.preprocess import bytes_of
from dapt.export.clip_export import open_clip_export, write_clip_export
from dapt.runs.load_run import load_run


@pytest.mark.parametrize("to", ["openclip", "hf"])
def test_answers(lora, tmp_path: Path, to: str) -> None:
    if to == "hf":
        pytest.importorskip("transformers")
    model = load_run(lora.run, device="cpu")[0].still()
    file, uses = write_clip_export(tmp_path, model, to)
    assert (tmp_path / file).is_file()
    classes = load_file(str(tmp_path / uses["classes"]["file"]))
    assert {name: tuple(value.shape) for name, value in classes.items()} == {"weight": (4, 32), "offset": (4,)}
    assert uses["classes"]["texts"][0] == ["a photo of a red square."]
    assert uses["classes"]["unit_features"] is True
    asked, by_itself = open_clip_export(tmp_path, model, to)
    for path in sorted(lora.photos.iterdir())[:3]:
        picture = bytes_of(path).permute(1, 2, 0).numpy()
        expected = model(model.preprocess(picture)[None]).softmax(1)[0].detach().numpy()
        assert np.abs(asked(picture) - expected).max() < 1e-5
        assert np.abs(by_itself(picture) - expected).max() < 0.5
        assert by_itself(picture).sum() == pytest.approx(1, abs=1e-5)
