"""Traps that would otherwise give wrong results without a word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import make_csv, tiny_clip, with_digest


def refused(dapt, arguments: list[object], message: str) -> None:
    code, _, err = dapt(*arguments)
    assert code == 2, err
    assert message in err
    assert "Traceback" not in err


def test_a_batch_that_devices_cannot_share(dapt, arguments) -> None:
    refused(dapt, [*arguments, "--devices", 2, "--batch-size", 1], "cannot be divided among 2 devices")
    refused(dapt, [*arguments, "--devices", 3], "A batch of 4 images cannot be divided")


def test_prompts_that_would_overwrite_the_background_texts(dapt, arguments) -> None:
    refused(dapt, [*arguments, "--dapt", "--n-ctx", 8], "deep text prompts would overwrite its end")
    refused(dapt, [*arguments, "--dapt", "--set", "dapt.template='{}'"], "The background text 'ground' has 1 tokens")


def test_masks_without_any_usable_cue(dapt, arguments, table: Path) -> None:
    label_map = np.zeros((40, 48), dtype=np.uint8)
    label_map[:20] = 1
    for path in (table.parent / "masks").iterdir():
        Image.fromarray(label_map).save(path)
    refused(dapt, [*arguments, "--dapt"], "--mask-format labels")


def test_cues_are_checked_and_pointed_out_without_dapt(dapt, arguments, tmp_path: Path) -> None:
    refused(dapt, [*arguments, "--cue", "gradcamm"], "Did you mean 'gradcam'")
    refused(dapt, [*arguments, "--masks", tmp_path / "absent"], "no mask folder")
    code, _, err = dapt(*arguments, "--cue", "gradcam")
    assert code == 0
    assert "only used with --dapt" in err
    assert err.count("only used with --dapt") == 1


def test_resume_with_other_images(dapt, arguments, table: Path, tmp_path: Path) -> None:
    assert dapt(*arguments)[0] == 0
    (tmp_path / "r" / "results.json").unlink()
    rows = table.read_text().splitlines()
    table.write_text("\n".join(rows[:1] + rows[2:]) + "\n")
    refused(dapt, [*arguments, "--resume"], "have changed since the run")


def test_a_foreign_resume_state(dapt, arguments, tmp_path: Path) -> None:
    import torch

    assert dapt(*arguments)[0] == 0
    (tmp_path / "r" / "results.json").unlink()
    torch.save({"epoch": 1}, tmp_path / "r" / "last.ckpt")
    refused(dapt, [*arguments, "--resume"], "holds no resume state")


def test_damaged_prompts(dapt, arguments, table: Path, tmp_path: Path) -> None:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    assert dapt(*arguments)[0] == 0
    path = tmp_path / "r" / "prompts.safetensors"
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    first = tensors.pop("ctx")
    save_file(tensors, str(path), metadata=metadata)
    refused(dapt, ["eval", tmp_path / "r"], "is not as dapt wrote it")
    (tmp_path / "r" / ".dapt.json").unlink()  # what is known without it
    refused(dapt, ["eval", tmp_path / "r"], "their checksum does not fit")
    save_file(tensors, str(path), metadata=with_digest(metadata, tensors))
    refused(dapt, ["eval", tmp_path / "r"], "do not fit maple")
    broken = {**tensors, "ctx": torch.full_like(first, float("nan"))}
    save_file(broken, str(path), metadata=with_digest(metadata, broken))
    for command in ("eval", tmp_path / "r"), ("predict", tmp_path / "r", table.parent / "images"):
        refused(dapt, list(command), "are not finite (ctx)")
    path.write_bytes(b"nonsense")
    refused(dapt, ["eval", tmp_path / "r"], "cannot be read")


def test_masks_made_with_other_settings_are_not_reused(dapt, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "m"
    cam = ["masks", photos, "--cue", "gradcam", "--model", tiny_spec]
    assert dapt(*cam, "--out", out)[0] == 0
    refused(dapt, ["masks", photos, "--cue", "random", "--out", out], "were made with cue gradcam, not random")
    refused(dapt, [*cam, "--threshold", 0.3, "--out", out], "threshold 0.5, not 0.3")
    refused(dapt, ["masks", photos, "--model", tiny_spec, "--out", photos / "masks"], "lies within the data")


def test_two_images_with_one_mask_file(dapt, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    Image.open(photos / "red_square" / "00.png").save(photos / "red_square" / "00.jpg")
    refused(dapt, ["masks", photos, "--model", tiny_spec, "--out", tmp_path / "m"], "would share the mask file")


def test_some_masks_late_in_a_long_index(dapt, tmp_path: Path) -> None:
    """More images than are written at a time, the first ones without a mask."""
    table = make_csv(tmp_path / "table", per_class=16)
    rows = table.read_text().splitlines()
    bare = [",".join([cells[0], "", *cells[2:]]) for cells in (row.split(",") for row in rows[1:56])]
    table.write_text("\n".join([rows[0], *bare, *rows[56:]]) + "\n")
    code, _, err = dapt("masks", table, "--cue", "dataset", "--out", tmp_path / "m")
    assert code == 0, err
    assert "9 of 64 images" in err


def test_attention_is_measured_on_true_masks(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    cue = tmp_path / "random"
    assert dapt("masks", table, "--cue", "random", "--out", cue)[0] == 0
    shares = []
    for name, extra in (("own", []), ("folder", ["--masks", cue])):
        out = tmp_path / name
        code, _, err = dapt("train", table, "--model", tiny_spec, "--method", "zero_shot", "--out", out, *extra)
        assert code == 0, err
        shares.append(json.loads((out / "results.json").read_text())["metrics"]["cue/foreground_attention"])
    assert shares[0] == shares[1]


def test_eval_of_a_base_run_repeats_its_figures(dapt, arguments, tmp_path: Path) -> None:
    assert dapt(*arguments, "--subset", "base")[0] == 0
    code, _, err = dapt("eval", tmp_path / "r", "--json", tmp_path / "again.json")
    assert code == 0, err
    before = json.loads((tmp_path / "r" / "results.json").read_text())
    after = json.loads((tmp_path / "again.json").read_text())
    for key, value in before["metrics"].items():
        assert after["metrics"][key] == (None if value is None else pytest.approx(value)), key
    assert after["per_class"] == pytest.approx(before["per_class"])


def test_a_run_can_be_used_from_another_folder(dapt, table: Path, tiny_spec: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(table.parent)
    relative = f"local-dir:{os.path.relpath(tiny_spec.removeprefix('local-dir:'))}"
    code, _, err = dapt("train", "index.csv", "--model", relative, "--depth", 3, "--epochs", 1, "--out", "r")
    assert code == 0, err
    monkeypatch.chdir(tmp_path)
    assert dapt("eval", table.parent / "r")[0] == 0


def test_fingerprints_tell_default_initialised_models_apart() -> None:
    import open_clip
    import torch

    from dapt.clip.frozen import FrozenClip
    from helpers import TINY

    def fresh(seed: int) -> FrozenClip:
        known = tiny_clip()
        torch.manual_seed(seed)
        return FrozenClip(open_clip.CLIP(**TINY), open_clip.SimpleTokenizer(), known.preprocess, "fresh")

    assert fresh(1).fingerprint() == fresh(1).fingerprint() != fresh(2).fingerprint()


def test_paths_of_predictions_are_not_markup(dapt, arguments, table: Path, tmp_path: Path) -> None:
    assert dapt(*arguments)[0] == 0
    odd = tmp_path / "odd [" / "x].png"
    odd.parent.mkdir()
    Image.open(table.parent / "images" / "red_square_0.png").save(odd)
    code, _, err = dapt("predict", tmp_path / "r", odd, "--top", 1)
    assert code == 0, err


def test_python_paths(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    import dapt

    run = dapt.train(table, model=tiny_spec, method="vpt", depth=2, epochs=1, shots=1, out=tmp_path / "r")
    assert run.folder == tmp_path / "r"


@pytest.mark.long
@pytest.mark.parametrize("devices", [1, 2])
def test_sigterm_stops_the_run_and_saves(arguments, tmp_path: Path, devices: int) -> None:
    command = [sys.executable, "-m", "dapt", *map(str, arguments), "--devices", str(devices), "--device", "cpu"]
    command[command.index("--epochs") + 1] = "3000"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "r" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    try:
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "--resume" in err
    done = (tmp_path / "r" / "last.ckpt").stat().st_mtime_ns
    time.sleep(1)
    assert (tmp_path / "r" / "last.ckpt").stat().st_mtime_ns == done
