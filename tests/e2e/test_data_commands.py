"""`dapt data list`, `info` and `verify` through the command line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import complete_dtd, imagenet, split_data, write
from dapt.data.catalog.base import CATALOG, Download
from helpers import make_csv, make_folder, spoil_png


def test_list(dapt, tmp_path: Path) -> None:
    split_data(tmp_path, "food101", 1)
    code, out, _ = dapt("data", "list", "--root", tmp_path)
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(CATALOG.names()) <= set(lines)
    assert lines["food101"].endswith("foreground (food101/food-101)")
    assert lines["dtd"].rstrip().endswith("-")
    assert "1,331,167" in lines["imagenet"]
    assert "own, trimap; collection" in lines["oxford_pets"]


@pytest.mark.parametrize("name", CATALOG.names())
def test_info(dapt, tmp_path: Path, name: str) -> None:
    dataset = CATALOG.get(name)
    code, out, _ = dapt("data", "info", name, "--root", tmp_path)
    assert code == 0
    for text in (dataset.title, dataset.licence, dataset.homepage, dataset.template, *dataset.notes):
        assert text in out
    for layout in dataset.layouts:
        assert f"{layout.name}: {layout.folder}" in out
    assert out.count(f"dapt data download {name}") == 1
    assert len([line for line in out.splitlines() if line.startswith("  ")]) == len(dataset.layouts) + len(
        dataset.sources
    )


def test_typo(dapt, tmp_path: Path) -> None:
    for command in ("info", "verify"):
        code, _, err = dapt("data", command, "oxfrod_pets", "--root", tmp_path)
        assert code == 2
        assert "There is no data set 'oxfrod_pets'." in err
        assert "Did you mean 'oxford_pets'?" in err


def test_not_there(dapt, tmp_path: Path) -> None:
    code, out, _ = dapt("data", "verify", "dtd", "--root", tmp_path)
    assert code == 2
    assert "dtd: not found" in out
    assert "dapt data download dtd" in out


@pytest.fixture(scope="module")
def textures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Complete textures, whose split file passes for the published one."""
    root = tmp_path_factory.mktemp("textures")
    dataset = complete_dtd(root)
    digest = hashlib.sha256((root / "dtd" / dataset.reader.file).read_bytes()).hexdigest()
    sources = tuple(
        replace(source, checksum=f"sha256:{digest}")
        if isinstance(source, Download) and source.what == "split"
        else source
        for source in dataset.sources
    )
    CATALOG.add("dtd", replace(dataset, sources=sources), overwrite=True)
    yield root
    CATALOG.add("dtd", dataset, overwrite=True)


def test_complete(dapt, textures: Path) -> None:
    code, out, err = dapt("data", "verify", "dtd", "--root", textures, "--decode")
    assert code == 0, out + err
    assert "All is as expected." in out
    assert "(coop)" in out
    assert "expected 2,820" in out
    assert "No masks are there." in out
    assert "split_zhou_DescribableTextures.json is the published file." in out


def test_another_split_file_of_the_same_counts(dapt, textures: Path) -> None:
    """The original code makes one where the file is missing, under its name."""
    path = textures / "dtd" / "split_zhou_DescribableTextures.json"
    whole = path.read_text()
    split = json.loads(whole)
    split["train"][0], split["test"][0] = split["test"][0], split["train"][0]
    write(path, json.dumps(split))
    try:
        code, out, _ = dapt("data", "verify", "dtd", "--root", textures)
        assert code == 2
        assert f"problem: {path} is not the published split file" in out
        assert "Problems: 1." in out
    finally:
        write(path, whole)


def test_incomplete(dapt, textures: Path) -> None:
    images = textures / "dtd" / "images"
    whole = (images / "texture_00" / "0000.jpg").read_bytes()
    (images / "texture_03").rename(textures / "hidden")
    write(images / "texture_01" / "0007.jpg")
    write(images / "texture_02" / "0009.jpg", whole[: len(whole) // 2])
    try:
        code, out, _ = dapt("data", "verify", "dtd", "--root", textures)
        assert code == 2
        assert "train: 2760 images there, not 2820." in out
        assert "Missing: 120 files (images/texture_03/0000.jpg" in out
        assert "Missing entirely: 1 folder (images/texture_03)." in out
        assert "Empty (0 bytes): 1 file (images/texture_01/0007.jpg)." in out
        assert "Damaged" not in out
        code, out, _ = dapt("data", "verify", "dtd", "--root", textures, "--decode", "--json")
        assert code == 2
        report = json.loads(out)
        assert report["good"] is False
        assert len(report["missing"]) == 120
        assert report["damaged"] == ["images/texture_02/0009.jpg"]
        assert report["images"] == {"train": 2760, "val": 1104, "test": 1656}
    finally:
        (textures / "hidden").rename(images / "texture_03")
        for name in ("texture_01/0007.jpg", "texture_02/0009.jpg"):
            write(images / name, whole)
    assert dapt("data", "verify", "dtd", "--root", textures, "--quiet")[0] == 0


def test_wrong_counts(dapt, tmp_path: Path) -> None:
    imagenet(tmp_path)
    code, out, _ = dapt("data", "verify", "imagenet", "--root", tmp_path)
    assert code == 2
    assert "train: 2000 images there, not 1281167." in out
    assert "Empty (0 bytes): 3000 files" in out


def test_missing_split_file(dapt, tmp_path: Path) -> None:
    split_data(tmp_path, "ucf101", split_file=False)
    code, out, _ = dapt("data", "verify", "ucf101", "--root", tmp_path)
    assert code == 2
    assert "dapt data download ucf101 --only split" in out


def test_other_data(dapt, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos")
    code, out, _ = dapt("data", "verify", photos, "--decode")
    assert code == 0
    assert "train" in out
    spoil_png(photos / "red_square" / "03.png")
    assert dapt("data", "verify", photos)[0] == 0
    code, out, _ = dapt("data", "verify", photos, "--decode")
    assert code == 2
    assert "Damaged: 1 file (red_square/03.png)." in out


def test_other_data_with_masks(dapt, tmp_path: Path) -> None:
    table = make_csv(tmp_path / "table")
    code, out, _ = dapt("data", "verify", table, "--decode", "--json")
    assert code == 0
    assert json.loads(out)["masked"] == 32
    (tmp_path / "table" / "images" / "red_square_0.png").unlink()
    (tmp_path / "table" / "masks" / "red_square_1.png").write_bytes(b"")
    code, out, _ = dapt("data", "verify", tmp_path / "table", "--json")
    assert code == 2
    report = json.loads(out)
    assert report["missing"] == ["images/red_square_0.png"]
    assert report["empty"] == ["mask of images/red_square_1.png"]
    code, _, err = dapt("data", "verify", tmp_path / "tabel")
    assert code == 2
    assert "Did you mean 'table'" in err


def test_training_refuses_what_is_missing(dapt, tmp_path: Path) -> None:
    split_data(tmp_path, "eurosat")
    (tmp_path / "eurosat" / "2750" / "Forest" / "Forest_0000.jpg").unlink()
    code, _, err = dapt("train", "eurosat", "--root", tmp_path, "--model", "demo", "--out", tmp_path / "run")
    assert code == 2
    assert "1 of 20 images of EuroSAT are missing" in err
    assert "dapt data verify eurosat" in err
    assert not (tmp_path / "run").exists()


def test_training_on_an_own_split(dapt, tmp_path: Path) -> None:
    split_data(tmp_path, "dtd", split_file=False)
    settings = ["--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 1, "--out", tmp_path / "run"]
    code, _, err = dapt("train", "dtd", "--root", tmp_path, *settings)
    assert code == 2
    assert "'dapt data download dtd --only split', or divide the images anew with --own-split" in err
    code, _, err = dapt("train", "dtd", "--root", tmp_path, "--own-split", *settings)
    assert code == 0, err
    assert "divided anew" in err
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    assert split["own_split"] is True
    assert len(split["train"]) == 2


@pytest.mark.parametrize("command", ["list", "info", "verify"])
def test_help_has_examples(dapt, command: str) -> None:
    code, out, _ = dapt("data", command, "--help")
    assert code == 0
    assert f"dapt data {command}" in out
    assert "Example" in out
