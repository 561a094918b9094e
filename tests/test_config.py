"""Learning rate, configuration and its mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.config import RunSettings, make_config
from dapt.config_text import apply_settings, read_yaml, to_yaml
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.training.schedule import learning_rate


def test_published_learning_rates() -> None:
    five = [learning_rate(e, base_lr=0.0035, epochs=5) for e in range(5)]
    assert five == pytest.approx([1e-5, 3.5e-3, 3.1658e-3, 2.2908e-3, 1.2092e-3], rel=1e-4)
    fifty = [learning_rate(e, base_lr=0.002, epochs=50) for e in range(5)]
    assert fifty == pytest.approx([1e-5, 2e-3, 1.998027e-3, 1.992115e-3, 1.982287e-3], rel=1e-6)
    assert learning_rate(0, base_lr=0.1, epochs=1) == 1e-5


def test_published_settings_are_filled_in() -> None:
    maple = make_config({"data": "x", "method": "maple"})
    assert (maple.lr, maple.epochs, maple.batch_size) == (0.0035, 5, 4)
    assert maple.prompt == {"n_ctx": 2, "depth": 9, "ctx_init": "a photo of a"}
    epochs = [make_config({"data": "x", "method": "coop", "shots": shots}).epochs for shots in (1, 2, 4, 8, 16, 0)]
    assert epochs == [50, 100, 100, 200, 200, 200]
    assert make_config({"data": "x", "method": "zero_shot", "epochs": 7}).epochs == 0


def test_shorthands() -> None:
    assert make_config({"data": "x", "dapt": True}).dapt.enabled
    assert make_config({"data": "x", "dapt": {"margin": 1.0}}).dapt.enabled
    assert not make_config({"data": "x", "dapt": {"enabled": False, "margin": 1.0}}).dapt.enabled
    assert make_config({"data": "x", "cue": "random"}).cue.source == "random"
    assert make_config({"data": "x", "n_ctx": 4, "depth": 3}).prompt["n_ctx"] == 4


def test_settings_reach_every_depth() -> None:
    tree = apply_settings({"data": "x", "dapt": True}, ["dapt.margin=1.0", "dapt.words=[grass, sky]", "lr=0.1"])
    config = make_config(tree)
    assert (config.dapt.margin, config.dapt.words, config.lr) == (1.0, ["grass", "sky"], 0.1)
    assert make_config(apply_settings({"data": "x"}, ["prompt.ctx_init=null"])).prompt["ctx_init"] is None


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"data": "x", "methd": "maple"}, r"no setting 'methd'[\s\S]*Did you mean 'method'"),
        ({"data": "x", "dapt": {"margn": 1}}, r"no setting 'dapt\.margn'[\s\S]*Did you mean 'margin'"),
        ({"data": "x", "prompt": {"dpeth": 1}}, r"no setting 'prompt\.dpeth'[\s\S]*Did you mean 'depth'"),
        ({"data": "x", "method": "mapel"}, r"no method 'mapel'[\s\S]*Did you mean 'maple'"),
        ({"data": "x", "shots": -1}, r"shots: .*greater than or equal to 0.*\(got -1\)"),
        ({"data": "x", "precision": "8"}, "precision"),
        ({"data": "x", "method": "zero_shot", "n_ctx": 4}, "zero_shot has no n_ctx"),
        ({"data": "x", "method": "coop.csc", "prompt": {"ctx_init": "a b"}}, "class_specific contexts start"),
        ({"data": "x", "dapt": {"template": "no place"}}, "must contain {} exactly once"),
        ({}, "'data' is missing"),
    ],
)
def test_mistakes_are_explained(tree: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(tree)


@pytest.mark.parametrize("setting", ["margin", "=1", "lr.x=1", "dapt.margin=[1"])
def test_bad_settings(setting: str) -> None:
    with pytest.raises(ConfigError):
        make_config(apply_settings({"data": "x", "lr": 0.1}, [setting]))


@given(
    st.sampled_from(METHODS.names()),
    st.booleans(),
    st.integers(0, 16),
    st.sampled_from(["joint", "phased"]),
    st.floats(0.01, 3, allow_nan=False),
)
def test_yaml_round_trip(method: str, dapt: bool, shots: int, variant: str, margin: float) -> None:
    import tempfile
    from pathlib import Path

    options = {"enabled": dapt, "variant": variant, "margin": margin}
    config = make_config({"data": "x", "method": method, "shots": shots, "dapt": options})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(to_yaml(config))
        assert make_config(read_yaml(path)) == config


def test_every_key_is_documented_or_plain() -> None:
    unexplained = {"method", "optimizer", "momentum", "weight_decay", "warmup_lr", "eval_batch_size", "dapt", "cue"}
    for name, field in RunSettings.model_fields.items():
        assert field.description or name in unexplained, name
