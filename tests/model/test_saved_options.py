"""Options that the method does not have: left out of what was saved, and told; refused in what a user writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from dapt.config import make_config
from dapt.config_text import read_yaml
from dapt.errors import ConfigError
from dapt.model.build import build_model
from dapt.model.prompts_file import SavedPrompts
from dapt.model.saved import rebuild_model
from dapt.runs.run_folder import RunFolder
from dapt.runs.write_masks import write_masks
from helpers import run_with, tiny_clip, with_digest

NAMES = ["cat", "dog"]


def test_unknown_saved_options_are_left_out_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    clip = tiny_clip()
    options = {"n_ctx": 3, "sparkle": 0.5, "annealed": True}
    saved = SavedPrompts({"ctx": torch.ones(3, 24)}, "coop", options, tuple(NAMES), clip.describe())
    model = rebuild_model(saved, clip)
    assert torch.equal(model.prompts.ctx, torch.ones(3, 24))
    assert "does not know the saved options 'annealed', 'sparkle' of coop" in capsys.readouterr().err


def test_known_saved_options_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    clip = tiny_clip()
    saved = SavedPrompts({"ctx": torch.ones(3, 24)}, "coop", {"n_ctx": 3}, tuple(NAMES), clip.describe())
    rebuild_model(saved, clip)
    assert not capsys.readouterr().err


def test_in_a_configuration_they_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'prompt\.sparkle'"):
        make_config({"data": "-", "method": "coop", "prompt": {"sparkle": 1}})


@pytest.mark.parametrize(
    ("prompt", "told"), [({"sparkle": 1}, "no setting 'prompt.sparkle'"), ({"n_ctx": "x"}, "n_ctx")]
)
def test_a_configuration_that_nobody_resolved_is_refused_in_words(prompt: dict[str, object], told: str) -> None:
    config = make_config({"data": "-", "method": "coop"}).model_copy(update={"prompt": prompt})
    with pytest.raises(ConfigError, match=told):
        build_model(config, tiny_clip(), NAMES)


def test_a_run_of_a_newer_version_predicts(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    settings = run_with(table, tiny_spec, run.path, method="coop", n_ctx=2)
    del settings["depth"]
    run_yaml = tmp_path / "settings.yaml"
    run_yaml.write_text(yaml.safe_dump(settings))
    assert dapt("train", "--config", run_yaml)[0] == 0
    _add_option(run)
    code, _, err = dapt("predict", run.path, table.parent / "images" / "red_square_0.png")
    assert code == 0, err
    assert err.count("'sparkle'") == 1
    code, _, err = dapt("train", "--config", run.config_file, "--overwrite")
    assert code == 2
    assert "no setting 'prompt.sparkle'" in err


def _add_option(run: RunFolder) -> None:
    """Let the run look as if it were written by a version whose method has an option more."""
    import json

    tree = read_yaml(run.config_file)
    tree["prompt"]["sparkle"] = 0.5
    run.config_file.write_text(yaml.safe_dump(tree))
    with safe_open(str(run.prompts_file), framework="pt") as file:
        metadata = file.metadata()
    metadata["options"] = json.dumps({**json.loads(metadata["options"]), "sparkle": 0.5})
    tensors = load_file(run.prompts_file)
    save_file(tensors, str(run.prompts_file), metadata=with_digest(metadata, tensors))
    (run.path / ".dapt.json").unlink()


def test_options_of_masks_are_refused_in_words(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cue\.threshold.*got 7"):
        write_masks(str(photos), tmp_path / "masks", source="gradcam", options={"threshold": 7})
    with pytest.raises(ConfigError, match=r"no setting 'cue\.treshold'"):
        write_masks(str(photos), tmp_path / "masks", source="random", options={"treshold": 7})
