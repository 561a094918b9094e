"""Masks that training makes are kept, and read by later runs: the same ones, whatever happened in between."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from dapt.config import make_config
from dapt.cues.random_grid import RandomGridCue
from dapt.errors import DataError
from dapt.runs.kept_cues import VARIABLE, stores_folder
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import load_run_data
from helpers import tiny_clip

GIVEN = {"method": "maple", "depth": 2, "shots": 2, "device": "cpu", "dapt": True}


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "stores"))
    return tmp_path / "stores"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images for which the random cue makes masks."""
    names: list[str] = []
    before = RandomGridCue.prepare

    def prepare(self, items, model):
        names.extend(item.name for item in items)
        return before(self, items, model)

    monkeypatch.setattr(RandomGridCue, "prepare", prepare)
    return names


def prepared(photos: Path, cue: str = "random", **more: object) -> Prepared:
    config = make_config({**GIVEN, "data": str(photos), **more, "cue": {"source": cue, **dict(more.pop("cue", {}))}})
    return prepare(config, load_run_data(config), tiny_clip())


def masks_of(run: Prepared) -> list[torch.Tensor | None]:
    return list(run.images.masks)


def same(one: list, other: list) -> bool:
    return all((a is None and b is None) or torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_second_run_makes_nothing_and_sees_the_same(photos: Path, stores: Path, made: list[str], capsys) -> None:
    first = prepared(photos)
    count = len(first.images.items)
    assert sorted(made) == sorted(item.name for item in first.images.items)
    assert f"0 masks read, {count} made" in capsys.readouterr().err
    made.clear()
    second = prepared(photos)
    assert made == []
    assert f"{count} masks read, 0 made" in capsys.readouterr().err
    assert same(masks_of(first), masks_of(second))
    assert first.cue.report == second.cue.report
    plain = RandomGridCue(first.cue.context)
    assert same(plain.prepare(first.images.items, None), masks_of(first)), "as without a store"
    assert plain.report.counts() == first.cue.report.counts()
    tree = json.loads(next(stores.glob("*/masks.json")).read_text())
    assert tree["settings"]["cue"] == "random"


def test_other_settings_have_another_store(photos: Path, stores: Path, made: list[str]) -> None:
    prepared(photos)
    prepared(photos, cue="random", seed=2)
    config = make_config({**GIVEN, "data": str(photos), "cue": {"source": "random", "grid": 3}})
    prepare(config, load_run_data(config), tiny_clip())
    assert len(list(stores.iterdir())) == 3


def test_an_image_that_changed_gets_another_mask(photos: Path, made: list[str], capsys) -> None:
    first = prepared(photos)
    item = first.images.items[0]
    state = item.path.stat()
    made.clear()
    os.utime(item.path, (1, 1))
    prepared(photos)
    assert made == [], "its content is the same"
    Image.new("RGB", (40, 48), "red").save(item.path)
    os.utime(item.path, ns=(state.st_atime_ns, state.st_mtime_ns))
    prepared(photos)
    assert made == [item.name]
    assert "1 of the images changed since their masks were made" in capsys.readouterr().err


def test_what_is_half_done_is_gone_on_with(photos: Path, stores: Path, made: list[str]) -> None:
    first = prepared(photos)
    gone = next(item for item, mask in zip(first.images.items, masks_of(first), strict=True) if mask is not None)
    next(stores.rglob(Path(gone.name).with_suffix(".png").name)).unlink()
    before = len(made)
    second = prepared(photos)
    assert len(made) in (before + 1, before + 2), "files of one name in two classes"
    assert same(masks_of(first), masks_of(second))


def test_without_a_place_the_masks_are_made_all_the_same(photos: Path, stores: Path, made: list[str], capsys) -> None:
    stores.write_text("a file is in the way")
    for _ in range(2):
        made.clear()
        run = prepared(photos)
        assert len(made) == len(run.images.items)
        assert "is not used, and the masks are made without it" in capsys.readouterr().err


def test_mistakes_of_the_cue_are_its_own(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self, items, model):
        raise DataError("The oracle is silent.")

    monkeypatch.setattr(RandomGridCue, "prepare", fails)
    with pytest.raises(DataError, match="oracle"):
        prepared(photos)


def test_grad_cam_is_kept_only_where_it_is_not_renewed(photos: Path, stores: Path) -> None:
    renewed = prepared(photos, cue="gradcam")
    assert not stores.exists()
    config = make_config({**GIVEN, "data": str(photos), "cue": {"source": "gradcam", "refresh": 0}})
    runs = [prepare(config, load_run_data(config), tiny_clip()) for _ in range(2)]
    assert len(list(stores.iterdir())) == 1
    for run in runs:
        assert same(masks_of(run), masks_of(renewed))


def test_soft_masks_stay_soft(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.tensor([[0.0, 0.2], [0.6, 1.0]])
    monkeypatch.setattr(RandomGridCue, "soft", True)
    monkeypatch.setattr(
        RandomGridCue, "prepare", lambda self, items, model: [self.report.add(item.name, values) for item in items]
    )
    run = prepared(photos)
    assert run.images.soft
    assert all(torch.allclose(mask, values, atol=1e-6) for mask in masks_of(run))


def test_where_stores_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert stores_folder() == tmp_path / "stores"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert stores_folder() == Path("/cache/dapt/masks")
