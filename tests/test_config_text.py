"""The configuration as text: files, and settings put into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.config import make_config
from dapt.config_text import apply_settings, read_yaml, refuse_contradictions, to_yaml
from dapt.errors import ConfigError
from dapt.yaml_text import LONGEST


@pytest.mark.parametrize(
    ("tree", "settings", "expected"),
    [
        ({}, [], {}),
        ({"a": 1}, ["a=2", "b=[1, x]"], {"a": 2, "b": [1, "x"]}),
        ({}, ["a.b.c=true", "a.d="], {"a": {"b": {"c": True}, "d": None}}),
        ({"a": {"b": 1, "c": 2}}, ["a.b=x=y"], {"a": {"b": "x=y", "c": 2}}),
        ({"a": None}, ["a.b=1"], {"a": {"b": 1}}),
        ({"dapt": True}, ["dapt.margin=0.5"], {"dapt": {"enabled": True, "margin": 0.5}}),
        ({"cue": "masks"}, ["cue.x=1"], {"cue": {"source": "masks", "x": 1}}),
        ({}, ["a=1", "a=2"], {"a": 2}),
    ],
)
def test_settings(tree: dict[str, Any], settings: list[str], expected: dict[str, Any]) -> None:
    assert apply_settings(tree, settings) == expected


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("a", "--set a is not KEY=VALUE"),
        ("=1", "--set =1 is not KEY=VALUE"),
        ("shots.x=1", "'shots' is no section"),
        ("a=[1", "The value in --set .* is not valid YAML"),
        ("dapt=", "--set dapt= gives the section 'dapt' no value"),
        ("cue=null", "--set cue=null gives the section 'cue' no value"),
    ],
)
def test_settings_that_are_none(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_settings({"shots": 4}, [setting])


@pytest.mark.parametrize(
    ("key", "value", "setting"),
    [
        ("shots", 2, "shots=2"),
        ("shots", 2, "seed=3"),
        ("precision", "32", "precision=32"),
        ("masks", "/home/me/m", "masks=~/m"),
        ("dapt.enabled", True, "dapt.margin=1"),
        ("dapt.enabled", True, "dapt={margin: 1}"),
        ("dapt.enabled", True, "dapt={enabled: true, word_count: 40}"),  # of words in a file, perhaps
        ("dapt.enabled", False, "dapt=false"),
        ("cue.source", "border", "cue=border"),
        ("cue.source", "border", "cue.grid=3"),
        ("track", ["wandb"], "track=wandb"),
        ("n_ctx", 3, "prompt.n_ctx=3"),
    ],
)
def test_an_option_and_a_setting_may_say_the_same(
    monkeypatch: pytest.MonkeyPatch, key: str, value: object, setting: str
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    refuse_contradictions({key: value}, [setting])


@pytest.mark.parametrize(
    ("key", "value", "setting", "message"),
    [
        ("shots", 2, "shots=3", "--shots is 2, and --set shots is 3"),
        ("split_file", "a", "split_file=b", "--split-file is a, and --set split_file is b"),
        ("data", "a", "data=b", "DATA is a, and --set data is b"),
        ("track", ["wandb"], "track=[]", "--track is wandb, and --set track is none"),
        ("lr", 0.5, "lr=", "--lr is 0.5, and --set lr is none"),
        ("dapt.enabled", True, "dapt.enabled=false", "--dapt was given, and --set dapt.enabled is false"),
        ("dapt.enabled", True, "dapt=false", "--dapt was given, and --set dapt.enabled is false"),
        ("dapt.enabled", False, "dapt=true", "--no-dapt was given, and --set dapt.enabled is true"),
        ("dapt.enabled", True, "dapt.enabled=maybe", "dapt.enabled"),
        ("cue.source", "border", "cue=gradcam", "--cue is border, and --set cue.source is gradcam"),
        ("n_ctx", 3, "prompt.n_ctx=4", "--n-ctx is 3, and --set prompt.n_ctx is 4"),
    ],
)
def test_an_option_and_a_setting_that_differ_are_refused(key: str, value: object, setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        refuse_contradictions({key: value}, [setting])


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("method: maple\nshots: 4\n")
    assert read_yaml(path) == {"method": "maple", "shots": 4}
    path.write_text("")
    assert read_yaml(path) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1\n", "must hold keys and values at the top level"),
        (b"\xff\xfe", "is no UTF-8 text"),
        (b"a: [", "is not valid YAML"),
        (b"a: 1\na: 2", "there twice"),
        (b"#" * (LONGEST + 1), "is no configuration"),
        ("é".encode() * (2 * LONGEST + 1), "too large for a configuration|is no configuration"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_yaml(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "no.yaml", tmp_path):
        with pytest.raises(ConfigError, match="Could not read the configuration"):
            read_yaml(path)


def test_written_and_read_back(tmp_path: Path) -> None:
    config = make_config({"data": "Fotos/größer", "model": "demo", "method": "maple", "dapt": {"enabled": True}})
    path = tmp_path / "run.yaml"
    path.write_text(to_yaml(config), encoding="utf-8")
    assert "größer" in to_yaml(config)
    assert make_config(read_yaml(path)) == config
