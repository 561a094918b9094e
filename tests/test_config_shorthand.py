"""Short ways to write a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.config_shorthand import written_out


@pytest.mark.parametrize(
    ("given", "long"),
    [
        ({"dapt": True}, {"dapt": {"enabled": True}}),
        ({"dapt": {"margin": 1}}, {"dapt": {"enabled": True, "margin": 1}}),
        ({"dapt": {"enabled": False, "margin": 1}}, {"dapt": {"enabled": False, "margin": 1}}),
        ({"cue": "gradcam", "track": "wandb"}, {"cue": {"source": "gradcam"}, "track": ["wandb"]}),
        ({"features": True, "onednn": False}, {"features": "on", "onednn": "off"}),
        ({"precision": 16, "out": Path("a")}, {"precision": "16", "out": "a"}),
        ({"dapt": None, "track": None, "lr": None}, {"lr": None}),
    ],
)
def test_what_short_ways_stand_for(given: dict[str, Any], long: dict[str, Any]) -> None:
    assert written_out(given) == long
