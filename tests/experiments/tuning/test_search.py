"""A search: judged by validation images, test images never opened, going on as it would have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dapt.errors import ConfigError, DataError
from dapt.experiments.tuning.search import Effort, search
from dapt.experiments.tuning.study import DONE, FAILED, RUNNING, Study
from dapt.methods.search import Choice, Range, Space
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


def content(study: Study) -> dict[str, object]:
    return json.loads(study.file.read_text())


def test_a_search_with_broken_test_images_that_goes_on(settings, tmp_path: Path) -> None:
    whole = search(settings, SPACE, tmp_path / "whole", Effort(3))
    search(settings, SPACE, tmp_path / "parts", Effort(1))
    parts = search(settings, SPACE, tmp_path / "parts", Effort(3))
    assert content(parts) == content(whole)
    assert [trial.state for trial in whole.trials] == [DONE] * 3
    assert all(0 <= trial.accuracy <= 100 for trial in whole.trials)
    assert whole.trials[0].values == {"lr": 0.002}, "the settings as they are come first"
    results = json.loads((tmp_path / "whole" / "trial-0001" / "results.json").read_text())
    assert results["counts"]["test"] == 0
    assert not [name for name in results["metrics"] if name.startswith("test/")]
    best = yaml.safe_load((tmp_path / "whole" / "best.yaml").read_text())
    assert best == {**settings, "lr": whole.ranked()[0].values["lr"]}
    with pytest.raises(ConfigError, match="other settings"):
        search({**settings, "shots": 1}, SPACE, tmp_path / "whole", Effort(3))


def test_interrupted_and_failed_trials_are_carried_out_again(settings, tmp_path: Path) -> None:
    study = search(settings, SPACE, tmp_path / "s", Effort(2))
    before = content(study)
    study.trials[0].state, study.trials[0].accuracy = RUNNING, None
    study.trials[1].state, study.trials[1].accuracy, study.trials[1].error = FAILED, None, "memory ran out"
    study.write()
    assert content(search(settings, SPACE, tmp_path / "s", Effort(2))) == before


@pytest.mark.long
def test_a_failed_trial_is_recorded_and_the_others_go_on(settings, tmp_path: Path, capsys) -> None:
    space: Space = {"prompt.n_ctx": Choice((16, 4000))}
    study = search({**settings, "prompt": {"n_ctx": 2}}, {**space, **SPACE}, tmp_path / "s", Effort(6))
    failed = [trial for trial in study.trials if trial.values["prompt.n_ctx"] == 4000]
    assert failed
    assert all(trial.state == FAILED and trial.error for trial in failed)
    assert study.ranked()
    assert "failed: " in capsys.readouterr().err


def test_time_is_over(settings, tmp_path: Path, capsys) -> None:
    search(settings, SPACE, tmp_path / "s", Effort(1))
    study = search(settings, SPACE, tmp_path / "s", Effort(5, seconds=0.0))
    assert len(study.trials) == 1
    assert "4 of 5 trials were not carried out" in capsys.readouterr().err


def test_without_validation_images(settings, tmp_path: Path, capsys) -> None:
    (tmp_path / "data" / "val").rename(tmp_path / "elsewhere")
    search(settings, SPACE, tmp_path / "s", Effort(1))
    assert "judged by 2 training images that are not trained on" in " ".join(capsys.readouterr().err.split())
    split = json.loads((tmp_path / "s" / "trial-0001" / "split.json").read_text())
    assert len(split["train"]) == 4
    assert len(split["val"]) == 2
    assert not {str(item) for item in split["train"]} & {str(item) for item in split["val"]}
    with pytest.raises(DataError, match="never looks at test images"):
        search({**settings, "shots": 3}, SPACE, tmp_path / "all", Effort(3))


def test_what_cannot_be_searched(settings, tmp_path: Path) -> None:
    for wrong, says in (
        ({"model_selection": "best_test"}, "best_test"),
        ({"method": "zero_shot"}, "trains nothing"),
        ({"devices": 2}, "one device"),
    ):
        with pytest.raises(ConfigError, match=says):
            search({**settings, **wrong}, SPACE, tmp_path / "m", Effort(1))
    assert not (tmp_path / "m").exists()
