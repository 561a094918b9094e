"""Runs of a group look at the same images once, and choose and learn what each would have alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dapt.config import RunConfig, make_config
from dapt.data.load.image_cache import ImageCache
from dapt.experiments.run_all import run_all
from dapt.files import read_json
from dapt.runs import selecting
from dapt.runs.candidate_cache import MOST, CandidateCache
from dapt.runs.run_data import RunData, load_run_data
from dapt.runs.train import run_training


@pytest.mark.long
def test_a_group_looks_once_and_equals_runs_alone(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = {"data": str(table), "model": tiny_spec, "epochs": 1, "batch_size": 4, "shots": 0, "n_ctx": 2, "depth": 2}
    forgetting = {"select": "forgetting", "selection": {"epochs": 2}}
    changes = {
        "grand": {"select": "grand", "fraction": 0.5},
        "cal": {"select": "cal", "fraction": 0.25},
        "forgetting": {**forgetting, "fraction": 0.5},
        "forgetting-dapt": {**forgetting, "fraction": 0.5, "dapt": True, "cue": "random"},
        "other-seed": {**forgetting, "fraction": 0.5, "seed": 2},
        "grand-again": {"select": "grand", "fraction": 0.75},
    }

    def group(out: Path) -> dict[str, RunConfig]:
        return {name: make_config({**common, **part, "out": str(out / name)}) for name, part in changes.items()}

    looked: list[str] = []
    look = selecting.see_candidates

    def counted(config: RunConfig, *rest: object) -> object:
        looked.append(Path(config.out or "").name)
        return look(config, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(selecting, "see_candidates", counted)
    run_all(group(tmp_path / "group"), jobs=1, label="training")
    assert looked == ["grand", "forgetting", "other-seed"]
    for name, config in group(tmp_path / "alone").items():
        run_training(config)
        ours, alone = (tmp_path / place / name for place in ("group", "alone"))
        assert read_json(ours / "split.json") == read_json(alone / "split.json")
        tensors, expected = load_file(ours / "prompts.safetensors"), load_file(alone / "prompts.safetensors")
        assert set(tensors) == set(expected)
        assert all(torch.equal(tensors[key], expected[key]) for key in expected)


def test_other_images_are_looked_at_and_few_sets_are_kept(table: Path, tiny_spec: str) -> None:
    def data(**changes: object) -> tuple[RunConfig, RunData]:
        config = make_config({"data": str(table), "model": tiny_spec, "shots": 0, **changes})
        return config, load_run_data(config, ImageCache(0))

    seen, made = CandidateCache(), []

    def look(number: int, **changes: object) -> object:
        return seen.get(*data(**changes), (False, 0), lambda: made.append(number) or number)  # type: ignore

    assert [look(1), look(2), look(3, fraction=0.5, select="cal"), look(4, shots=1)] == [1, 1, 1, 4]
    assert [look(5, seed=2), look(6, subset="base"), look(7, dapt=True)] == [5, 6, 7]
    assert made == [1, 4, 5, 6, 7]
    assert MOST == 3
    assert [look(8, seed=2), look(9)] == [5, 7]  # the seventh looked anew, its first look was gone; it equals plain
