"""What `--set a.b=value` may open as a section, and paths in messages."""

from __future__ import annotations

import pytest

from dapt.config import make_config
from dapt.config_text import apply_settings
from dapt.errors import ConfigError


def test_the_short_forms_open_as_sections() -> None:
    settings = ["dapt.margin=1.0", "cue.threshold=0.2", "selection.options.a=1", "prompt.n_ctx=2"]
    tree = apply_settings({"data": "x", "dapt": False, "cue": "gradcam", "prompt": None}, settings)
    assert tree["dapt"] == {"enabled": False, "margin": 1.0}
    assert tree["cue"] == {"source": "gradcam", "threshold": 0.2}
    assert (tree["selection"], tree["prompt"]) == ({"options": {"a": 1}}, {"n_ctx": 2})


@pytest.mark.parametrize(
    ("tree", "setting", "name"),
    [
        ({"data": "birds"}, "data.x=1", "data"),
        ({"masks": "m"}, "masks.source=m", "masks"),
        ({"own_split": True}, "own_split.x=1", "own_split"),
        ({"skip_bad": False}, "skip_bad.enabled=true", "skip_bad"),
        ({"dapt": "yes"}, "dapt.margin=1", "dapt"),
        ({"cue": True}, "cue.threshold=0.1", "cue"),
        ({"dapt": {"gate": True}}, "dapt.gate.x=1", "gate"),
        ({"prompt": {"cue": "a"}}, "prompt.cue.source=1", "cue"),
        ({"selection": {"dapt": True}}, "selection.dapt.x=1", "dapt"),
        ({"lr": 0.1}, "lr.x=1", "lr"),
        ({"crop_scale": [0, 1]}, "crop_scale.x=1", "crop_scale"),
    ],
)
def test_everything_else_is_no_section(tree: dict[str, object], setting: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"--set {setting}: '{name}' is no section"):
        apply_settings(tree, [setting])


@pytest.mark.parametrize("path", ["../masks", "a/../b", "../..", "x..y."])
def test_paths_in_messages_are_as_they_were_written(path: str) -> None:
    for given in ({"mask_format": path}, {"dapt": {"variant": path}}, {"lr": path}):
        with pytest.raises(ConfigError) as found:
            make_config({"data": "x", **given})
        assert f"(got '{path}')." in found.value.message


def test_the_command_line_says_so(dapt) -> None:
    code, _, err = dapt("train", "../birds", "--set", "data.x=1")
    assert (code, err) == (2, "error: --set data.x=1: 'data' is no section.\n")
