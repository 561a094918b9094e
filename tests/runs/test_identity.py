"""A run never goes on as another one: settings, inputs and checkpoint belong together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from dapt.config import RunConfig, make_config
from dapt.errors import ConfigError, DaptError, DataError, ModelError
from dapt.runs.train import run_training
from helpers import make_folder, run_with, save_tiny_model, stopping


def interrupt(config: RunConfig, *, after: int = 1) -> Path:
    """A run that stops as by Ctrl-C once the state of an epoch is kept; returns its folder."""
    with pytest.raises(KeyboardInterrupt):
        run_training(config, after_epoch=stopping(after))
    return Path(config.out or "")


def invert(path: Path) -> None:
    with Image.open(path) as image:
        changed = ImageOps.invert(image.convert("L" if image.mode == "L" else "RGB"))
    changed.save(path)


@pytest.fixture
def settings(table: Path, tiny_spec: str, tmp_path: Path) -> dict[str, object]:
    return run_with(table, tiny_spec, tmp_path / "run", dapt={"variant": "joint"})


def test_nothing_changed(settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = interrupt(make_config(settings))
    run_training(make_config(settings), resume=True)
    run_training(make_config({**settings, "out": str(tmp_path / "whole")}))
    assert (run / "prompts.safetensors").read_bytes() == (tmp_path / "whole" / "prompts.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("kind", "split", "words"),
    [
        ("image", "train", "1 image (images/"),
        ("image", "test", "1 image (images/"),
        ("mask", "train", "1 mask (images/"),
        ("mask", "test", "1 mask (images/"),
    ],
)
def test_changed_pixels_are_named(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, table: Path, kind: str, split: str, words: str
) -> None:
    run = interrupt(make_config(settings))
    name = json.loads((run / "split.json").read_text())[split][0][0]
    path = table.parent / (name if kind == "image" else name.replace("images/", "masks/"))
    invert(path)
    with pytest.raises(DataError) as caught:
        run_training(make_config(settings), resume=True)
    assert f"have changed since the run in {run} was started: {words}{Path(name).name})" in str(caught.value)


def test_everything_black_and_everything_inverted(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, table: Path
) -> None:
    interrupt(make_config(settings))
    for number, path in enumerate(sorted((table.parent / "images").iterdir())):
        with Image.open(path) as image:
            size = image.size
        Image.new("RGB", size).save(path, dpi=(number + 1, 1))  # their bytes differ: equal ones stop a run
    for path in (table.parent / "masks").iterdir():
        invert(path)
    with pytest.raises(DataError, match=r"24 images \(.*, \.\.\.\) and 24 masks \(.*, \.\.\.\)"):
        run_training(make_config(settings), resume=True)


def test_a_mask_of_a_folder_that_is_changed_added_or_removed(
    photos: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = photos.parent / "photos-masks"
    held_back = masks / "red_square" / "00.png"
    kept = held_back.read_bytes()
    held_back.unlink()
    config = make_config(run_with(photos, tiny_spec, tmp_path / "run", masks=str(masks), dapt=True))
    interrupt(config)
    held_back.write_bytes(kept)
    with pytest.raises(DataError, match=r"1 mask \(red_square/00.png \(--masks\)\)"):
        run_training(config, resume=True)
    held_back.unlink()
    gone = masks / "blue_disc" / "01.png"
    content = gone.read_bytes()
    gone.unlink()
    with pytest.raises(DataError, match=r"1 mask \(blue_disc/01.png \(--masks\)\)"):
        run_training(config, resume=True)
    gone.write_bytes(content)
    run_training(config, resume=True)


def test_a_names_file_and_a_split_file(
    photos: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("disc\nbar\nsquare\nring\n")
    config = make_config(run_with(photos, tiny_spec, tmp_path / "run", names=str(names), dapt=False))
    run = interrupt(config)
    names.write_text("disc\nbar\nsquare\nloop\n")
    with pytest.raises(DataError, match="have changed"):
        run_training(config, resume=True)
    names.write_text("disc\nbar\nsquare\nring\n\n")  # the same names, another file
    with pytest.raises(DataError, match="the names file"):
        run_training(config, resume=True)
    split = tmp_path / "chosen.json"
    split.write_text(json.dumps({key: json.loads((run / "split.json").read_text())[key] for key in ("train", "test")}))


def test_other_weights_of_the_same_shape(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = save_tiny_model(tmp_path / "clip")
    config = make_config(run_with(table, spec, tmp_path / "run"))
    interrupt(config)
    weights = tmp_path / "clip" / "open_clip_model.safetensors"
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    name = next(name for name in sorted(tensors) if "mlp.c_fc.weight" in name)  # no norm and no embedding
    tensors[name] = tensors[name] + 1e-3
    save_file(tensors, weights)
    with pytest.raises(DataError, match="the backbone"):
        run_training(config, resume=True)


def test_a_checkpoint_of_another_run(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = interrupt(make_config(settings))
    other = interrupt(make_config({**settings, "seed": 2, "out": str(tmp_path / "other")}))
    shutil.copy(other / "last.ckpt", run / "last.ckpt")
    with pytest.raises(ModelError, match="belongs to a run with other settings"):
        run_training(make_config(settings), resume=True)


def test_a_run_folder_may_move_and_free_settings_may_change(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = run_training(make_config({**settings, "out": str(tmp_path / "whole")}))
    run = interrupt(make_config(settings))
    run.rename(tmp_path / "moved")
    free = {"workers": 1, "cache_mb": 0, "device": "auto", "out": str(tmp_path / "moved")}
    moved = run_training(make_config({**settings, **free}), resume=True)
    assert moved["metrics"] == whole["metrics"]


def test_another_kind_of_device(settings: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(settings)
    run = interrupt(config)
    rewrite(run / "last.ckpt", device="cuda")
    with pytest.raises(ModelError, match="was begun on cuda; cpu rounds differently"):
        run_training(config, resume=True)


@pytest.mark.parametrize(("key", "before"), [("batch_size", 4), ("eval_batch_size", 100)])
def test_a_batch_size_is_no_free_setting(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, key: str, before: int
) -> None:
    interrupt(make_config(settings))
    with pytest.raises(ConfigError, match=f"was started with {key}={before}, now it is 2"):
        run_training(make_config({**settings, key: 2}), resume=True)


def rewrite(path: Path, **changes: object) -> None:
    """Change a checkpoint and give it the checksum of what it holds now."""
    from dapt.runs.checkpoint import load_state, save_state

    state = {**load_state(path), **changes}
    save_state(path, {key: value for key, value in state.items() if value is not Ellipsis})


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 999},
        {"lines": [{"epoch": 2}]},
        {"prompts": {}},
        {"optimizer": []},
        {"cue_prompts": 3},
        *(
            pytest.param(changes, marks=pytest.mark.long)
            for changes in (
                {"epoch": -5},
                {"epoch": 0},
                {"epoch": "1"},
                {"epoch": True},
                {"lines": []},
                {"lines": [3]},
                {"lines": None},
                {"prompts": {"ctx": torch.zeros(1)}},
                {"prompts": 3},
                {"optimizer": {}},
                {"cue_prompts": {}},
                {"helpers": {"x": torch.zeros(2)}},
                {"average": 3},
                {"best_accuracy": "high"},
                {"best": 3},
                {"log": 3},
                {"scaler": 3},
            )
        ),
    ],
    ids=str,
)
def test_a_state_that_cannot_be_of_this_run(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    config = make_config({**settings, "epochs": 3})
    run = interrupt(config)
    rewrite(run / "last.ckpt", **changes)
    with pytest.raises(DaptError, match="overwrite"):
        run_training(config, resume=True)


def test_a_state_with_a_wrong_number_or_without_its_checksum(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(settings)
    run = interrupt(config)
    path = run / "last.ckpt"
    state = torch.load(path, weights_only=True)
    name = next(iter(state["prompts"]))
    state["prompts"][name].view(-1)[0] += 1e-6
    torch.save(state, path)
    with pytest.raises(ModelError, match="checksum does not fit"):
        run_training(config, resume=True)
    del state["digest"]
    torch.save(state, path)
    with pytest.raises(ModelError, match="another version"):
        run_training(config, resume=True)


def test_inputs_beyond_the_limit_are_known_by_their_ends(
    tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dapt.runs.identity.FULL_BYTES", 1000)
    data = make_folder(tmp_path / "photos")
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    large = data / "red_square" / "00.png"
    Image.fromarray(noise).save(large)
    assert large.stat().st_size > 3 * 2**16
    config = make_config(run_with(data, tiny_spec, tmp_path / "run", shots=0, dapt=False))
    run = interrupt(config)
    assert "sizes, times" in capsys.readouterr().err
    assert json.loads((run / "inputs.json").read_text())["whole"] is False
    content = large.read_bytes()
    large.write_bytes(content)  # another time
    with pytest.raises(DataError, match="1 image"):
        run_training(config, resume=True)
