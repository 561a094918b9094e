"""A run does not go on with other masks unnoticed: the cue's model, what a store says of masks, and what is made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from dapt.config import RunConfig, make_config
from dapt.cues.random_grid import RandomGridCue
from dapt.data.load.image_cache import ImageCache
from dapt.data.masks.mask_entries import STATISTICS, read_entries, store_tree, write_store
from dapt.errors import ConfigError, DataError
from dapt.runs.identity import check_unchanged, identity
from dapt.runs.run_data import load_run_data
from dapt.runs.run_folder import RunFolder
from dapt.runs.train import run_training
from dapt.runs.training_cue import model_files, tell_of_no_lender, training_cue
from helpers import make_folder, run_with, stopping

LONG = pytest.mark.long
LEFT = """
import numpy as np

def f(photo, name):
    mask = np.zeros(photo.shape[:2], bool)
    mask[:, :SIDE] = True
    return mask
"""


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "stores"))
    return tmp_path / "stores"


def write_function(path: Path, side: int) -> str:
    path.write_text(LEFT.replace("SIDE", str(side)))
    for name in [name for name, module in sys.modules.items() if getattr(module, "__file__", "") == str(path)]:
        del sys.modules[name]  # as in a new process
    return f"callable:{path}:f"


def interrupted(config: RunConfig) -> Path:
    with pytest.raises(KeyboardInterrupt):
        run_training(config, after_epoch=stopping(1))
    return Path(config.out or "")


def given(data: Path, spec: str, out: Path, cue: dict[str, Any] | str, **dapt: Any) -> RunConfig:
    cue = {"source": cue} if isinstance(cue, str) else cue
    return make_config(run_with(data, spec, out, dapt={"variant": "joint", **dapt}, cue=cue))


def test_another_function_is_noticed_before_a_mask_is_made(table: Path, tiny_spec: str, tmp_path: Path, stores) -> None:
    source = write_function(tmp_path / "mine.py", 20)
    config = given(table, tiny_spec, tmp_path / "run", source)
    interrupted(config)
    before = sorted(stores.rglob("*"))
    write_function(tmp_path / "mine.py", 10)
    with pytest.raises(DataError, match=r"was started: the cue's source\."):
        run_training(config, resume=True)
    assert sorted(stores.rglob("*")) == before
    write_function(tmp_path / "mine.py", 20)
    resumed = run_training(config, resume=True)
    whole = run_training(given(table, tiny_spec, tmp_path / "whole", source))
    assert resumed["metrics"] == whole["metrics"]
    (tmp_path / "mine.py").unlink()
    with pytest.raises(ConfigError, match="There is no file"):
        run_training(config, resume=True)


def test_models_are_inputs_that_nothing_is_written_into(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    folder = tmp_path / "clipseg"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / ".hidden").write_text("")
    config = given(table, tiny_spec, folder / "run", {"source": "clipseg", "model": str(folder)})
    assert model_files(config) == {"cue.model/config.json": folder / "config.json"}
    with pytest.raises(ConfigError, match=r"what cue\.model names"):
        run_training(config)
    asked = {"source": "sam2", "prompt": "salient", "prompt_options": {"model": str(folder / "config.json")}}
    config = given(table, tiny_spec, tmp_path / "run", asked)
    assert model_files(config) == {"cue.prompt_options.model": folder / "config.json"}
    for cue in ({"source": "clipseg", "model": "an/other"}, {"source": "salient", "model": "u2net"}, "border", "auto"):
        assert model_files(given(table, tiny_spec, tmp_path / "run", cue)) == {}


@pytest.mark.long
@pytest.mark.parametrize("part", ["model.safetensors", "config.json"])
def test_another_model_of_a_cue(table: Path, tiny_spec: str, tmp_path: Path, part: str) -> None:
    """One wrong bit in the weights; a configuration of other bytes."""
    pytest.importorskip("transformers")
    from segmenters import tiny_clipseg

    folder = tiny_clipseg(tmp_path / "clipseg")
    config = given(table, tiny_spec, tmp_path / "run", {"source": "clipseg", "model": str(folder), "threshold": 0.01})
    interrupted(config)
    content = bytearray((folder / part).read_bytes())
    if part == "config.json":
        content += b"\n"
    else:
        content[-2] ^= 1
    (folder / part).write_bytes(content)
    with pytest.raises(DataError, match=f"was started: the cue's model/{part}"):
        run_training(config, resume=True)


def rewrite_scores(store: Path, change: Any) -> None:
    tree = json.loads((store / STATISTICS).read_text())
    entries = read_entries(tree, store / STATISTICS)
    head = {key: value for key, value in tree.items() if key not in ("masks", "seal")}
    write_store(store / STATISTICS, store_tree(head, change(entries)))


@pytest.mark.parametrize(
    ("key", "refused"),
    [("trust", True), pytest.param("background_label", True, marks=LONG), pytest.param("variant", False, marks=LONG)],
)
def test_what_a_store_says_of_its_masks(tmp_path: Path, tiny_spec: str, key: str, refused: bool) -> None:
    from dataclasses import replace

    from dapt.runs.write_masks import write_masks

    photos = make_folder(tmp_path / "photos")
    store = tmp_path / "masks"
    write_masks(str(photos), source="border", out=store)
    setting = {"trust": "score", "background_label": "cue", "variant": "joint"}[key]
    tree = run_with(photos, tiny_spec, tmp_path / "run", dapt={"variant": "joint", key: setting}, masks=str(store))
    config = make_config(tree)
    interrupted(config)
    train = json.loads((tmp_path / "run" / "split.json").read_text())["train"][0][0]
    told = json.loads((tmp_path / "run" / "inputs.json").read_text())["told"]
    assert len(told) == (8 if key == "trust" else 0)
    rewrite_scores(store, lambda all_: {**all_, train: replace(all_[train], score=0.01, stuff=("lawn",))})
    if not refused:
        run_training(config, resume=True)
        return
    with pytest.raises(DataError, match=rf"was started: what is said of 1 mask \({train}\)"):
        run_training(config, resume=True)


def test_masks_that_are_made_otherwise_are_said(
    table: Path, tiny_spec: str, tmp_path: Path, stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mask of the store that somebody painted over: nothing that the run reads has changed."""
    config = given(table, tiny_spec, tmp_path / "run", "border")
    interrupted(config)
    run_training(config, resume=True)
    assert "are not those that the run was started with" not in " ".join(capsys.readouterr().err.split())
    other = given(table, tiny_spec, tmp_path / "other", "border")
    run = interrupted(other)
    name = json.loads((run / "split.json").read_text())["train"][0][0]
    stored = next(iter(stores.glob("*"))) / Path(name).with_suffix(".png")
    with Image.open(stored) as image:
        size = image.size
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    mask.save(stored)
    capsys.readouterr()
    run_training(other, resume=True)
    assert f"1 of 8 masks are not those that the run was started with: {name}." in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.long
def test_scores_of_one_value_apart_are_noticed_beside_equal_masks(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """What an image counts is part of what is made."""
    scores = [0.5]
    before = RandomGridCue.prepare

    def prepare(self, items, model):
        masks = before(self, items, model)
        self.report.scores = {item.name: scores[0] if number else 0.5 for number, item in enumerate(items)}
        self.report.scores[items[-1].name] = 0.9
        return masks

    monkeypatch.setattr(RandomGridCue, "prepare", prepare)
    monkeypatch.setattr("dapt.runs.kept_cues.stores_folder", lambda: None)
    config = given(table, tiny_spec, tmp_path / "run", "random", trust="score")
    interrupted(config)
    scores[0] = 0.4
    run_training(config, resume=True)
    assert "8 of 8 masks are not those" in " ".join(capsys.readouterr().err.split())


def test_a_run_that_noted_less_goes_on(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """Runs of before, and models that are fetched when the run first wants them."""
    config = given(table, tiny_spec, tmp_path / "run", write_function(tmp_path / "mine.py", 20))
    run = interrupted(config)
    now = RunFolder(run).earlier_inputs()
    assert list(now["cue"]) == ["cue.source"]
    assert len(now["made"]) == 8
    plain = {key: value for key, value in now.items() if key != "made"}
    assert identity(config, now) == identity(config, plain)
    told = {"run": run, "data": "d"}
    check_unchanged({key: value for key, value in plain.items() if key not in ("cue", "told")}, plain, **told)
    check_unchanged({**plain, "cue": {}}, plain, **told)
    with pytest.raises(DataError, match="the cue's source"):
        check_unchanged(plain, {**plain, "cue": {}}, **told)
    with pytest.raises(DataError, match="the cue's weights"):
        check_unchanged(plain, {**plain, "cue": {**plain["cue"], "weights": "x"}}, **told)


@pytest.mark.long
def test_a_host_alone_notes_nothing_of_cues(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    run = interrupted(make_config(run_with(table, tiny_spec, tmp_path / "run", dapt=False)))
    assert not {"cue", "told", "made"} & set(json.loads((run / "inputs.json").read_text()))


def test_digests_do_not_depend_on_the_device_or_on_strides() -> None:
    from types import SimpleNamespace

    from dapt.runs.training_cue import mask_digests

    wide = torch.rand(4, 6)
    items = [SimpleNamespace(name=name) for name in "abc"]
    images = SimpleNamespace(items=items, masks=[wide, wide.t().contiguous().t(), None], trust=None, background=None)
    found = mask_digests(images)
    assert found["a"] == found["b"] != found["c"] == ""
    images.masks[1] = wide > 0.5
    assert mask_digests(images)["b"] != found["a"]


@pytest.mark.parametrize(
    ("cue", "options", "warned"),
    [
        ("border", {}, True),
        ("dataset", {}, True),
        ("masks", {}, False),
        ("auto", {}, False),
        ("sam2", {"prompt": "masks"}, False),
        ("sam2", {"prompt": "border"}, True),
    ],
)
def test_a_folder_of_masks_that_the_cue_does_not_read_is_told(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], cue: str, options: dict[str, Any], warned: bool
) -> None:
    (tmp_path / "m").mkdir()
    tree = {"data": str(table), "dapt": True, "cue": {"source": cue, **options}, "masks": str(tmp_path / "m")}
    config = make_config(tree)
    training_cue(config, load_run_data(config), ImageCache(0))
    said = " ".join(capsys.readouterr().err.split())
    assert (f"The cue {cue} does not read the folder of --masks" in said) is warned


@pytest.mark.parametrize(("usable", "warned"), [(1, True), (2, False)])
def test_that_nothing_lends_a_background_is_told(capsys: pytest.CaptureFixture[str], usable: int, warned: bool) -> None:
    tell_of_no_lender([torch.ones(2, 2, dtype=torch.bool)] * usable + [None])
    assert ("no other lends it a background" in " ".join(capsys.readouterr().err.split())) is warned
