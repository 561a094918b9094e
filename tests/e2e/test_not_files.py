"""Named pipes, devices, folders and links to nothing in place of files: told at once, never waited for."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.catalog.readers.class_names_file import parse_class_names
from dapt.data.fetch.archives import unpack
from dapt.data.load import pixels
from dapt.data.load.check_images import looks_whole
from dapt.data.load.images import image_tensor, open_image
from dapt.data.masks.mask_files import read_mask
from dapt.data.read.old_fewshot import read_old_fewshot
from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.regular import IrregularError, open_regular, read_bytes, read_text
from dapt.runs.predict import find_images

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
KINDS = {
    "pipe": "a named pipe, not a file",
    "socket": "a socket, not a file",
    "folder": "a folder, not a file",
    "device": "a device, not a file",
    "linked device": "a device, not a file",
    "linked pipe": "a named pipe, not a file",
    "dangling": "a link to nowhere.jpg, which is not there",
    "circle": "a link that leads to itself",
}


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """Opening a pipe waits for a writer; that is an error here."""

    def stop(number: int, frame: object) -> None:
        raise AssertionError("it was waited for")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    pixels.use_option(None)


def make(path: Path, kind: str) -> Path:
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            here = Path.cwd()
            os.chdir(path.parent)  # names of sockets are short
            bound.bind(path.name)
            os.chdir(here)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "linked device":
        (path.parent / "between").symlink_to("/dev/zero")
        path.symlink_to("between")
    elif kind == "linked pipe":
        os.mkfifo(path.parent / "the-pipe")
        path.symlink_to("the-pipe")
    elif kind == "dangling":
        path.symlink_to("nowhere.jpg")
    else:
        path.symlink_to(path.name)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_no_reader_opens_them(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path / "x.jpg", kind)
    with pytest.raises(IrregularError) as caught:
        open_regular(path)
    assert caught.value.strerror == f"it is {KINDS[kind]}"
    for read in (open_image, image_tensor, lambda path: read_mask(path, "binary"), read_old_fewshot, parse_class_names):
        with pytest.raises(DataError) as refused:
            read(path)
        assert KINDS[kind] in refused.value.message
        assert "damaged" not in refused.value.what
    assert not looks_whole(path)
    if kind != "folder":
        with pytest.raises(DataError, match="is not read: it is") as refused:
            find_images([path])
        assert KINDS[kind] in refused.value.message


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "folder"])
def test_data_and_archives(tmp_path: Path, kind: str) -> None:
    (tmp_path / "photos").mkdir()
    for path in (make(tmp_path / "a.csv", kind), make(tmp_path / "photos" / "index.csv", kind).parent):
        with pytest.raises(DataError, match="cannot be read: it is") as caught:
            load_data(str(path))
        assert KINDS[kind] in caught.value.what
    for name in ("a.zip", "a.tar.gz"):
        folder = tmp_path / name[2:]
        folder.mkdir()
        with pytest.raises(DataError) as caught:
            unpack(make(folder / name, kind), tmp_path / "data", tmp_path / "work")
        assert KINDS[kind] in caught.value.message
        assert not (tmp_path / "data").exists()


def test_what_is_not_there_is_told_as_before(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "a")
    with pytest.raises(DataError, match="There is no image"):
        open_image(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="There is no mask"):
        read_mask(tmp_path / "a.jpg", "binary")
    with pytest.raises(DataError, match="There is no data at"):
        load_data(str(tmp_path / "a.csv"))


def test_files_and_links_to_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\n")
    (tmp_path / "b").symlink_to("a")
    assert read_text(tmp_path / "b", 13) == "one\ntwo\n"
    assert read_bytes(tmp_path / "b", 12) == (tmp_path / "a").read_bytes()
    with pytest.raises(OSError, match="it has 12 bytes, files of up to 11 bytes are read"):
        read_bytes(tmp_path / "b", 11)


@pytest.mark.parametrize("kind", ["pipe", "dangling"])
def test_training_on_them(dapt, photos: Path, tmp_path: Path, kind: str) -> None:
    victim = make(load_data(str(photos)).split("test")[0].path, kind)
    arguments = ["train", photos, "--model", "demo", "--depth", 2, "--epochs", 1, "--shots", 2, "--out", tmp_path / "r"]
    code, _, err = dapt(*arguments)
    assert code == 2
    assert f"{victim} is not read: it is {KINDS[kind]}" in err
    code, _, err = dapt(*arguments, "--skip-bad")
    assert code == 0
    assert "1 image that is too large or not read is left" in err


def test_a_mask_that_is_a_pipe(dapt, table: Path, arguments: list[object]) -> None:
    first = next(csv.DictReader(table.open()))
    make(table.parent / first["mask"], "pipe")
    code, _, err = dapt(*arguments, "--dapt")
    assert code == 2
    assert f"{first['mask']} is not read: it is a named pipe" in err
    code, out, err = dapt("masks", "verify", table)
    assert code == 2
    assert "is not read: it is a named pipe" in " ".join(out.split())
    assert "1 of 32 masks cannot be used" in err


@pytest.mark.long
def test_predicting_and_verifying(dapt, table: Path, arguments: list[object], tmp_path: Path) -> None:
    """Also the option --max-pixels, in every command that has it."""
    assert dapt(*arguments)[0] == 0
    run = tmp_path / "r"
    code, _, err = dapt("predict", run, make(tmp_path / "x.jpg", "pipe"))
    assert code == 2
    what = f"{tmp_path}/x.jpg is not read: it is a named pipe, not a file."
    assert err == f"error: {what}\nGive images or folders of images.\n"
    folder = tmp_path / "some"
    folder.mkdir()
    make(folder / "x.jpg", "pipe")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(folder / "y.jpg")
    (folder / "z.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    code, out, err = dapt("predict", run, folder, "--skip-bad", "--max-pixels", 0.01, "--format", "json")
    assert code == 0
    assert [Path(row["image"]).name for row in json.loads(out)] == ["y.jpg"]
    assert "1 JPEG has more than 0.01 million pixels" in err
    assert "z.png is an EPS picture, which is not read" in err
    assert "2 images that are too large or not read were left out." in err
    assert "damaged" not in err

    small = ["--max-pixels", 0.001]
    told = "more than the 0.001 million that are decoded"
    for command in (
        ["predict", run, folder / "y.jpg"],
        ["eval", run],
        [*arguments, "--overwrite"],
        ["masks", table, "--cue", "dataset", "--out", tmp_path / "m"],
        ["data", "verify", table, "--decode", "--json"],
        ["masks", "verify", table],
    ):
        code, out, err = dapt(*command, *small)
        assert code == 2
        assert told in " ".join((out + err).split()), command
        assert "Traceback" not in out + err
    code, out, _ = dapt("data", "verify", table, "--decode", "--json", *small)
    report = json.loads(out)
    assert report["damaged"] == []
    assert len(report["refused"]) == 64
    assert dapt("eval", run)[0] == 0
    assert dapt(*arguments, "--overwrite", "--set", "max_pixels=0.001")[0] == 2
    assert dapt(*arguments, "--overwrite", "--max-pixels", 3)[0] == 0
    assert "max_pixels: 3.0" in (run / "run.yaml").read_text()
