"""Prompt checkpoints of Dassl are known by what is in them, wherever they are given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.clip.dassl import dassl_checkpoint, is_dassl
from dapt.clip.load import load_clip
from dapt.clip.weight_files import read_weights
from dapt.errors import ConfigError, ModelError
from dapt.model.pretrained import open_pretrained
from dapt.runs.run_folder import find_run

COOP = {"ctx": torch.zeros(4, 8), "token_prefix": torch.zeros(3, 1, 8), "token_suffix": torch.zeros(3, 6, 8)}
MAPLE = {"prompt_learner.ctx": torch.zeros(2, 8), "prompt_learner.proj.weight": torch.zeros(8, 8)}


def write(path: Path, state: dict[str, torch.Tensor], **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": state, "epoch": 50, "optimizer": None, "scheduler": None, **more}, path)
    return path


def schedule() -> dict[str, object]:
    """The state of Dassl's warm-up, which holds the schedule that follows it as an object."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    return {"successor": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)}


def test_names_of_prompt_learners() -> None:
    assert is_dassl(COOP)
    assert is_dassl(MAPLE)
    assert not is_dassl(["ctx", "visual.proj", "token_embedding.weight"])


@pytest.mark.parametrize("state", [COOP, MAPLE])
@pytest.mark.parametrize("more", [{}, {"scheduler": schedule()}])
@pytest.mark.parametrize("folder", ["prompt_learner", "MultiModalPromptLearner", "."])
def test_given_as_a_run_as_a_model_or_as_weights(tmp_path: Path, state, more, folder: str) -> None:
    out = tmp_path / "seed1"
    path = write(out / folder / "model.pth.tar-50", state, **more)
    for given in (path, path.parent, out):
        assert dassl_checkpoint(given) == path
        for opened in (find_run, open_pretrained):
            with pytest.raises(ConfigError, match=r"checkpoint of Dassl[\s\S]*not a run[\s\S]*does not read these"):
                opened(given)
    with pytest.raises(ModelError, match=r"prompt checkpoint of Dassl[\s\S]*not CLIP weights"):
        read_weights(path)
    with pytest.raises(ModelError, match=r"prompt checkpoint of Dassl[\s\S]*not a model"):
        load_clip(f"local-dir:{out}")


def test_other_files_and_folders_are_none(tmp_path: Path) -> None:
    write(tmp_path / "model.pth.tar-1", {"visual.proj": torch.zeros(2)})
    (tmp_path / "model-best.pth.tar").write_bytes(b"no pickle")
    for path in (tmp_path, tmp_path / "model.pth.tar-1", tmp_path / "model-best.pth.tar", tmp_path / "none"):
        assert dassl_checkpoint(path) is None
    with pytest.raises(ConfigError, match="is a file, not the folder of a run"):
        find_run(tmp_path / "model.pth.tar-1")
