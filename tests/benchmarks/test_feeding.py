"""An evaluation beside its two parts, on photographs as small as they may be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from benchmarks import draft, feeding
from benchmarks.report import markdown
from dapt.data.load import draft as setting
from dapt.evaluation.evaluate import Evaluation
from helpers import make_csv, tiny_clip


def test_photographs_have_the_size_that_is_said(tmp_path: Path) -> None:
    items = feeding.draw_photos(tmp_path, 96, 64, 3)
    assert len({item.path for item in items}) == 3
    for item in items:
        with Image.open(item.path) as opened:
            assert (opened.size, opened.format) == ((96, 64), "JPEG")


def test_every_way_is_timed_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "PHOTOS", {"96 x 64": (96, 64, 3)})
    monkeypatch.setattr(feeding, "make_clip", lambda device: tiny_clip())
    monkeypatch.setattr(feeding, "load_clip", lambda spec, device: tiny_clip())
    rows = feeding.measure_feeding("cpu", 1, lambda text: None)
    assert [(row["model"], row["draft"]) for row in rows] == [
        (model, on) for model in ("ViT-B/16", "demo") for on in (False, True)
    ]
    assert all(row[ratio] > 0 for row in rows for ratio in ("to_slower", "to_both", "work"))
    assert not setting.drafting()
    told = markdown({"machine": {"sentences": ["somewhere"]}, "feeding": rows})
    assert "## Evaluation from JPEG files" in told
    assert "| demo | 96 x 64 | on |" in told


def test_both_ways_of_decoding_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "load_clip", lambda spec: tiny_clip())
    assert draft.main([str(make_csv(tmp_path)), "--times", "3", "--images", "4"]) == 0
    assert "4 images: accuracy" in capsys.readouterr().out
    assert not setting.drafting()


def test_agreement_by_hand() -> None:
    def found(predicted: list[int], confidence: list[float]) -> Evaluation:
        chosen = torch.tensor(predicted), torch.tensor([0, 1, 1, 0]), torch.tensor(confidence)
        return Evaluation(*chosen, ("a", "b"), (None,) * 4, None)

    told = draft.compared(found([0, 1, 1, 1], [0.5] * 4), found([0, 1, 0, 1], [0.5, 0.5, 0.7, 0.5]))
    assert told == (
        "4 images: accuracy 75.0 whole, 50.0 reduced; 75.0% of the predictions agree, confidences are 5.00 points "
        "apart on average"
    )
