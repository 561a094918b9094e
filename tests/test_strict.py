"""Whatever a setting is given, it is taken and resolves, or is refused with a `ConfigError`."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from dapt.config import RunConfig, RunSettings, make_config
from dapt.config_text import apply_settings, read_yaml, to_yaml
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.strict import readable, shown

ABSURD: list[Any] = [
    *(math.nan, math.inf, -math.inf, 1e38, 1e39, 1e300, -1e300, 1e-300, 0.0, -0.5),
    *(-1, 0, 10**9, 10**18, 2**63, 2**64, 2**70, -(2**70), 10**400, 16**5000),
    *("x", "", "nan", "1e400", "1" * 5000, "a\0b", "caf\udce9", "{}" * 3),
    *([], {}, [[]], {"a": 1}, {1: 2}, [1, 0.1], [0, 0], [2, 3], [math.nan, 1], [-1, 1], None, True, b"\xff"),
]


def leaves(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key, those of sections with a dot."""
    found = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += leaves(inner, f"{prefix}{name}.")
        found.append(prefix + name)
    return found


def with_value(key: str, value: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {"data": "x"}
    *sections, last = key.split(".")
    node = tree
    for name in sections:
        node = node.setdefault(name, {})
    node[last] = value
    return tree


def taken_or_refused(tree: dict[str, Any]) -> RunConfig | None:
    """What is taken can be written and read, and all its numbers are finite."""
    try:
        config = make_config(tree)
    except ConfigError as error:
        said = error.message
    else:
        said = ""
    readable(said).encode()
    assert len(said) < 1000
    if said:
        return None
    text = to_yaml(config)
    text.encode()
    assert "nan" not in text.split("data:")[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(text)
        assert make_config(read_yaml(path)) == config
    return config


@pytest.mark.parametrize("key", leaves(RunSettings))
def test_every_setting_with_every_absurd_value(key: str) -> None:
    for value in ABSURD:
        taken_or_refused(with_value(key, value))


@pytest.mark.parametrize("method", METHODS.names())
def test_every_option_of_every_method_with_every_absurd_value(method: str) -> None:
    for name in METHODS.get(method).options.model_fields:
        for value in ABSURD:
            taken_or_refused({"data": "x", "method": method, "prompt": {name: value}})


@pytest.mark.parametrize("key", [key for key in leaves(RunSettings) if key not in ("prompt", "selection.options")])
def test_no_number_is_beyond_what_is_computed_with(key: str) -> None:
    for value in (math.nan, math.inf, -math.inf, 1e39, 2**130, -(2**130)):
        assert taken_or_refused(with_value(key, value)) is None


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("lr", "nan", "finite"),
        ("lr", "1e39", "1e\\+38"),
        ("batch_size", 10**18, "1000000"),
        ("epochs", 10**18, "1000000"),
        ("workers", 10**6, "256"),
        ("devices", 10**6, "64"),
        ("seed", 2**70, "seed"),
        ("seed", -1, "seed"),
        ("crop_scale", [1, 0.1], "smaller first"),
        ("crop_scale", [0, 0], "smaller first"),
        ("crop_scale", [2, 3], "smaller first"),
        ("masks", "a\0b", "zero byte"),
        ("out", "caf\udce9", "UTF-8"),
        ("dapt.words", ["sky", "a\0b"], "zero byte"),
        ("prompt", {"templates": [[["x"] * 3] * 3]}, "templates|no setting"),
    ],
)
def test_what_is_wrong_is_said(key: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(with_value(key, value))


def test_nothing_narrow_is_refused_that_was_meant() -> None:
    meant = {"crop_scale": [0, 1], "seed": 2**63 - 1, "lr": 1e-30, "batch_size": 100_000, "flip": 1, "workers": 64}
    config = make_config({"data": "x", **meant})
    assert config.crop_scale == (0.0, 1.0)
    assert config.seed == 2**63 - 1


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_refuses_a_rate_that_overflows_in_it(name: str) -> None:
    with pytest.raises(ConfigError, match=f"too large for {name}"):
        make_config({"data": "x", "lr": 1e38, "optimizer": name})
    make_config({"data": "x", "lr": 1e30, "optimizer": name})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [30, 100, 5_000])
def test_deep_values_given_in_python(depth: int) -> None:
    for key in ("prompt", "selection", "crop_scale", "data", "dapt"):
        with pytest.raises(ConfigError):
            make_config({"data": "x", key: nested(depth)})
    with pytest.raises(ConfigError):
        make_config({"data": "x", "selection": {"options": {"x": nested(depth)}}})


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "[" * 60 + "]" * 60, "levels deep"),
        ("".join(f"{' ' * level}a:\n" for level in range(700)), "deep"),
        (LAUGHS, "100000 values"),
        ("data: &a [*a]", "deep"),
        ("data: x\nlr: 1\nlr: 2", "'lr' is there twice .line 3"),
        ("1: 2", "keys must be text"),
        ("dapt: {1: 2}", "keys must be text"),
        ("? [a]\n: b", "keys must be text"),
        ("on: 1", "keys must be text"),
        ("data: !!python/object/apply:os.system ['true']", "python/object"),
        ("seed: " + "1" * 5000, "not valid YAML"),
        ("data: !!int x", "not valid YAML"),
        ("data: !!float x", "not valid YAML"),
        ("data: !!timestamp x", "not valid YAML"),
        ("data: !!binary x", "not valid YAML"),
        ("data: !!set {a, b}", "not valid YAML"),
        ("a: 1\n---\nb: 2", "another document"),
        ("- 1", "keys and values"),
        ("x", "keys and values"),
        ("#" * 2_000_000, "longer than"),
        ("\x00\x01", "not valid YAML"),
    ],
)
def test_yaml_that_is_no_configuration(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_yaml(path)
    if "\0" not in content and "\n" not in content and len(content) < 200_000 and not content.startswith(("-", "x")):
        with pytest.raises(ConfigError):
            make_config(apply_settings({"data": "x"}, [f"selection.options.a={content}"]))


def test_dates_are_text_and_aliases_work(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("data: 2024-01-01\ndapt: &a {margin: 1}\nprompt: {}\ncue: {<<: {grid: 2}, hide: 0.1}\n")
    config = make_config(read_yaml(path))
    assert config.data == "2024-01-01"
    assert config.cue.options == {"grid": 2, "hide": 0.1}
    path.write_text(to_yaml(config))
    assert make_config(read_yaml(path)) == config


def test_a_file_larger_than_any_configuration(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with path.open("wb") as file:
        file.truncate(10**10)  # of zeros, which take no room
    with pytest.raises(ConfigError, match=r"longer|large"):
        read_yaml(path)


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_for_a_configuration(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.yaml"
        path.write_bytes(content)
        try:
            taken_or_refused(read_yaml(path))
        except ConfigError as error:
            readable(error.message).encode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["base", "maple"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@example({"track_options": {"": None}})
@given(st.dictionaries(st.sampled_from([*RunSettings.model_fields, "dapt.x", "zzz"]), VALUES, max_size=4))
@settings(max_examples=300)
def test_any_values_for_any_settings(tree: dict[str, Any]) -> None:
    taken_or_refused({"data": "x", **tree})
    try:
        text = yaml.safe_dump(tree)
        taken_or_refused(apply_settings({"data": "x"}, [f"selection={text}", f"prompt.n_ctx={text}"]))
    except ConfigError:
        pass


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_for_set(text: str) -> None:
    for setting in (text, f"dapt.margin={text}", f"{text}=1", f"prompt.{text}={text}"):
        try:
            taken_or_refused(apply_settings({"data": "x"}, [setting]))
        except ConfigError as error:
            readable(error.message).encode()


def test_shown_cuts_what_is_long() -> None:
    recursive: list[Any] = []
    recursive.append(recursive)
    assert len(shown("x" * 10**6)) == 80
    assert "too large to show" in shown(16**5000)
    assert "[...]" in shown(recursive)
    assert shown("caf\udce9") == "'caf\\udce9'"
