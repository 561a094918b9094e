"""What the demonstration runs, and the commands that do the same by hand."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from dapt.config import DaptOptions, make_config
from dapt.config_text import apply_settings
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.setting import (
    DemoSettings,
    changes,
    check_runs,
    command,
    plan,
    run_name,
    scenes_command,
    settings_of,
)
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


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": 0},
        {"classes": 25},
        {"size": 31},
        {"lr": 0},
        {"dapt": {"variant": "x"}},
        {"dapt": {"enabled": False}},
        {"scenes": "x"},
        {"a": 1},
    ],
)
def test_settings_out_of_range(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DemoSettings(**change)


def test_every_run_of_the_plan(tmp_path: Path) -> None:
    settings = DemoSettings(seeds=2, shots=4, epochs=3, lr=0.01, dapt={"foreground_weight": 0.3})
    configs = plan(settings, tmp_path / "data" / "index.csv", tmp_path / "runs", "cpu")
    assert list(configs) == ["zero_shot", "dapt-seed1", "host-seed1", "dapt-seed2", "host-seed2"]
    for name, config in configs.items():
        assert config.out == str(tmp_path / "runs" / name)
        assert config.dapt.enabled is name.startswith("dapt")
    host, dapt = configs["host-seed2"], configs["dapt-seed2"]
    for config in (host, dapt):
        assert (config.seed, config.shots, config.epochs, config.lr, config.method) == (2, 4, 3, 0.01, "maple")
    assert dapt.dapt.foreground_weight == 0.3
    assert dapt.dapt == DaptOptions(enabled=True, foreground_weight=0.3)
    assert dapt.cue.source == "dataset"


def test_commands_name_what_was_run(tmp_path: Path) -> None:
    configs = plan(DemoSettings(seeds=1), tmp_path / "data" / "index.csv", tmp_path / "runs", "cpu")
    words = shlex.split(command(configs["dapt-seed1"], tmp_path))
    assert words[:3] == ["dapt", "train", "data/index.csv"]
    options = dict(pairwise(words))
    assert options["--out"] == "runs/dapt-seed1"
    assert (options["--model"], options["--method"], options["--shots"]) == ("demo", "maple", "8")
    assert "--dapt" in words
    assert "--set" not in words
    plain = shlex.split(command(configs["zero_shot"], tmp_path))
    assert "--shots" not in plain
    assert "--dapt" not in plain
    options = {"variant": "symmetric", "words": ["grass", "old wall"], "released": False, "word_count": 1}
    changed = plan(DemoSettings(seeds=1, dapt=options), tmp_path / "index.csv", tmp_path / "runs", "cpu")
    words = shlex.split(command(changed["dapt-seed1"], tmp_path))
    given = [word for before, word in pairwise(words) if before == "--set"]
    assert given == ["dapt.variant=symmetric", 'dapt.words=["grass", "old wall"]', "dapt.word_count=1"]
    assert make_config(apply_settings({"data": "x", "dapt": True}, given)).dapt == changed["dapt-seed1"].dapt
    elsewhere = command(configs["zero_shot"], tmp_path / "other")
    assert str(tmp_path / "runs" / "zero_shot") in elsewhere


def test_the_command_that_draws_the_scenes() -> None:
    assert scenes_command(DemoSettings(lr=1, seeds=9), "x") == "dapt demo --data-only x"
    shown = scenes_command(DemoSettings(classes=3, size=64, scenes="classes"), "my folder")
    assert shown == "dapt demo --data-only 'my folder' --set scenes=classes --set classes=3 --set size=64"


def test_what_differs_from_dapt_alone() -> None:
    assert changes(DemoSettings().dapt) == {}
    assert changes(DaptOptions(margin=0.5)) == {"margin": 0.5}
    assert changes(DaptOptions(variant="symmetric")) == {"variant": "symmetric"}
    assert changes(DaptOptions(variant="symmetric", foreground_weight=0.1))["foreground_weight"] == 0.1
    for options in ({"margin": 0.5}, {"variant": "symmetric", "foreground_weight": 0.1, "chosen_words": None}):
        assert DaptOptions(**changes(DaptOptions(**options))) == DaptOptions(**options)


def test_settings_in_a_file() -> None:
    written = DemoSettings(seeds=5, dapt={"margin": 0.5}).model_dump()
    assert settings_of(written) == DemoSettings(seeds=5, dapt={"margin": 0.5})
    del written["size"]
    with pytest.raises(ConfigError, match="are missing: size"):
        settings_of(written)


def test_settings_of_the_first_version() -> None:
    """Which had DAPT's among the others, and scenes of classes alone: its demonstrations can still be replaced."""
    tree = DemoSettings().model_dump(exclude={"dapt", "scenes"})
    weights = {"visual_weight": 0.8, "foreground_weight": 1.0, "background_weight": 0.5}
    settings = settings_of({**tree, "variant": "joint", **weights})
    assert settings.scenes == "classes"
    assert settings.dapt == DaptOptions(enabled=True, words=list(BACKGROUNDS), variant="joint", **weights)
