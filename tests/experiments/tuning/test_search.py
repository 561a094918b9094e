"""A search: judged by validation images, test images never opened, going on as it would have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dapt.errors import ConfigError
from dapt.experiments.tuning.search import search
from dapt.experiments.tuning.space import Range, Space
from helpers import make_folder

pytest.importorskip("optuna")
SPACE: Space = {"lr": Range(1e-3, 1e-1, log=True)}


@pytest.fixture
def settings(tmp_path: Path, tiny_spec: str) -> dict[str, object]:
    for number, split in enumerate(("train", "val", "test")):
        make_folder(tmp_path / "data" / split, per_class=3, classes=2, first=100 * number)
        for mask in tmp_path.glob(f"data/{split}-masks"):
            mask.rename(tmp_path / f"{split}-masks")
    for picture in (tmp_path / "data" / "test").rglob("*.png"):
        picture.write_bytes(b"no picture")
    return {"data": str(tmp_path / "data"), "model": tiny_spec, "method": "coop", "epochs": 1, "shots": 2}


def test_a_search_with_broken_test_images_that_goes_on(settings, tmp_path: Path) -> None:
    whole = search(settings, SPACE, tmp_path / "whole", 3)
    search(settings, SPACE, tmp_path / "parts", 1)
    parts = search(settings, SPACE, tmp_path / "parts", 3)
    assert parts == whole == json.loads((tmp_path / "whole" / "study.json").read_text())
    assert all(trial["error"] is None and 0 <= trial["accuracy"] <= 100 for trial in whole["trials"])
    results = json.loads((tmp_path / "whole" / "trial-0000" / "results.json").read_text())
    assert results["counts"]["test"] == 0
    assert not [name for name in results["metrics"] if name.startswith("test/")]
    best = yaml.safe_load((tmp_path / "whole" / "best.yaml").read_text())
    top = max(whole["trials"], key=lambda trial: trial["accuracy"])
    assert best == {**settings, "lr": top["values"]["lr"]}
    with pytest.raises(ConfigError, match="other settings"):
        search({**settings, "shots": 1}, SPACE, tmp_path / "whole", 3)


def test_what_cannot_be_searched(settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="best_test"):
        search({**settings, "model_selection": "best_test"}, SPACE, tmp_path / "m", 1)
    with pytest.raises(ConfigError, match="trains nothing"):
        search({**settings, "method": "zero_shot"}, SPACE, tmp_path / "m", 1)
