"""What the demonstration runs, and the commands that do the same by hand."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.setting import DemoSettings, check_runs, command, plan, run_name, scenes_command
from dapt.errors import ConfigError


def test_names_of_runs() -> None:
    assert [run_name(kind, 3) for kind in ("zero_shot", "host", "dapt")] == ["zero_shot", "host-seed3", "dapt-seed3"]


def test_which_settings_can_be_run() -> None:
    check_runs(DemoSettings())
    check_runs(DemoSettings(shots=16))
    with pytest.raises(ConfigError, match=r"16 training scenes per class, too few for 17[\s\S]*train_per_class=17"):
        check_runs(DemoSettings(shots=17))
    with pytest.raises(ConfigError, match="zero_shot trains nothing"):
        check_runs(DemoSettings(host="zero_shot"))
    with pytest.raises(ConfigError, match="Did you mean 'maple'"):
        check_runs(DemoSettings(host="mapel"))


@pytest.mark.parametrize("change", [{"seeds": 0}, {"classes": 25}, {"size": 31}, {"lr": 0}, {"variant": "x"}, {"a": 1}])
def test_settings_out_of_range(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DemoSettings(**change)


def test_every_run_of_the_plan(tmp_path: Path) -> None:
    settings = DemoSettings(seeds=2, shots=4, epochs=3, lr=0.01, foreground_weight=0.3)
    configs = plan(settings, tmp_path / "data" / "index.csv", tmp_path / "runs", "cpu")
    assert list(configs) == ["zero_shot", "dapt-seed1", "host-seed1", "dapt-seed2", "host-seed2"]
    for name, config in configs.items():
        assert config.out == str(tmp_path / "runs" / name)
        assert config.dapt.enabled is name.startswith("dapt")
    host, dapt = configs["host-seed2"], configs["dapt-seed2"]
    for config in (host, dapt):
        assert (config.seed, config.shots, config.epochs, config.lr, config.method) == (2, 4, 3, 0.01, "maple")
    assert dapt.dapt.foreground_weight == 0.3
    assert list(dapt.dapt.words) == list(BACKGROUNDS)
    assert dapt.cue.source == "dataset"


def test_commands_name_what_was_run(tmp_path: Path) -> None:
    configs = plan(DemoSettings(seeds=1), tmp_path / "data" / "index.csv", tmp_path / "runs", "cpu")
    words = shlex.split(command(configs["dapt-seed1"], tmp_path))
    assert words[:3] == ["dapt", "train", "data/index.csv"]
    options = dict(pairwise(words))
    assert options["--out"] == "runs/dapt-seed1"
    assert (options["--model"], options["--method"], options["--shots"]) == ("demo", "maple", "8")
    assert "--dapt" in words
    assert "dapt.variant=joint" in words
    assert f"dapt.words=[{', '.join(BACKGROUNDS)}]" in words
    plain = shlex.split(command(configs["zero_shot"], tmp_path))
    assert "--shots" not in plain
    assert "--dapt" not in plain
    elsewhere = command(configs["zero_shot"], tmp_path / "other")
    assert str(tmp_path / "runs" / "zero_shot") in elsewhere


def test_the_command_that_draws_the_scenes() -> None:
    assert scenes_command(DemoSettings(lr=1, seeds=9), "x") == "dapt demo --data-only x"
    shown = scenes_command(DemoSettings(classes=3, size=64), "my folder")
    assert shown == "dapt demo --data-only 'my folder' --set classes=3 --set size=64"
