"""Of the settings of a run hardly any may change between its start and a resume: all others are refused by name."""

from __future__ import annotations

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from dapt.config import RunSettings, make_config
from dapt.errors import ConfigError
from dapt.runs.run_folder import RunFolder

MAY_CHANGE = {"out", "workers", "cache_mb", "cuda_graph", "device", "allow_leaks", "track", "track_options"}


def others(value: Any, kind: Any) -> list[Any]:
    """Values of the type `kind` that differ from `value`; None is one of them where it is allowed."""
    if get_origin(kind) is Annotated:
        return others(value, get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        choices = [part for part in get_args(kind) if part is not NoneType]
        found = others(value, choices[0])
        return found if value is None else [*found, None]
    if get_origin(kind) is Literal:
        return [choice for choice in get_args(kind) if choice != value]
    if kind is bool:
        return [not value]
    if kind is int:
        return [(value or 0) + 1]
    if kind is float:
        return [0.625 * value if value else 0.25]
    if kind is str:
        return [f"{value or ''}x"]
    if get_origin(kind) is tuple:
        return [(value[0] / 2, *value[1:]), (*value[:-1], value[-1] / 2)]
    if get_origin(kind) is list:
        return [[*(value or ()), "moss"], *([value[:-1]] if value else [])]
    if get_origin(kind) is dict:
        key = next(iter(value), "some")
        return [{**value, key: "else"}, {**value, "more": 1}]
    raise AssertionError(f"no other value of the type {kind} is known here")


def changes(config: BaseModel, prefix: str = "") -> list[tuple[str, str, dict[str, Any]]]:
    """Every way to change one setting: top-level key, what is changed, and the update that does it."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for key, field in type(config).model_fields.items():
        value = getattr(config, key)
        if isinstance(value, BaseModel):
            for _, name, update in changes(value, f"{prefix}{key}."):
                found.append((key, name, {key: value.model_copy(update=update)}))
        else:
            found += [(key, f"{prefix}{key}={other}", {key: other}) for other in others(value, field.annotation)]
    for key, value in (config.model_extra or {}).items():
        found += [(key, f"{prefix}{key}={other}", {key: other}) for other in others(value, type(value))]
    return found


# every open choice filled in, so that all of them can change to a value and, where that is allowed, to none
WHOLE = make_config(
    {
        **{"data": "photos", "root": "data", "method": "maple", "dapt": {"word_count": 5}, "masks": "masks"},
        **{"names": "names.txt", "split_file": "split.json", "select": "grand", "fraction": 0.5, "shots": 4},
        **{"selection": {"epochs": 2, "options": {"balanced": True}}, "text_memory_mb": 100, "out": "run"},
        **{"cue": {"source": "gradcam", "threshold": 0.4}, "features": "auto", "stop_margin": 0.5},
        **{"split_rule": "hash", "keep_split": "before", "classes": ["cat", "dog"]},
    }
)
# else features_mb and stop_share decide nothing
BARE = make_config({"data": "photos", "method": "coop", "features": "auto", "split_rule": "hash", "stop_margin": 0.5})
OPEN = {"split_rule": None}  # a run that goes on has its own
CASES = [(config, *change) for config in (WHOLE, BARE) for change in changes(config) if change[2] != OPEN]


def started(folder: Path, config: RunSettings) -> RunFolder:
    run = RunFolder(folder / "run")
    run.check(config, resume=False, overwrite=False)
    run.begin(config, resume=False, overwrite=False, split={}, inputs={})
    run.lock.release()
    return run


@pytest.mark.parametrize(
    ("config", "key", "update"),
    [pytest.param(config, key, update, id=name) for config, key, name, update in CASES if key not in MAY_CHANGE],
)
def test_what_may_not_change(tmp_path: Path, config: RunSettings, key: str, update: dict[str, Any]) -> None:
    run = started(tmp_path, config)
    run.check(config, resume=True, overwrite=False)
    changed = config.model_copy(update=update)
    with pytest.raises(ConfigError) as caught:
        run.check(changed, resume=True, overwrite=False)
    assert f"{key}" in caught.value.what
    assert caught.value.todo


@pytest.mark.parametrize(
    ("config", "update"),
    [pytest.param(config, update, id=name) for config, key, name, update in CASES if key in MAY_CHANGE],
)
def test_what_may_change(tmp_path: Path, config: RunSettings, update: dict[str, Any]) -> None:
    started(tmp_path, config).check(config.model_copy(update=update), resume=True, overwrite=False)


def test_every_setting_is_tried() -> None:
    assert {key for _, key, _, _ in CASES} == set(RunSettings.model_fields)
    for config in (WHOLE, BARE):
        assert all(config.model_copy(update=update) != config for _, _, update in changes(config))
    tried = {name.partition("=")[0] for _, _, name, _ in CASES}
    assert {"batch_size", "seed", "dapt.margin", "cue.threshold", "selection.lr", "lr", "shots", "model"} <= tried


def test_nothing_is_checked_against_another_run(tmp_path: Path) -> None:
    """A folder with results of another run is not taken for granted either, unless it is to be overwritten."""
    run = started(tmp_path, BARE)
    other = BARE.model_copy(update={"seed": 2})
    with pytest.raises(ConfigError, match="exists"):
        run.check(other, resume=False, overwrite=False)
    run.check(other, resume=False, overwrite=True)
