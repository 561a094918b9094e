"""Real photographs and the small photo-trained CLIP: training helps, the figures are the known ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from helpers import PHOTO_CLIP, SHARED, needs_shared

BUTTERFLIES = SHARED / "data" / "leeds_butterfly"
MODEL = f"local-dir:{PHOTO_CLIP}"


@pytest.mark.long
@needs_shared
def test_zero_shot_figures_of_the_model_card(dapt, tmp_path: Path) -> None:
    """The model's README measured 10.5% and 10.1% with the plain template."""
    for data, expected in (("leeds_butterfly", 10.5), ("caltech101", 10.1)):
        out = tmp_path / data
        code, _, err = dapt(
            "train", SHARED / "data" / data, "--method", "zero_shot", "--model", MODEL, "--out", out, "-q"
        )
        assert code == 0, err
        metrics = json.loads((out / "results.json").read_text())["metrics"]
        assert metrics["test/accuracy"] == pytest.approx(expected, abs=0.15)
        assert (metrics["cue/foreground_attention"] is not None) == (data == "leeds_butterfly")


@needs_shared
@pytest.mark.long
def test_maple_with_and_without_dapt(dapt, tmp_path: Path) -> None:
    for extra in ([], ["--dapt", "--cue", "masks"]):
        out = tmp_path / f"run{len(extra)}"
        code, _, err = dapt(
            "train", BUTTERFLIES, "--model", MODEL, "--shots", 8, "--epochs", 4, "--seed", 1, "--out", out, *extra
        )
        assert code == 0, err
        metrics = json.loads((out / "results.json").read_text())["metrics"]
        assert metrics["test/accuracy"] > 15.0, "no better than the zero-shot 10.5%"
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        assert lines[-1]["L_cls"] < lines[0]["L_cls"]
        after_warm_up = {name for name in lines[1] if name in ("L_v", "L_f", "L_b")}
        assert after_warm_up == ({"L_v", "L_f", "L_b"} if extra else set())


@pytest.mark.long
@needs_shared
def test_unlabelled_photographs_get_masks(dapt, tmp_path: Path) -> None:
    code, _, err = dapt(
        "masks", SHARED / "data" / "ecssd", "--model", MODEL, "--classes", "dog,bird,car,flower,person",
        "--split", "test", "--out", tmp_path / "m", "--compare",
    )  # fmt: skip
    assert code == 0, err
    quality = json.loads((tmp_path / "m" / "masks.json").read_text())["against_own_masks"]
    assert quality["images"] > 200
    assert 0 < quality["iou"] < 100
    code, _, err = dapt("train", SHARED / "data" / "ecssd", "--model", MODEL, "--out", tmp_path / "r")
    assert code == 2
    assert "no labelled training images" in err


@pytest.mark.long
@needs_shared
@pytest.mark.slow
def test_full_size_model_from_openai_named_weights(dapt, tmp_path: Path) -> None:
    """ViT-B/16 at 224 px with random weights in OpenAI's naming, one epoch of MaPLe + DAPT."""
    import open_clip

    torch.manual_seed(0)
    weights = open_clip.create_model("ViT-B-16", load_weights=False).state_dict()
    extras = {"input_resolution": 224, "context_length": 77, "vocab_size": 49408}
    path = tmp_path / "ViT-B-16.pt"
    torch.save({**weights, **{name: torch.tensor(value) for name, value in extras.items()}}, path)
    table = tmp_path / "small.csv"
    rows = (BUTTERFLIES / "index.csv").read_text().splitlines()
    keep = [rows[0]] + [row for split in ("train", "val", "test") for row in _some(rows, split)]
    table.write_text("\n".join(keep) + "\n")
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for row in keep[1:]:
            name = row.split(",")[folder == "masks"]
            (tmp_path / name).write_bytes((BUTTERFLIES / name).read_bytes())
    out = tmp_path / "run"
    code, _, err = dapt(
        "train", table, "--model", f"ViT-B-16:{path}", "--dapt", "--cue", "masks", "--shots", 1, "--epochs", 1,
        "--device", "cpu", "--out", out,
    )  # fmt: skip
    assert code == 0, err
    assert "using QuickGELU" in err
    results = json.loads((out / "results.json").read_text())
    assert results["counts"]["trainable_parameters"] == 3_555_072


def _some(rows: list[str], split: str) -> list[str]:
    """One row per class of a split, 10 classes."""
    found: dict[str, str] = {}
    for row in rows[1:]:
        cells = row.split(",")
        if cells[4] == split:
            found.setdefault(cells[2], row)
    return list(found.values())
