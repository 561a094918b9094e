"""The models of an audit: what a name stands for, what they are called, and that none is there twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError, NotSupportedError
from dapt.runs.audit_models import is_backbone, open_models, with_names
from dapt.runs.load_run import load_run
from helpers import save_tiny_model

CLASSES = ["red square", "blue disc", "green bar", "white ring"]


def test_runs_saved_models_and_backbones(trained: Path, tmp_path: Path, tiny_spec: str) -> None:
    load_run(trained, device="cpu")[0].save_pretrained(tmp_path / "saved")
    run, saved, backbone = open_models([str(trained), str(tmp_path / "saved"), tiny_spec], device="cpu")
    assert (run.name, saved.name) == ("run", "saved")
    assert backbone.name == f"zero-shot {Path(tiny_spec.removeprefix('local-dir:')).name}"
    assert [each.zero_shot for each in (run, saved, backbone)] == [False, False, True]
    assert run.results is not None
    assert run.config is not None
    assert saved.results is None
    for each in (run, saved, backbone):
        with_names(each, CLASSES[:2], "data", "cpu")
        assert list(each.ready.names) == CLASSES[:2]
        assert each.about()["backbone"] == tiny_spec
    assert [each.about()["method"] for each in (run, saved, backbone)] == ["maple", "maple", "zero_shot"]
    assert not backbone.zero_shot, "it is loaded now"


@pytest.mark.long
def test_names_are_as_long_as_it_takes(trained: Path, tmp_path: Path) -> None:
    import shutil

    for above in ("one", "two"):
        shutil.copytree(trained, tmp_path / above / "run")
    found = open_models([str(tmp_path / "one" / "run"), str(tmp_path / "two" / "run")], device="cpu")
    assert [each.name for each in found] == ["one/run", "two/run"]


def test_a_model_is_named_once(trained: Path, tiny_spec: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="named twice"):
        open_models([tiny_spec, tiny_spec], device="cpu")
    (tmp_path / "link").symlink_to(trained)
    with pytest.raises(ConfigError, match=r"named twice \(as .*run, too\)"):
        open_models([str(trained), str(tmp_path / "link")], device="cpu")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo", True),
        ("local-dir:/nowhere", True),
        ("hf-hub:a/b", True),
        ("ViT-B-16/openai", True),
        ("ViT-B-16:/weights.pt", True),
        ("runs/maple", False),
        ("demos", False),
        ("maple", False),
    ],
)
def test_what_names_a_backbone(text: str, expected: bool) -> None:
    assert is_backbone(text) is expected


def test_what_is_neither(tmp_path: Path, trained: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no folder of a run or of a saved model, and no backbone"):
        open_models([str(tmp_path / "absent")], device="cpu")
    with pytest.raises(ConfigError, match="Did you mean 'demo'"):
        open_models(["dmeo"], device="cpu")
    with pytest.raises(DaptError, match="holds no finished run"):
        open_models([str(tmp_path / "empty")], device="cpu")
    with pytest.raises(ConfigError, match="Did you mean 'run'"):
        open_models([os.fspath(trained.parent / "rnu")], device="cpu")


@pytest.mark.long
def test_a_model_that_cannot_name_other_classes(tmp_path: Path, tiny_spec: str, photos: Path) -> None:
    from dapt.config import make_config
    from dapt.runs.train import run_training
    from helpers import run_with

    given = run_with(photos, tiny_spec, tmp_path / "probe", method="linear_probe", epochs=1)
    del given["depth"]
    run_training(make_config(given))
    (model,) = open_models([str(tmp_path / "probe")], device="cpu")
    with pytest.raises(NotSupportedError):
        with_names(model, ["cat", "dog"], "data", "cpu")


@pytest.mark.long
def test_runs_that_read_images_differently_are_told_of(
    trained: Path, tmp_path: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from dapt.config import make_config
    from dapt.runs.train import run_training
    from helpers import make_csv, run_with

    given = run_with(make_csv(tmp_path / "t"), tiny_spec, tmp_path / "black", epochs=1, matte="black")
    run_training(make_config(given))
    open_models([str(trained), str(tmp_path / "black")], device="cpu")
    assert "images read in different ways (matte, bits)" in capsys.readouterr().err


@pytest.mark.long
def test_a_backbone_of_another_kind(tmp_path: Path) -> None:
    (model,) = open_models([f"local-dir:{tmp_path}"], device="cpu")
    with pytest.raises(DaptError):
        with_names(model, CLASSES, "data", "cpu")
    (good,) = open_models([save_tiny_model(tmp_path / "m")], device="cpu")
    with_names(good, CLASSES, "data", "cpu")
