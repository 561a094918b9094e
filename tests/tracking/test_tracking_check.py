"""Trackers that a run asks for, before it begins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.tracking.base import TRACKERS
from dapt.tracking.check import _is_there, trackers_of


def of(**settings: object):
    return trackers_of(make_config({"data": "x", **settings}))


def test_nothing_is_asked_for_by_default() -> None:
    assert of() == {}


def test_names_and_options_are_known(recorder: type, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(of(track="recorder")["recorder"], recorder)
    monkeypatch.setattr("dapt.tracking.check._is_there", lambda package: True)
    options = {"project": "mine", "wandb": {"mode": "offline"}, "mlflow": {"uri": "sqlite:///x"}}
    found = of(track=["wandb", "mlflow", "trackio"], track_options=options)
    assert list(found) == ["wandb", "mlflow", "trackio"]
    assert found["wandb"].options.mode == "offline"
    assert found["mlflow"].options.uri == "sqlite:///x"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"track": ["wandbb"]}, "no tracker 'wandbb'.*wandb"),
        ({"track": ["recorder", "recorder"]}, "named twice"),
        ({"track_options": {"wandb": {"modus": "x"}}}, r"track_options.wandb.modus.*mode"),
        ({"track_options": {"wandb": {"mode": "x"}}}, r"track_options.wandb.mode"),
        ({"track_options": {"wandb": "offline"}}, "is a section"),
        ({"track_options": {"projekt": "x"}}, "track_options.projekt.*project"),
        ({"track_options": {"wait": -1}}, "track_options.wait"),
    ],
)
def test_what_is_wrong_is_said(recorder: type, settings: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        of(**settings)


def test_a_tracker_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapt.tracking.check._is_there", lambda package: False)
    for name in ("wandb", "mlflow", "trackio"):
        assert TRACKERS.get(name).extra
        with pytest.raises(ConfigError, match=rf"(?s)not installed.*dapt\[{name}\]"):
            of(track=name)


def test_a_folder_that_a_tracker_left_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "surely_no_package").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not _is_there("surely_no_package")
    assert _is_there("json")


def test_naming_trackers_imports_none_of_them() -> None:
    assert {"wandb", "mlflow", "trackio"} <= set(TRACKERS.names())
    import subprocess

    code = "import sys; from dapt.tracking.base import TRACKERS; TRACKERS.names(); print(sorted(set(sys.modules) & "
    code += "{'wandb', 'mlflow', 'trackio', 'torch'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
