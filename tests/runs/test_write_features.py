"""`dapt features`: the library's features in a file; killed and gone on with it has the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dapt.clip.load import load_clip
from dapt.data.load.images import image_tensor
from dapt.data.load.transforms import eval_transform
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DaptError, DataError
from dapt.runs import feature_encoder
from dapt.runs import write_features as module
from dapt.runs.feature_parts import FeatureParts, Part
from dapt.runs.load_run import load_run
from dapt.runs.write_features import write_features
from helpers import make_folder

Write = Callable[..., dict[str, Any]]
loaded_once = cache(load_clip)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", per_class=4, classes=3)


@pytest.fixture
def write(photos: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Features of twelve drawn photos, in parts of four."""
    monkeypatch.setattr(module, "PART", 3)
    monkeypatch.setattr(feature_encoder, "load_clip", loaded_once)

    def call(name: str = "f.safetensors", data: Path | None = None, **how: Any) -> dict[str, Any]:
        given = {"model_spec": tiny_spec, "batch_size": 2, "workers": 2, "device": "cpu", **how}
        return write_features(str(data or photos), tmp_path / name, **given)

    return call


def by_hand(photos: Path, spec: str, split: str = "all") -> torch.Tensor:
    """Features of the images one by one."""
    clip = loaded_once(spec)
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    items = load_data(str(photos)).chosen(split)
    with torch.no_grad():
        return torch.cat([clip.encode_image(transform(image_tensor(item.path), None)[0][None]) for item in items])


def stop_after(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    """The process is killed while it keeps a part."""
    keep = FeatureParts.keep
    kept: list[int] = []

    def stopping(self: FeatureParts, number: int, part: Part) -> None:
        if len(kept) == parts:
            raise KeyboardInterrupt
        kept.append(number)
        keep(self, number, part)

    monkeypatch.setattr(FeatureParts, "keep", stopping)


def test_the_features_of_the_library(write: Write, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    about = write()
    found = load_file(tmp_path / "f.safetensors")
    torch.testing.assert_close(found["features"], by_hand(photos, tiny_spec), rtol=1e-5, atol=1e-6)
    labels = [item.label for item in load_data(str(photos)).chosen("all")]
    assert found["labels"].tolist() == labels
    assert (about["images"], about["dimensions"], about["left_out"]) == (12, 32, 0)
    assert about["divided"]
    assert about["classes"] == list(load_data(str(photos)).names)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == "f") == ["f.csv", "f.safetensors"]


def test_a_split_in_half_precision_and_raw(write: Write, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    write(split="test", dtype="float16")
    found = load_file(tmp_path / "f.safetensors")["features"]
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.float(), by_hand(photos, tiny_spec, "test"), rtol=1e-3, atol=1e-4)
    write("raw.safetensors", split="test", raw=True)
    raw = load_file(tmp_path / "raw.safetensors")["features"]
    assert not torch.allclose(raw.norm(dim=1), torch.ones(len(raw)), atol=1e-2)
    torch.testing.assert_close(raw / raw.norm(dim=1, keepdim=True), by_hand(photos, tiny_spec, "test"))


def test_features_of_a_run(write: Write, run: Path, tmp_path: Path) -> None:
    data = load_run(run)[1].data
    write("plain.safetensors", data=Path(data))
    about = write("tuned.safetensors", data=Path(data), run=run, model_spec=None)
    assert about["method"] == "maple"
    plain, tuned = (load_file(tmp_path / f"{name}.safetensors")["features"] for name in ("plain", "tuned"))
    assert plain.shape == tuned.shape
    assert not torch.allclose(plain, tuned)
    with pytest.raises(ConfigError, match="lies within the run"):
        write("run/f.parquet", run=run, model_spec=None)


@pytest.mark.parametrize(("name", "parts"), [("f.parquet", 0), ("f.parquet", 1), ("f.safetensors", 2)])
def test_killed_and_gone_on_with(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, name: str, parts: int
) -> None:
    write(name)
    whole = {path.name: path.read_bytes() for path in tmp_path.glob("f.*")}
    for path in tmp_path.glob("f.*"):
        path.unlink()
    with monkeypatch.context() as patch:
        stop_after(patch, parts)
        with pytest.raises(KeyboardInterrupt):
            write(name)
    assert [path.name for path in tmp_path.glob("f.*")] == ([f"{name}.parts"] if parts else [])
    if parts:
        with pytest.raises(ConfigError, match="--resume to go on"):
            write(name)
    write(name, resume=True, workers=1)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("f.*")} == whole
    assert (f"{4 * parts} of 12 images are done already" in capsys.readouterr().err) == bool(parts)


def test_killed_while_the_parts_are_removed(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: FeatureParts) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FeatureParts, "clear", stop)
        with pytest.raises(KeyboardInterrupt):
            write()
    before = (tmp_path / "f.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="exists, with features of other settings"):
        write(resume=True, dtype="float16")
    monkeypatch.setattr(module, "_compute", None)  # nothing is computed again
    assert write(resume=True)["images"] == 12
    assert (tmp_path / "f.safetensors").read_bytes() == before
    assert not (tmp_path / "f.safetensors.parts").exists()


def test_parts_of_other_settings_or_images(
    write: Write, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            write()
    for how, told in (
        ({"dtype": "float16"}, "dtype"),
        ({"raw": True}, "unit length"),
        ({"batch_size": 3}, "batch size"),
        ({"precision": "bf16"}, "precision"),
        ({"split": "train"}, "images"),
    ):
        with pytest.raises(ConfigError, match=f"other settings or images: .*{told}"):
            write(resume=True, **how)
    (photos / "red_square" / "00.png").touch()
    with pytest.raises(ConfigError, match=r"other settings or images: images\."):
        write(resume=True)
    write(overwrite=True)
    assert not (tmp_path / "f.safetensors.parts").exists()


def test_existing_files_are_replaced_only_if_asked(write: Write, tmp_path: Path) -> None:
    write()
    with pytest.raises(ConfigError, match=r"exists\.[\s\S]*--overwrite"):
        write()
    with pytest.raises(ConfigError, match=r"exists\."):
        write(resume=True)
    write(overwrite=True, dtype="float16")
    assert load_file(tmp_path / "f.safetensors")["features"].dtype == torch.float16
    with pytest.raises(ConfigError, match="exclude each other"):
        write(overwrite=True, resume=True)
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"mine\.csv exists, and dapt did not write it"):
        write("mine.safetensors", overwrite=True)


def test_damaged_images_are_counted_before_anything_is_computed(write: Write, photos: Path, tmp_path: Path) -> None:
    for name in ("00", "01"):
        (photos / "red_square" / f"{name}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"red_square.*damaged or not an image.*1 more such files[\s\S]*--skip-bad"):
        write()
    assert list(tmp_path.glob("f.*")) == []


def test_damaged_images_are_left_out(write: Write, photos: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    intact = by_hand(photos, tiny_spec, "test")
    bad = [item.name for item in load_data(str(photos)).chosen("test")][1]
    (photos / bad).write_bytes(b"no picture")
    assert write(split="test", skip_bad=True)["left_out"] == 1
    assert "1 damaged or missing image is left out; the first:" in " ".join(capsys.readouterr().err.split())
    found = load_file(tmp_path / "f.safetensors")
    assert len(found["labels"]) == len(found["features"]) == len(intact) - 1
    expected = torch.cat([intact[:1], intact[2:]])
    torch.testing.assert_close(found["features"], expected, rtol=1e-5, atol=1e-6)
    assert bad not in (tmp_path / "f.csv").read_text()


def test_nothing_is_made_of_damaged_images_alone(write: Write, photos: Path, tmp_path: Path) -> None:
    for path in photos.rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="None of the images can be read"):
        write(skip_bad=True)
    assert not (tmp_path / "f.safetensors").exists()


def test_photos_without_classes(write: Write, photos: Path, tmp_path: Path) -> None:
    flat = tmp_path / "holiday"
    flat.mkdir()
    for path in (photos / "red_square").iterdir():
        shutil.copy(path, flat)
    assert write(data=flat)["classes"] == []
    assert set(load_file(tmp_path / "f.safetensors")["labels"].tolist()) == {-1}
    assert (tmp_path / "f.csv").read_text().splitlines()[1] == "0,00.png,-1,,"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"dtype": "float64"}, "no type 'float64'"),
        ({"split": "tets"}, "Did you mean 'test'"),
        ({"name": "f.npy"}, "ends neither in"),
        ({"name": "photos/f.parquet"}, "lies within the data"),
        ({"name": "photos"}, "ends neither in"),
    ],
)
def test_mistakes(write: Write, how: dict[str, Any], message: str) -> None:
    with pytest.raises(DaptError, match=message):
        write(**how)


def test_numbers_beyond_half_precision(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fits_half", lambda values: False)
    with pytest.raises(DaptError, match=r"beyond what float16 can hold[\s\S]*float32"):
        write(dtype="float16")


def test_a_full_disk_is_told(write: Write, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(2, 1, 1))
    write()
    assert "are needed" in capsys.readouterr().err
