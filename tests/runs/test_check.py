"""What is refused about a run before anything is read: devices that are not there, and images that do not go round."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import torch

from dapt.config import make_config
from dapt.errors import ConfigError, NotSupportedError
from dapt.runs.check import check_count, check_run, check_settings
from dapt.runs.train import run_training
from helpers import make_folder


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_gpus_are_counted_however_the_device_is_spelled(monkeypatch, tmp_path: Path, device: str) -> None:
    with_gpus(monkeypatch, 1)
    config = make_config({"data": "x", "device": device, "devices": 2, "out": str(tmp_path / "run")})
    with pytest.raises(ConfigError, match="2 devices were asked for, this machine has 1 of the kind cuda"):
        check_run(config, resume=False, overwrite=False)


def test_enough_devices(monkeypatch) -> None:
    with_gpus(monkeypatch, 2)
    check_count(2, "cuda")
    check_count(8, "cpu")
    with pytest.raises(ConfigError, match="1 of the kind mps"):
        check_count(2, "mps")


def test_a_package_that_is_not_there_is_told_before_anything_is_read(monkeypatch, tmp_path: Path) -> None:
    config = make_config({"data": "x", "method": "linear_probe", "device": "cpu", "out": str(tmp_path / "run")})
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "sklearn" else found(name))
    with pytest.raises(NotSupportedError, match="linear_probe needs the package sklearn") as caught:
        check_settings(config)
    assert "dapt[probe]" in caught.value.todo
    check_settings(config, here=False)


def test_a_batch_that_devices_do_not_divide(tmp_path: Path) -> None:
    config = make_config({"data": "x", "batch_size": 3, "devices": 2, "device": "cpu", "out": str(tmp_path / "run")})
    with pytest.raises(ConfigError, match="A batch of 3 images"):
        check_run(config, resume=False, overwrite=False)


def test_fewer_images_than_devices_are_refused(tmp_path: Path, tiny_spec: str) -> None:
    """Every device gets the same share of a batch, which would be nothing: the run would end untrained."""
    data = make_folder(tmp_path / "photos", classes=3)
    given = {
        "data": str(data),
        "model": tiny_spec,
        "depth": 2,
        "shots": 1,
        "batch_size": 4,
        "devices": 4,
        "device": "cpu",
    }
    with pytest.raises(ConfigError, match="3 training images cannot be divided among 4 devices"):
        run_training(make_config({**given, "out": str(tmp_path / "run")}))
    assert not (tmp_path / "run").exists()


def test_misspelt_cue_options_are_named(tmp_path: Path) -> None:
    for cue, said in (
        ({"source": "gradcam", "treshold": 0.3}, "There is no setting 'cue.treshold'"),
        ({"source": "gradcam", "threshold": 3}, "cue.threshold"),
        ({"source": "random", "threshold": 3}, "cue.threshold"),
        ({"source": "gradcm"}, "gradcam"),
    ):
        config = make_config({"data": "x", "cue": cue, "device": "cpu", "out": str(tmp_path / "run")})
        with pytest.raises(ConfigError, match=said):
            check_run(config, resume=False, overwrite=False)


def test_cue_options_are_kept_as_what_they_are(tmp_path: Path) -> None:
    given = {"data": "x", "device": "cpu", "out": str(tmp_path / "run")}
    plan = check_run(make_config({**given, "cue": {"threshold": "0.4"}}), resume=False, overwrite=False)
    assert plan.config.cue.options == {"threshold": 0.4}
    with pytest.raises(ConfigError, match=r"cue\.threshold: it is a number"):
        check_run(make_config({**given, "cue": {"threshold": True}}), resume=False, overwrite=False)
    with pytest.raises(ConfigError, match="lr: it is a number, not true or false"):
        make_config({**given, "lr": True})
    assert make_config({**given, "cue": None, "dapt": None}).cue.source == "auto"
    with pytest.raises(ConfigError, match="cue: Input should be a section of keys and values"):
        make_config({**given, "cue": 3})


def test_options_of_another_cue_are_pointed_out(table: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    given = {"data": str(table), "model": tiny_spec, "depth": 2, "epochs": 1, "shots": 1, "device": "cpu", "dapt": True}
    run_training(make_config({**given, "cue": {"source": "random", "threshold": 0.3}, "out": str(tmp_path / "run")}))
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(r"cue\.threshold is an option of border, .*gradcam.*; the masks are those of random", said)
